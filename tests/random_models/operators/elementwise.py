# SPDX-License-Identifier: Apache-2.0
"""What computes each element by itself."""

from __future__ import annotations

import numpy as np
from onnx import helper

from tests.random_models.model import FLOATS, INTEGERS, RandomModel, Value

UNARY = (
    *("Abs", "Asinh", "Atan", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor"),
    *("HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Mish", "Neg", "Reciprocal", "Relu"),
    *("Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt"),
    *("Tan", "Tanh", "ThresholdedRelu"),
)
INTEGER_UNARY = ("Abs", "Neg", "Identity", "Sign", "Relu", "BitwiseNot")
# Those that have no value everywhere, with where they are drawn.
PARTIAL = {
    **dict.fromkeys(("Acos", "Asin", "Atanh"), (-0.9, 0.9)),
    **dict.fromkeys(("Acosh", "Log"), (1.1, 9)),
    "Sqrt": (0, 9),
}
BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min")
COMPARE = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")


def unary(m: RandomModel) -> None:
    m.add(m.pick(UNARY), m.some())


def integer_unary(m: RandomModel) -> None:
    m.add(m.pick(INTEGER_UNARY), m.some(kind="iu"))


def partial(m: RandomModel) -> None:
    operator, limits = m.pick(list(PARTIAL.items()))
    shape = m.shape(m.integer(0, 5))
    m.add(operator, m.given(np.asarray(m.rng.uniform(*limits, shape)).astype(m.pick(FLOATS))))


def gelu(m: RandomModel) -> None:
    m.add("Gelu", m.some(), approximate=m.pick(("none", "tanh")))


def chain(m: RandomModel) -> None:
    """Several steps one behind the other, the first value again at the end."""
    first = value = m.some()
    for _ in range(m.integer(2, 4)):
        made = m.add(m.pick(UNARY), value)
        value = made[0] if made else value
    m.add(m.pick(("Add", "Mul", "Sub")), first, value)


def partner(m: RandomModel, a: Value) -> Value:
    """Return something that broadcasts with a value."""
    shape = [1 if m.chance(0.3) else size for size in a.array.shape]
    shape = shape[m.integer(0, len(shape)) if m.chance(0.3) else 0 :]
    return m.other(a.array.dtype, a.array.shape if m.chance(0.3) else tuple(shape))


def pair(m: RandomModel, kind: str) -> list[Value]:
    a = m.some(kind=kind)
    both = [a, partner(m, a)]
    return both[::-1] if m.chance(0.5) else both


def binary(m: RandomModel) -> None:
    kind = m.pick(("f", "f", "iu"))
    m.add(m.pick(BINARY if kind == "f" else ("Add", "Sub", "Mul", "Max", "Min")), *pair(m, kind))


def variadic(m: RandomModel) -> None:
    a = m.some()
    m.add(
        m.pick(("Sum", "Mean", "Max", "Min")), a, *(partner(m, a) for _ in range(m.integer(0, 3)))
    )


def compare(m: RandomModel) -> None:
    m.add(m.pick(COMPARE), *pair(m, m.pick("fi")))


def logic(m: RandomModel) -> None:
    a = m.some(kind="b")
    if m.chance(0.3):
        m.add("Not", a)
    else:
        m.add(m.pick(("And", "Or", "Xor", "Equal")), a, partner(m, a))


def bits(m: RandomModel) -> None:
    if m.chance(0.5):
        m.add(m.pick(("BitwiseAnd", "BitwiseOr", "BitwiseXor")), *pair(m, "iu"))
        return
    a = m.some(kind="u")
    by = m.constant(m.rng.integers(0, 8, a.array.shape), a.array.dtype)
    m.add("BitShift", a, by, direction=m.pick(("LEFT", "RIGHT")))


def remainder(m: RandomModel) -> None:
    a = m.exact(kind=m.pick("fiu"))
    divisor = np.asarray(m.rng.integers(1, 9, a.array.shape)).astype(a.array.dtype)
    if a.array.dtype.kind != "u" and m.chance(0.5):
        divisor = -divisor
    if m.chance(0.7):
        fmod = int(a.array.dtype.kind == "f" or m.chance(0.3))
        m.add("Mod", a, m.constant(divisor), fmod=fmod)
    else:
        m.add("Div", a, m.constant(divisor))


def power(m: RandomModel) -> None:
    a = m.exact()
    if m.chance(0.5):
        a = m.given(np.abs(a.array) + np.asarray(0.1, a.array.dtype))
        m.add("Pow", a, partner(m, a))
    else:
        m.add("Pow", a, m.constant(m.pick((2.0, 3.0, 0.5, 1.7, -1.0)), a.array.dtype))


def clip(m: RandomModel) -> None:
    a = m.some(kind=m.pick("ffiu"))
    limits = {"f": (-0.5, 0.7), "i": (-3, 4), "u": (2, 5)}[a.array.dtype.kind]
    chosen = [m.constant(x, a.array.dtype) if m.chance(0.8) else None for x in limits]
    m.add("Clip", a, *chosen)


def where(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fib"))
    condition = m.other(np.dtype(bool), a.array.shape)
    m.add("Where", condition, a, partner(m, a))


def cast(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fiub"))
    to = np.dtype(m.pick(("float32", "float64", "float16", *INTEGERS, "bool")))
    if a.array.dtype.kind == "f" and to.kind != "f" and not a.exact:
        return
    if to.kind == "u" and a.array.dtype.kind in "fi" and (a.array < 0).any():
        return  # of negative numbers C says nothing
    m.add("Cast", a, to=helper.np_dtype_to_tensor_dtype(to))


def prelu(m: RandomModel) -> None:
    a = m.some()
    shape = [1 if m.chance(0.5) else size for size in a.array.shape]
    m.add("PRelu", a, m.weights(a.array.dtype, shape[m.integer(0, len(shape)) :]))


def kinds_of_numbers(m: RandomModel) -> None:
    a = m.exact()
    array = a.array.copy()
    if array.ndim:
        array.flat[:: m.integer(1, 5)] = m.pick((np.nan, np.inf, -np.inf))
    m.add(m.pick(("IsNaN", "IsInf")), m.constant(array) if m.chance(0.3) else m.given(array))


def microsoft(m: RandomModel) -> None:
    a = m.some(1)
    operator = m.pick(("Gelu", "QuickGelu", "BiasGelu", "FastGelu"))
    bias = (
        [m.weights(a.array.dtype, a.array.shape[-1:])]
        if operator in ("BiasGelu", "FastGelu")
        else []
    )
    m.add(operator, a, *bias, domain="com.microsoft")


OPERATORS = (
    *(unary, unary, unary, chain, chain, binary, binary, binary, variadic, compare, where),
    *(integer_unary, partial, gelu, logic, bits, remainder, power, clip, cast, cast, prelu),
    *(kinds_of_numbers, microsoft),
)
