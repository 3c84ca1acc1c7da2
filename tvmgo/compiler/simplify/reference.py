# SPDX-License-Identifier: Apache-2.0
"""Constants folded by ONNX's reference evaluator, which knows all operators and element types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from tvmgo.compiler.simplify.graph_editor import GraphEditor, rewrite_graph, subgraphs

# ONNX Runtime does not fold what has no fixed shape before it is computed, nor the casts that it writes
# itself, after it has folded, where it computes float16 in float32.
LEFT_BY_ONNX_RUNTIME = {"NonZero", "Unique", "Compress", "Cast"}
RANDOM = {
    *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"),
    "RandomUniformLike",
}
# Bytes that a result may have; what is made of few numbers, such as a mask, is better computed.
LARGEST_RESULT = 1 << 24


def fold_by_reference(model: Any, *, every: bool = False) -> Any:
    """Compute what depends on constants alone: of every operator, or of those left."""
    inputs = {each.name for each in model.graph.input}
    shapes: dict[str, list[int | None]] = {}  # by the name of what holds one

    def fold(proto: Any, editor: GraphEditor) -> bool:
        if not every and proto.op_type not in LEFT_BY_ONNX_RUNTIME:
            return False
        if proto.op_type == "Cast" and proto.input[0] in inputs:
            return False  # kept by `keep_halves`
        if proto.op_type == "Gather" and proto.input[0] in shapes:
            return fold_size(proto, editor, shapes[proto.input[0]])
        if proto.op_type == "Shape":
            shapes[proto.output[0]] = sizes_given(proto, editor) or []
        return fold_node(proto, editor, model.opset_import)

    rewrite_graph(model.graph, fold)
    return model


def fold_node(proto: Any, editor: GraphEditor, opsets: Any) -> bool:
    """Make constants of a node's results if all that it reads is constant."""
    values = value_of(proto, editor, opsets)
    set_results(proto, editor, values)
    return bool(values)


def fold_size(proto: Any, editor: GraphEditor, shape: list[int | None]) -> bool:
    """Fold a Gather from a shape, of which other sizes may be open."""
    places = editor.constant(proto.input[1])
    if places is None or not all(-len(shape) <= place < len(shape) for place in places.flat):
        return False
    sizes = [shape[place] for place in places.flat]
    if None in sizes:
        return False
    set_results(proto, editor, [np.array(sizes, np.int64).reshape(places.shape)])
    return True


def set_results(proto: Any, editor: GraphEditor, values: Sequence[Any]) -> None:
    for name, value in zip(proto.output, values):
        if not name:
            continue
        if editor.is_output(name):
            editor.add("Identity", [editor.add_constant(value)], [name])
        else:
            editor.set_constant(name, value)


def value_of(proto: Any, editor: GraphEditor, opsets: Any) -> list[Any]:
    """Return the results of a node, or nothing if they are not known."""
    if proto.op_type in RANDOM or proto.domain or subgraphs(proto):
        return []
    shape = sizes_given(proto, editor) if proto.op_type in ("Shape", "Size") else None
    if shape is not None and None not in shape:
        sizes = np.array(shape, np.int64)
        return [np.array(sizes.prod()) if proto.op_type == "Size" else sizes]
    feeds = {name: editor.constant(name) for name in proto.input if name}
    results = [editor.shape(name) for name in proto.output]
    if any(value is None for value in feeds.values()) or any(
        size is not None and np.prod(size, dtype=float) > LARGEST_RESULT for size in results
    ):
        return []
    try:
        return run_node(proto, feeds, opsets)
    except Exception:  # whatever the evaluator lacks stays for the compiler
        return []


def sizes_given(proto: Any, editor: GraphEditor) -> list[int | None] | None:
    """Return what a Shape tells, None for sizes that are open; None if there may be any."""
    shape = editor.dimensions(proto.input[0])
    ends = {each.name: each.i for each in proto.attribute}
    return None if shape is None else shape[ends.get("start", 0) : ends.get("end", len(shape))]


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
