# SPDX-License-Identifier: Apache-2.0
"""What operators of opsets after the normal one say in it, where the words have changed."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.expansions.places import cum_prod, tensor_scatter
from tvmgo.compiler.simplify.expansions.pooling import dilated_average_pool
from tvmgo.compiler.simplify.expansions.signal import dft_with_input
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite


def refuse_values(attribute: str, *known: bytes) -> Rewrite:
    """Decline nodes whose attribute has one of the values that the normal opset knows."""

    def check(node: Node, g: GraphEditor) -> bool:
        value = node.attributes.get(attribute, known[0])
        if value not in known:
            raise node.refuse(f"opset 18 has no {attribute} {value.decode(errors='replace')!r}")
        return False

    return check


def lower_grid_sample(node: Node, g: GraphEditor) -> bool:
    """The modes got new names; volumes came with them."""
    if len(g.need_shape(node)) != 4:
        raise node.refuse("opset 18 samples pictures only, not volumes")
    attributes = dict(node.attributes)
    modes = {b"linear": b"bilinear", b"cubic": b"bicubic"}
    mode = attributes.pop("mode", b"linear")
    g.replace(node, node.inputs, mode=modes.get(mode, mode), **attributes)
    return True


def lower_quantize(node: Node, g: GraphEditor) -> bool:
    """The type could be said without a zero point later."""
    attributes = dict(node.attributes)
    code = attributes.pop("output_dtype", 0)
    if not code or node.input(2) is not None:
        return False
    if attributes.get("block_size", 0):
        raise node.refuse("opset 18 does not quantise by blocks")
    from onnx.helper import tensor_dtype_to_np_dtype

    scale = g.shape(node.input(1))
    if scale is None:
        raise node.refuse("the shape of its scale is not known")
    zero = g.add_constant(np.zeros(scale), tensor_dtype_to_np_dtype(code), "zero_point")
    g.replace(node, [*node.inputs[:2], zero], axis=attributes.get("axis"))
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


LOWERED: dict[str, Rewrite] = {
    "AveragePool": dilated_average_pool,
    "CumProd": cum_prod,
    "DFT": dft_with_input,
    "GridSample": lower_grid_sample,
    "Pad": refuse_values("mode", b"constant", b"reflect", b"edge"),
    "QuantizeLinear": lower_quantize,
    "Resize": refuse_values(
        "coordinate_transformation_mode",
        *(b"half_pixel", b"pytorch_half_pixel", b"align_corners", b"asymmetric"),
        b"tf_crop_and_resize",
    ),
    "SpaceToDepth": lower_space_to_depth,
    "TensorScatter": tensor_scatter,
}
