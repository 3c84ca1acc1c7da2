# SPDX-License-Identifier: Apache-2.0
"""Products with weights of few bits: what is such a product, and the same with floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from tvmgo.compiler.short_integers import pack, unpacked
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

NBITS = "com.microsoft.MatMulNBits"
DOMAIN, OPERATOR = NBITS.rsplit(".", 1)

WORD = 32  # bits: blocks of kernels fill so many
SMALLEST_BLOCK = 16  # of those that ONNX Runtime takes
BITS = {
    np.dtype(ml_dtypes.int2): 2,
    np.dtype(ml_dtypes.uint2): 2,
    np.dtype(ml_dtypes.int4): 4,
    np.dtype(ml_dtypes.uint4): 4,
    np.dtype(np.int8): 8,
    np.dtype(np.uint8): 8,
}
SIGNED = (np.dtype(ml_dtypes.int2), np.dtype(ml_dtypes.int4), np.dtype(np.int8))


def matmul_nbits(node: Node, g: GraphEditor) -> bool:
    """Leave the node for a kernel, with its bias behind it, or compute with floats."""
    if not has_kernel(node, g):
        return matmul_of_floats(node, g)
    if node.input(5) is None:
        if g.dimensions(node.outputs[0]) is not None:
            return False
        keep(node, g, node.inputs[:4], node.outputs[0], node.attributes)
        return True
    product = keep(node, g, node.inputs[:4], g.new_name("product"), node.attributes)
    g.add("Add", [product, node.input(5)], node.outputs)
    return True


def keep(
    node: Node,
    g: GraphEditor,
    inputs: list[Any],
    output: str,
    attributes: Mapping[str, Any],
) -> str:
    """Add a MatMulNBits, of whose result ONNX's inference will know nothing."""
    names = ("K", "N", "bits", "block_size")
    g.add(
        OPERATOR, inputs, [output], domain=DOMAIN, **{name: attributes.get(name) for name in names}
    )
    g.nodes[-1].name = node.proto.name
    sizes = g.need_dimensions(node)
    g.declare(output, g.dtype(node), [*sizes[:-1], int(attributes["N"])])
    return output


def has_kernel(node: Node, g: GraphEditor) -> bool:
    weights, scales, zeros = (g.constant(node.input(i)) for i in (1, 2, 3))
    bits, block = node.attributes.get("bits", 4), node.attributes["block_size"]
    return (
        (weights is not None and scales is not None)
        and (node.input(3) is None or (zeros is not None and zeros.dtype == np.uint8))
        and node.input(4) is None
        and bits in BITS.values()
        and block * bits % WORD == 0
        and g.dtype(node) in (np.float32, np.float16)
    )


def matmul_of_floats(node: Node, g: GraphEditor) -> bool:
    """Multiply with what the weights stand for."""
    weights = weights_of(node, g)
    x, dtype = node.input(0), g.dtype(node)
    product = g.add("MatMul", [g.cast(x, np.float32), g.add_constant(weights, np.float32)])
    if node.input(5) is not None:
        product = g.add("Add", [product, g.cast(node.input(5), np.float32)])
    g.cast(product, dtype, node.outputs)
    return True


def weights_of(node: Node, g: GraphEditor) -> np.ndarray:
    """Return the matrix, of shape (K, N)."""
    depth, columns, block = (int(node.attributes[name]) for name in ("K", "N", "block_size"))
    bits = int(node.attributes.get("bits", 4))
    if bits not in BITS.values():
        raise node.refuse(f"its weights have {bits} bits, not 2, 4 or 8")
    packed = g.need_constant(node, 1, "weights")
    scales = g.need_constant(node, 2, "scales").astype(np.float32).reshape(columns, -1)
    zeros = np.full(scales.shape, 1 << (bits - 1), np.float32)
    if node.input(3) is not None:
        given = g.need_constant(node, 3, "zero points").reshape(columns, -1)
        given = unpacked(given, bits) if given.dtype == np.uint8 else given
        zeros = given[:, : scales.shape[1]].astype(np.float32)
        if node.input(4) is not None:
            reason = "ONNX Runtime passes over its zero points, since it has an order of groups"
            raise node.refuse(reason, "quantise it without the one or the other")
    values = unpacked(packed.reshape(columns, -1), bits)[:, :depth].astype(np.float32)
    blocks = np.arange(depth) // block
    if node.input(4) is not None:
        blocks = g.need_constant(node, 4, "order of groups")[:depth]
    return np.ascontiguousarray(((values - zeros[:, blocks]) * scales[:, blocks]).T)


def blocked_product(node: Node, g: GraphEditor) -> bool:
    """Say a product with weights that are dequantised by blocks as a MatMulNBits."""
    source, transposed = g.maker(node.input(1)), bool(node.attributes.get("transB", 0))
    if source is not None and source.op_type == "Transpose":
        source, transposed = g.maker(source.input[0]), not transposed
    if source is None or source.op_type != "DequantizeLinear" or source.domain:
        return False
    weights = Node(source, 0)
    found = quantised_by_blocks(weights, g, transposed)
    plain = all(node.attributes.get(name, usual) == usual for name, usual in USUAL.items())
    if found is None or not plain or g.dimensions(node.input(0)) is None:
        return False
    inputs, attributes = found
    if g.dtype(node) not in (np.float32, np.float16) or g.dtype(weights, 1) != g.dtype(node):
        return False
    names = [each if each is None else g.add_constant(each) for each in inputs]
    bias = node.input(2)
    output = node.outputs[0] if bias is None else g.new_name("product")
    keep(node, g, [node.input(0), *names], output, attributes)
    if bias is not None:
        g.add("Add", [output, bias], node.outputs)
    return True


USUAL = {"alpha": 1.0, "beta": 1.0, "transA": 0}


def quantised_by_blocks(
    node: Node, g: GraphEditor, transposed: bool
) -> tuple[list[Any], dict[str, int]] | None:
    """Return weights, scales and zero points as MatMulNBits has them, and its attributes."""
    values, scales, zeros = (g.constant(node.input(i)) for i in range(3))
    block, axis = node.attributes.get("block_size", 0), node.attributes.get("axis", 1)
    if values is None or scales is None or (node.input(2) is not None and zeros is None):
        return None
    bits = BITS.get(values.dtype, 0)
    power = block >= SMALLEST_BLOCK and block & (block - 1) == 0
    if not (bits and power) or values.ndim != 2 or axis % 2 != int(transposed):
        return None
    offset = 1 << (bits - 1) if values.dtype in SIGNED else 0
    if zeros is None:
        zeros = np.zeros(scales.shape, values.dtype)
    if not transposed:
        values, scales, zeros = values.T, scales.T, zeros.T
    columns, depth = values.shape
    blocks = -(-depth // block)
    filled = np.zeros((columns, blocks * block), np.uint8)
    filled[:, :depth] = values.astype(np.int16) + offset
    packed = pack(filled, bits).reshape(columns, blocks, -1)
    points = pack((zeros.astype(np.int16) + offset).astype(np.uint8), bits)
    attributes = {"K": depth, "N": columns, "bits": bits, "block_size": block}
    return [packed, np.ascontiguousarray(scales), points], attributes


NARROW: dict[str, Rewrite] = {OPERATOR: matmul_nbits}
BLOCKED: Mapping[str, Rewrite] = dict.fromkeys(("Gemm", "MatMul"), blocked_product)
