# SPDX-License-Identifier: Apache-2.0
"""Integers for real numbers."""

from __future__ import annotations

import numpy as np

from tests.random_models.model import RandomModel, Value

BYTES = ("uint8", "int8")


def scale(m: RandomModel, size: tuple[int, ...] = ()) -> Value:
    return m.constant(m.rng.uniform(0.01, 0.1, size), "float32")


def bytes_(m: RandomModel, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    limits = np.iinfo(dtype)
    return m.rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def zero(m: RandomModel, dtype: str, size: tuple[int, ...] = ()) -> Value:
    return m.constant(m.rng.integers(*((-20, 20) if dtype == "int8" else (100, 150)), size), dtype)


def quantize(m: RandomModel) -> None:
    a = m.exact(1)
    dtype = m.pick((*BYTES, "int16", "uint16"))
    axis = m.integer(0, a.array.ndim - 1)
    size = a.array.shape[axis : axis + 1] if m.chance(0.4) else ()
    m.add("QuantizeLinear", a, scale(m, size), zero(m, dtype, size), axis=axis)


def dequantize(m: RandomModel) -> None:
    dtype = m.pick((*BYTES, "int32"))
    shape = m.shape(m.integer(1, 4))
    axis = m.integer(0, len(shape) - 1)
    size = shape[axis : axis + 1] if m.chance(0.4) else ()
    x = m.given(m.rng.integers(0, 127, shape).astype(dtype))
    m.add(
        "DequantizeLinear",
        x,
        scale(m, size),
        None if dtype == "int32" else zero(m, dtype, size),
        axis=axis,
    )


def dynamic(m: RandomModel) -> None:
    m.add("DynamicQuantizeLinear", m.new_input("float32", m.shape(m.integer(1, 4))), outputs=3)


def integer_matmul(m: RandomModel) -> None:
    rows, inner, columns = m.shape(3)
    left, right = m.pick(BYTES), m.pick(BYTES)
    a = m.given(bytes_(m, left, (rows, inner)))
    b = bytes_(m, right, (inner, columns))
    b = m.constant(b) if m.chance(0.7) else m.given(b)
    m.add("MatMulInteger", a, b, zero(m, left), zero(m, right))


def linear_matmul(m: RandomModel) -> None:
    rows, inner, columns = m.shape(3)
    left, right = m.pick((("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")))
    a, b = m.given(bytes_(m, left, (rows, inner))), m.constant(bytes_(m, right, (inner, columns)))
    m.add(
        "QLinearMatMul",
        *(a, scale(m), zero(m, left), b, scale(m), zero(m, right)),
        *(m.constant(1.0, "float32"), zero(m, left)),
    )


def windows(m: RandomModel, dtype: str) -> tuple[Value, tuple[int, ...], dict]:
    groups, each = m.pick(((1, 1), (1, 3), (1, 4), (1, 16), (2, 4), (6, 1), (16, 1)))
    kernel = [m.integer(1, 3), m.integer(1, 3)]
    x = m.given(bytes_(m, dtype, (1, groups * each, m.integer(4, 12), m.integer(4, 12))))
    attributes = {
        "group": groups,
        "strides": [m.integer(1, 2), m.integer(1, 2)],
        "pads": [m.integer(0, k // 2) for k in kernel * 2],
    }
    return x, (groups * m.integer(1, 5), each, *kernel), attributes


def integer_convolution(m: RandomModel) -> None:
    x, shape, attributes = windows(m, "uint8")
    w = m.constant(bytes_(m, m.pick(BYTES), shape))
    m.add("ConvInteger", x, w, zero(m, "uint8"), zero(m, w.array.dtype.name), **attributes)


def linear_convolution(m: RandomModel) -> None:
    left = m.pick(BYTES)
    x, shape, attributes = windows(m, left)
    per_channel = m.chance(0.5)
    w = m.constant(bytes_(m, "int8", shape))
    size = shape[:1] if per_channel else ()
    m.add(
        "QLinearConv",
        *(x, scale(m), zero(m, left), w, scale(m, size), m.constant(np.zeros(size), "int8")),
        *(m.constant(0.5, "float32"), zero(m, left)),
        m.constant(m.rng.integers(-500, 500, shape[:1]), "int32") if m.chance(0.7) else None,
        **attributes,
    )


def between(m: RandomModel) -> None:
    """A product between dequantised inputs and a quantised result, as quantisers write them."""
    dtype = m.pick(BYTES)
    if m.chance(0.5):
        x, shape, attributes = windows(m, dtype)
        operator = "Conv"
    else:
        rows, *shape = m.shape(3)
        x, operator, attributes = m.given(bytes_(m, dtype, (rows, shape[0]))), "MatMul", {}
    w = m.constant(bytes_(m, "int8", shape))
    made = [
        *m.add("DequantizeLinear", x, scale(m), zero(m, dtype)),
        *m.add("DequantizeLinear", w, scale(m), zero(m, "int8")),
    ]
    (y,) = m.add(operator, *made, **attributes) or [None]
    if y is not None and m.chance(0.5):
        (y,) = m.add("Relu", y)
    if y is not None:
        # A scale that no sum of products is half of: rounding decides nothing.
        m.add(
            "QuantizeLinear", y._replace(exact=True), m.constant(np.pi, "float32"), zero(m, dtype)
        )


OPERATORS = (
    *(quantize, dequantize, dynamic, integer_matmul, linear_matmul, integer_convolution),
    *(linear_convolution, between, between),
)
