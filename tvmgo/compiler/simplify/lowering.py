# SPDX-License-Identifier: Apache-2.0
"""What operators of opsets after the normal one say in it, where the words have changed."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from tvmgo.compiler.simplify.expansions.places import cum_prod, tensor_scatter
from tvmgo.compiler.simplify.expansions.pooling import dilated_average_pool
from tvmgo.compiler.simplify.expansions.quantization import dequantize, quantize
from tvmgo.compiler.simplify.expansions.resampling import resize
from tvmgo.compiler.simplify.expansions.sampling import deform_conv, grid_sample
from tvmgo.compiler.simplify.expansions.signal import dft_with_input
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def lower_grid_sample(node: Node, g: GraphEditor) -> bool:
    """The modes got new names; volumes came with them."""
    if len(g.need_shape(node)) != 4:
        return grid_sample(node, g)
    attributes = dict(node.attributes)
    modes = {b"linear": b"bilinear", b"cubic": b"bicubic"}
    mode = attributes.pop("mode", b"linear")
    g.replace(node, node.inputs, mode=modes.get(mode, mode), **attributes)
    return True


FLOAT8 = {
    *(TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2),
    *(TensorProto.FLOAT8E5M2FNUZ, TensorProto.FLOAT8E8M0),
}


def lower_cast(node: Node, g: GraphEditor) -> bool:
    """How it rounds is said of float8 alone, which the normal opset does not have; there it stays."""
    attributes = {"to": node.attributes["to"]}
    if attributes["to"] in FLOAT8:
        usual = {"saturate": 1, "round_mode": b"up"}
        attributes = {k: v for k, v in node.attributes.items() if usual.get(k) != v}
    g.replace(node, node.inputs, **attributes)
    return True


def lower_space_to_depth(node: Node, g: GraphEditor) -> bool:
    """The other order of the new channels, by the reshapes that define it."""
    if node.attributes.get("mode", b"DCR") != b"CRD":
        return False
    block = node.attributes["blocksize"]
    n, c, h, w = g.need_shape(node)
    x = g.add("Reshape", [node.input(0), g.integers(n, c, h // block, block, w // block, block)])
    x = g.add("Transpose", [x], perm=[0, 1, 3, 5, 2, 4])
    shape = g.integers(n, c * block * block, h // block, w // block)
    g.add("Reshape", [x, shape], node.outputs)
    return True


def lower_pad(node: Node, g: GraphEditor) -> bool:
    """What goes around is read by places, a dimension after the other."""
    if node.attributes.get("mode", b"constant") != b"wrap":
        return False
    x, sizes = node.input(0), g.need_shape(node)
    pads = [int(pad) for pad in g.need_constant(node, 1, "padding")]
    if min(pads, default=0) < 0:
        raise node.refuse("it goes around (mode 'wrap') and cuts off (a negative padding)")
    axes = g.constant(node.input(3))
    named = range(len(sizes)) if axes is None else [int(axis) % len(sizes) for axis in axes]
    for axis, before, after in zip(named, pads, pads[len(pads) // 2 :]):
        if before or after:
            if not sizes[axis]:
                raise node.refuse(f"its dimension {axis} has no elements to repeat")
            places = np.arange(-before, sizes[axis] + after) % sizes[axis]
            x = g.add("Gather", [x, g.integers(*places)], axis=axis)
    g.add("Identity", [x], node.outputs)
    return True


LOWERED: dict[str, Rewrite] = {
    "AveragePool": dilated_average_pool,
    "Cast": lower_cast,
    "CumProd": cum_prod,
    "DeformConv": deform_conv,
    "DequantizeLinear": dequantize,
    "DFT": dft_with_input,
    "GridSample": lower_grid_sample,
    "Pad": lower_pad,
    "QuantizeLinear": quantize,
    "Resize": resize,
    "SpaceToDepth": lower_space_to_depth,
    "TensorScatter": tensor_scatter,
}
