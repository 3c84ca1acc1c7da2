# SPDX-License-Identifier: Apache-2.0
"""Attention, with the projections of its input, in floats or in bytes, or without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tvmgo.compiler.simplify.expansions.contrib.quantized import centred
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite

# What a compiler would have to know beside the plain form; none but their defaults are taken.
UNKNOWN = {"do_rotary": 0, "past_present_share_buffer": 0, "rotary_embedding_dim": 0}


def attention(node: Node, g: GraphEditor) -> bool:
    """Inputs are the data, weights, bias, mask, past, and what is added to the scores."""
    product = g.add("MatMul", [node.input(0), node.input(1)])
    attend_to_itself(node, g, product, node.input(2), mask=3, past=4, added=5)
    return True


def q_attention(node: Node, g: GraphEditor) -> bool:
    """Inputs are the data, weights, bias, their two scales, mask, two zero points and past."""
    product = g.add("MatMul", [centred(node, g, 0, 6), centred(node, g, 1, 7)])
    product = g.add("Mul", [product, g.add("Mul", [node.input(3), node.input(4)])])
    attend_to_itself(node, g, product, node.input(2), mask=5, past=8, added=None)
    return True


def multi_head_attention(node: Node, g: GraphEditor) -> bool:
    """Inputs are query, key, value, bias, mask, what is added to the scores, past keys and values.

    Keys and values may have been split into heads before.
    """
    if node.input(8) is not None or node.input(9) is not None or node.has_output(3):
        raise node.refuse("it is a step of a search, or gives its scores", "export it without")
    shapes = [g.need_shape(node, i) for i in range(3) if node.input(i) is not None]
    if len(shapes) < 3 or len(shapes[0]) != 3:
        raise node.refuse("its keys and values are packed", "pass query, key and value")
    heads = node.attributes["num_heads"]
    (batch, length, width), value = shapes[0], shapes[2]
    widths = [width, width, value[-1] * (heads if len(value) == 4 else 1)]
    parts = [str(node.input(i)) for i in range(3)]
    if node.input(3) is not None:
        biases = [g.new_name("bias") for _ in parts]
        g.add("Split", [node.input(3), g.integers(*widths)], biases, axis=0)
        parts = [
            g.add("Add", [part, bias]) if len(shape) == 3 else part
            for part, bias, shape in zip(parts, biases, shapes)
        ]
    q, k, v = (
        in_heads(g, part, batch, heads, width) if len(shape) == 3 else part
        for part, width, shape in zip(parts, widths, shapes)
    )
    past = 0 if node.input(6) is None else g.need_shape(node, 6)[2]
    if past:
        k, v = (g.add("Concat", [node.input(i), x], axis=2) for i, x in ((6, k), (7, v)))
    for index, x in ((1, k), (2, v)):
        if node.has_output(index):
            g.add("Identity", [x], node.outputs[index : index + 1])
    total = past + shapes[1][-2]
    attend(node, g, Heads(q, k, v, batch, length, past, total, heads, widths), 4, 5)
    return True


class Heads(NamedTuple):
    """Queries, keys and values by batch, head, place and number; and how many there are of each.

    There are `length` queries and `total` keys, `past` of which are from before the first query;
    `widths` are the numbers of a query, key and value in all heads.
    """

    q: str
    k: str
    v: str
    batch: int
    length: int
    past: int
    total: int
    heads: int
    widths: Sequence[int]


def attend_to_itself(
    node: Node,
    g: GraphEditor,
    product: str,
    bias: str | None,
    *,
    mask: int,
    past: int,
    added: int | None,
) -> None:
    """Split the product into queries, keys and values, behind those of the past."""
    batch, length, _ = g.need_shape(node)
    heads = node.attributes["num_heads"]
    width = g.need_shape(node, 1)[1]
    widths = list(node.attributes.get("qkv_hidden_sizes") or [width // 3] * 3)
    if bias is not None:
        product = g.add("Add", [product, bias])
    parts = [g.new_name("part") for _ in widths]
    g.add("Split", [product, g.integers(*widths)], parts, axis=2)
    q, k, v = (in_heads(g, part, batch, heads, size) for part, size in zip(parts, widths))
    before = 0
    if node.input(past) is not None:
        before = g.need_shape(node, past)[3]
        cached = (g.add("Gather", [node.input(past), g.add_constant(i)], axis=0) for i in (0, 1))
        k, v = (g.add("Concat", pair, axis=2) for pair in zip(cached, (k, v)))
    if node.has_output(1):
        both = [g.add("Unsqueeze", [x, g.integers(0)]) for x in (k, v)]
        g.add("Concat", both, node.outputs[1:2], axis=0)
    total = before + length
    attend(node, g, Heads(q, k, v, batch, length, before, total, heads, widths), mask, added)


def in_heads(g: GraphEditor, x: str, batch: int, heads: int, width: int) -> str:
    x = g.add("Reshape", [x, g.integers(batch, -1, heads, width // heads)])
    return g.add("Transpose", [x], perm=[0, 2, 1, 3])


def attend(node: Node, g: GraphEditor, x: Heads, mask: int, added: int | None) -> None:
    """Let the first output be what the queries take of the values.

    `mask` and `added` are places of inputs.
    """
    read = node.attributes.get
    for name, usual in UNKNOWN.items():
        if read(name, usual) != usual:
            raise node.refuse(f"it has {name}={read(name)}", "export it without")
    scale = read("scale", 0.0) or 1 / math.sqrt(x.widths[0] // x.heads)
    scores = g.add("MatMul", [x.q, g.add("Transpose", [x.k], perm=[0, 1, 3, 2])])
    dtype = np.dtype(np.float32) if g.dtype(node).kind in "iu" else g.dtype(node)
    scores = g.add("Mul", [scores, g.add_constant(scale, dtype)])
    if added is not None and node.input(added) is not None:
        scores = g.add("Add", [scores, node.input(added)])
    filtered = read("mask_filter_value", -10000.0)
    if node.input(mask) is not None:
        scores = g.add("Add", [scores, _mask(node, g, mask, x, filtered, dtype)])
    if read("unidirectional", 0):
        if x.total - x.past != x.length:
            raise node.refuse("which keys come after a query of another sequence is not defined")
        later = ~np.tri(x.length, x.total, x.past, dtype=bool)
        lowest = g.add_constant(np.where(later, np.finfo(dtype).min, 0), dtype)
        scores = g.add("Add", [scores, lowest])
    mixed = g.add("MatMul", [g.add("Softmax", [scores], axis=-1), x.v])
    mixed = g.add("Transpose", [mixed], perm=[0, 2, 1, 3])
    g.add("Reshape", [mixed, g.integers(x.batch, x.length, x.widths[2])], node.outputs[:1])


def _mask(node: Node, g: GraphEditor, index: int, x: Heads, filtered: float, dtype: Any) -> str:
    """Return what is added to the scores: nothing where the mask is 1, a low number where 0."""
    batch, length, total = x.batch, x.length, x.total
    shape = g.need_shape(node, index)
    name = g.cast(node.input(index), np.int64)
    if shape == [batch]:  # the number of places that count
        lengths = g.add("Reshape", [name, g.integers(batch, 1, 1, 1)])
        kept = g.add("Less", [g.add_constant(np.arange(total).reshape(1, 1, 1, -1)), lengths])
    elif shape in ([batch, total], [batch, length, total]):
        middle = [1, 1] if len(shape) == 2 else [1, length]
        kept = g.cast(g.add("Reshape", [name, g.integers(batch, *middle, total)]), bool)
    else:
        raise node.refuse(f"its mask has the shape {shape}")
    low, zero = (g.add_constant(value, dtype) for value in (filtered, 0))
    return g.add("Where", [kept, zero, low])


ATTENTION: dict[str, Rewrite] = {
    "Attention": attention,
    "MultiHeadAttention": multi_head_attention,
    "QAttention": q_attention,
}
