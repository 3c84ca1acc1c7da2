# SPDX-License-Identifier: Apache-2.0
"""Attention with the projections of its input, in floats or in bytes."""

from __future__ import annotations

import math

import numpy as np

from tvmgo.compiler.simplify.expansions.contrib.quantized import centred
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

# What a compiler would have to know beside the plain form; none but their defaults are taken.
UNKNOWN = {"do_rotary": 0, "past_present_share_buffer": 0, "rotary_embedding_dim": 0}


def attention(node: Node, g: GraphEditor) -> bool:
    """Inputs are the data, weights, bias, mask, past, and what is added to the scores."""
    product = g.add("MatMul", [node.input(0), node.input(1)])
    attend(node, g, product, node.input(2), mask=3, past=4, added=5)
    return True


def q_attention(node: Node, g: GraphEditor) -> bool:
    """Inputs are the data, weights, bias, their two scales, mask, two zero points and past."""
    product = g.add("MatMul", [centred(node, g, 0, 6), centred(node, g, 1, 7)])
    product = g.add("Mul", [product, g.add("Mul", [node.input(3), node.input(4)])])
    attend(node, g, product, node.input(2), mask=5, past=8, added=None)
    return True


def attend(
    node: Node,
    g: GraphEditor,
    product: str,
    bias: str | None,
    *,
    mask: int,
    past: int,
    added: int | None,
) -> None:
    read = node.attributes.get
    for name, usual in UNKNOWN.items():
        if read(name, usual) != usual:
            raise node.refuse(f"it has {name}={read(name)}", "export it without")
    if node.input(past) is not None or node.has_output(1):
        raise node.refuse("it keeps a cache of what is past", "export the model without its fusion")
    batch, length, _ = g.need_shape(node)
    heads = node.attributes["num_heads"]
    width = g.need_shape(node, 1)[1]
    sizes = list(read("qkv_hidden_sizes") or [width // 3] * 3)
    if bias is not None:
        product = g.add("Add", [product, bias])
    parts = [g.new_name("part") for _ in sizes]
    g.add("Split", [product, g.integers(*sizes)], parts, axis=2)
    q, k, v = (
        g.add("Reshape", [part, g.integers(batch, length, heads, size // heads)])
        for part, size in zip(parts, sizes)
    )
    q, v = (g.add("Transpose", [x], perm=[0, 2, 1, 3]) for x in (q, v))
    k = g.add("Transpose", [k], perm=[0, 2, 3, 1])
    scale = read("scale", 0.0) or 1 / math.sqrt(sizes[0] // heads)
    scores = g.add("MatMul", [q, k])
    dtype = np.dtype(np.float32) if g.dtype(node).kind in "iu" else g.dtype(node)
    scores = g.add("Mul", [scores, g.add_constant(scale, dtype)])
    if added is not None and node.input(added) is not None:
        scores = g.add("Add", [scores, node.input(added)])
    filtered = read("mask_filter_value", -10000.0)
    if node.input(mask) is not None:
        scores = g.add("Add", [scores, _mask(node, g, mask, filtered, dtype)])
    if read("unidirectional", 0):
        later = ~np.tri(length, dtype=bool)
        lowest = g.add_constant(np.where(later, np.finfo(dtype).min, 0), dtype)
        scores = g.add("Add", [scores, lowest])
    mixed = g.add("MatMul", [g.add("Softmax", [scores], axis=-1), v])
    mixed = g.add("Transpose", [mixed], perm=[0, 2, 1, 3])
    g.add("Reshape", [mixed, g.integers(batch, length, sizes[2])], node.outputs[:1])


def _mask(node: Node, g: GraphEditor, index: int, filtered: float, dtype: np.dtype) -> str:
    """Return what is added to the scores: nothing where the mask is 1, a low number where 0."""
    batch, length, _ = g.need_shape(node)
    shape = g.need_shape(node, index)
    name = g.cast(node.input(index), np.int64)
    if shape == [batch]:  # the number of places that count
        lengths = g.add("Reshape", [name, g.integers(batch, 1, 1, 1)])
        kept = g.add("Less", [g.add_constant(np.arange(length).reshape(1, 1, 1, -1)), lengths])
    elif shape in ([batch, length], [batch, length, length]):
        middle = [1, 1] if len(shape) == 2 else [1, length]
        kept = g.cast(g.add("Reshape", [name, g.integers(batch, *middle, length)]), bool)
    else:
        raise node.refuse(f"its mask has the shape {shape}")
    low, zero = (g.add_constant(value, dtype) for value in (filtered, 0))
    return g.add("Where", [kept, zero, low])


ATTENTION: dict[str, Rewrite] = {"Attention": attention, "QAttention": q_attention}
