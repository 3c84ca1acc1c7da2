# SPDX-License-Identifier: Apache-2.0
"""Values without elements: they need no computing, and compilers refuse them in many places."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph


def make_empties_constant(model: Any) -> Any:
    """Put constants in the place of empty results; shapes should be known."""

    def replace(proto: Any, editor: GraphEditor) -> bool:
        node = Node(proto, 0)
        empty = [name for name in node.outputs if name and 0 in (editor.shape(name) or ())]
        if not empty:
            return False
        others = [name for name in node.outputs if name and name not in empty]
        if others and node.operator != "Split":
            return False
        for name in empty:
            code, shape = editor.element_type(name), editor.shape(name)
            if code is None or shape is None:
                return False
            value = np.zeros(shape, helper.tensor_dtype_to_np_dtype(code))
            editor.add("Identity", [editor.add_constant(value)], [name])
        if others:
            split_into(node, others, editor)
        return True

    rewrite_graph(model.graph, replace)
    return model


def split_into(node: Node, outputs: list[str], editor: GraphEditor) -> None:
    axis = node.attributes.get("axis", 0)
    if len(outputs) == 1:
        editor.add("Identity", [node.input(0)], outputs)
        return
    sizes = [editor.shape(name)[axis] for name in outputs]  # type: ignore[index]
    editor.add("Split", [node.input(0), editor.integers(*sizes)], outputs, axis=axis)
