# SPDX-License-Identifier: Apache-2.0
"""Products of matrices, attention, and recurrent networks."""

from __future__ import annotations

import math

import numpy as np

from tests.random_models.model import LARGEST, SIZES, RandomModel


def matmul(m: RandomModel) -> None:
    a = m.some(1)
    if a.array.ndim == 1:
        m.add("MatMul", a, m.other(a.array.dtype, (a.array.size, *m.shape(m.integer(0, 1)))))
        return
    *stack, _, inner = a.array.shape
    stack = [1 if m.chance(0.2) else size for size in stack] if m.chance(0.5) else []
    shape = (*stack, inner, *([int(m.pick(SIZES))] if stack or m.chance(0.9) else []))
    if math.prod(shape) <= LARGEST:
        m.add("MatMul", a, m.other(a.array.dtype, shape))


def fused_matmul(m: RandomModel) -> None:
    a = m.some(2)
    columns = int(m.pick(SIZES))
    rows, inner = a.array.shape[-2:]
    flipped = [m.integer(0, 1), m.integer(0, 1)]
    inner = rows if flipped[0] else inner
    b = m.other(a.array.dtype, (columns, inner) if flipped[1] else (inner, columns))
    m.add(
        "FusedMatMul",
        *(a, b),
        transA=flipped[0],
        transB=flipped[1],
        alpha=0.5,
        domain="com.microsoft",
    )


def gemm(m: RandomModel) -> None:
    dtype = m.pick(("float32", "float32", "float64", "float16"))
    a = m.array(dtype, m.shape(2))
    outer, inner = a.shape
    columns = int(m.pick(SIZES))
    flipped = [m.integer(0, 1), m.integer(0, 1)]
    first = m.given(a.T if flipped[0] else a)
    second = m.other(np.dtype(dtype), (columns, inner) if flipped[1] else (inner, columns))
    shape = m.pick(((columns,), (outer, 1), (), (1, columns), (outer, columns), None))
    bias = None if shape is None else m.weights(dtype, shape)
    m.add("Gemm", first, second, bias, transA=flipped[0], transB=flipped[1], alpha=0.5, beta=2.0)


def einsum(m: RandomModel) -> None:
    sizes = {letter: int(m.pick(SIZES[:12])) for letter in "bhijk"}
    left, right, result = m.pick(
        (
            *(
                ("ij", "jk", "ik"),
                ("bij", "bjk", "bik"),
                ("bhij", "bhkj", "bhik"),
                ("ij", "ij", "i"),
            ),
            *(
                ("bi", "bj", "bij"),
                ("bij", "jk", "bki"),
                ("ij", "kj", "ki"),
                ("bhij", "bhij", "bh"),
            ),
        )
    )
    operands = [
        m.other(np.dtype("float32"), tuple(sizes[x] for x in each)) for each in (left, right)
    ]
    m.add("Einsum", *operands, equation=f"{left},{right}->{result}")


def attention_pattern(m: RandomModel) -> None:
    """Scores, a scale, perhaps a mask, softmax, and values, as exporters write them."""
    batch, heads, length, past, size = (m.integer(1, n) for n in (2, 3, 19, 19, 20))
    query = m.new_input("float32", (batch, heads, length, size))
    keys, values = (m.new_input("float32", (batch, heads, past, size)) for _ in "kv")
    (flipped,) = m.add("Transpose", keys, perm=[0, 1, 3, 2])
    (scores,) = m.add("MatMul", query, flipped)
    (scaled,) = m.add("Mul", scores, m.constant(size**-0.5, "float32"))
    if m.chance(0.5):
        (scaled,) = m.add(
            "Add", scaled, m.new_input("float32", (batch, 1, m.pick((1, length)), past))
        )
    (weights,) = m.add("Softmax", scaled, axis=-1)
    (mixed,) = m.add("MatMul", weights, values)
    (back,) = m.add("Transpose", mixed, perm=[0, 2, 1, 3])
    m.add("Reshape", back, m.constant([batch, length, heads * size], "int64"))


def attention(m: RandomModel) -> None:
    batch, heads, length, past, size = (m.integer(1, n) for n in (2, 3, 9, 9, 12))
    query = m.new_input("float32", (batch, heads, length, size))
    keys, values = (m.new_input("float32", (batch, heads, past, size)) for _ in "kv")
    mask = m.new_input("float32", (length, past)) if m.chance(0.5) else None
    m.add("Attention", query, keys, values, mask, is_causal=m.integer(0, 1))


def recurrent(m: RandomModel) -> None:
    operator, gates = m.pick((("LSTM", 4), ("GRU", 3), ("RNN", 1)))
    steps, batch, width, hidden = (m.integer(1, n) for n in (7, 3, 20, 20))
    direction = m.pick(("forward", "reverse", "bidirectional"))
    ways = 2 if direction == "bidirectional" else 1
    x = m.new_input("float32", (steps, batch, width))
    tensors = [
        m.weights("float32", (ways, gates * hidden, width), 0.4),
        m.weights("float32", (ways, gates * hidden, hidden), 0.4),
        m.weights("float32", (ways, 2 * gates * hidden), 0.4) if m.chance(0.8) else None,
        None,
    ]
    if m.chance(0.5):
        states = 2 if operator == "LSTM" else 1
        tensors += [m.new_input("float32", (ways, batch, hidden)) for _ in range(states)]
    attributes = {"linear_before_reset": m.integer(0, 1)} if operator == "GRU" else {}
    m.add(
        *(operator, x, *tensors),
        hidden_size=hidden,
        direction=direction,
        outputs=3 if operator == "LSTM" else 2,
        **attributes,
    )


OPERATORS = (
    *(matmul, matmul, matmul, fused_matmul, gemm, gemm, einsum, attention_pattern, attention),
    *(recurrent, recurrent),
)
