# SPDX-License-Identifier: Apache-2.0
"""Sizes of pools, rounded up: ONNX's inference has them right since opset 22 alone."""

from __future__ import annotations

from typing import Any

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, rewrite_graph
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.shapes import forget_shapes

POOLS = ("AveragePool", "LpPool", "MaxPool")


def infer_rightly(model: Any) -> Any:
    """Infer types and shapes, with pools whose sizes come out right.

    Each pool may change the sizes that the next one reads.
    """
    changed = True
    while changed:
        changed = False

        def correct(proto: Any, editor: GraphEditor) -> bool:
            nonlocal changed
            if changed or proto.op_type not in POOLS or proto.domain:
                return False
            changed = without_windows_in_padding(Node(proto, 0), editor)
            return changed

        model = infer(model)
        rewrite_graph(model.graph, correct)
        if changed:
            forget_shapes(model.graph)
    return model


def without_windows_in_padding(node: Node, g: GraphEditor) -> bool:
    """Pad less where the size, rounded up, would count a window that starts in the padding.

    There is no such window, but ONNX's inference before opset 22 counts it.
    """
    sizes, read = g.shape(node.input(0)), node.attributes.get
    if not read("ceil_mode", 0):
        return False
    words = read("auto_pad", b"NOTSET")
    if words != b"NOTSET":  # to keep the size says it all; to pad nothing does not
        instead = {"auto_pad": None} if words == b"VALID" else {"ceil_mode": 0}
        g.replace(node, node.inputs, **{**node.attributes, **instead})
        return True
    if sizes is None:
        return False
    sizes, ndim = sizes[2:], len(sizes) - 2
    pads = list(read("pads") or [0] * 2 * ndim)
    rounded_up = changed = False
    for i, (size, k) in enumerate(zip(sizes, node.attributes["kernel_shape"])):
        step = (read("strides") or [1] * ndim)[i]
        width = (k - 1) * (read("dilations") or [1] * ndim)[i] + 1
        places, rest = divmod(pads[i] + size + pads[ndim + i] - width, step)
        if rest and (places + 1) * step >= pads[i] + size:
            changed = True
            pads[ndim + i] -= rest
        elif rest and node.has_output(1):  # whose places are those of the whole picture
            changed = True
            pads[ndim + i] += step - rest
        elif rest:
            rounded_up = True
    if not changed:
        return False
    x = node.input(0)
    if rounded_up and min(pads) < 0:  # nothing reads what is behind the last windows
        ends = [size + min(pad, 0) for size, pad in zip(sizes, pads[ndim:])]
        axes = g.integers(*range(2, 2 + ndim))
        x = g.add("Slice", [x, g.integers(*[0] * ndim), g.integers(*ends), axes])
    pads = [max(pad, 0) for pad in pads]
    g.replace(node, [x], **{**node.attributes, "pads": pads, "ceil_mode": int(rounded_up)})
    return True
