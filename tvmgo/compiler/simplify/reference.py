# SPDX-License-Identifier: Apache-2.0
"""Constants folded by ONNX's reference evaluator, which knows all operators and element types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from tvmgo.compiler.simplify.graph_editor import GraphEditor, rewrite_graph, subgraphs

# ONNX Runtime does not fold what has no fixed shape before it is computed.
SHAPED_BY_DATA = {"NonZero", "Unique", "Compress"}
RANDOM = {
    *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"),
    "RandomUniformLike",
}
# Bytes that a result may have; what is made of few numbers, such as a mask, is better computed.
LARGEST_RESULT = 1 << 24


def fold_by_reference(model: Any, *, every: bool = False) -> Any:
    """Compute what depends on constants alone: of every operator, or where the data give shapes."""

    def fold(proto: Any, editor: GraphEditor) -> bool:
        wanted = every or proto.op_type in SHAPED_BY_DATA
        return wanted and fold_node(proto, editor, model.opset_import)

    rewrite_graph(model.graph, fold)
    return model


def fold_node(proto: Any, editor: GraphEditor, opsets: Any) -> bool:
    """Make constants of a node's results if all that it reads is constant."""
    values = value_of(proto, editor, opsets)
    for name, value in zip(proto.output, values):
        if not name:
            continue
        if editor.is_output(name):
            editor.add("Identity", [editor.add_constant(value)], [name])
        else:
            editor.set_constant(name, value)
    return bool(values)


def value_of(proto: Any, editor: GraphEditor, opsets: Any) -> list[Any]:
    """Return the results of a node, or nothing if they are not known."""
    if proto.op_type in RANDOM or proto.domain or subgraphs(proto):
        return []
    shape = editor.shape(proto.input[0]) if proto.op_type == "Shape" else None
    if shape is not None:
        first, last = (
            next((each.i for each in proto.attribute if each.name == name), default)
            for name, default in (("start", 0), ("end", len(shape)))
        )
        return [np.array(shape[first:last], np.int64)]
    feeds = {name: editor.constant(name) for name in proto.input if name}
    sizes = [editor.shape(name) for name in proto.output]
    if any(value is None for value in feeds.values()) or any(
        size is not None and np.prod(size, dtype=float) > LARGEST_RESULT for size in sizes
    ):
        return []
    try:
        return run_node(proto, feeds, opsets)
    except Exception:  # whatever the evaluator lacks stays for the compiler
        return []


def run_node(proto: Any, feeds: Mapping[str, Any], opsets: Any) -> list[Any]:
    from onnx.reference import ReferenceEvaluator

    graph = onnx.helper.make_graph(
        [proto],
        "node",
        [
            onnx.helper.make_tensor_value_info(name, code_of(v), v.shape)
            for name, v in feeds.items()
        ],
        [onnx.helper.make_empty_tensor_value_info(name) for name in proto.output if name],
    )
    computed = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=opsets))
    found = iter(computed.run(None, dict(feeds)))
    return [np.asarray(next(found)) if name else None for name in proto.output]


def code_of(value: Any) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(value.dtype))
