# SPDX-License-Identifier: Apache-2.0
"""Values that several read, and what comes together again."""

from __future__ import annotations

from tests.random_models.model import RandomModel
from tests.random_models.operators.elementwise import UNARY


def diamond(m: RandomModel) -> None:
    """Two ways from one value, that meet."""
    a = m.some()
    ways = [m.add(m.pick(UNARY), a) for _ in range(2)]
    if all(ways):
        m.add(m.pick(("Add", "Mul", "Sub", "Max", "Min")), ways[0][0], ways[1][0])


def residual(m: RandomModel) -> None:
    a = m.some(2)
    if a.array.shape[-1] <= 64:
        size = a.array.shape[-1]
        made = m.add("MatMul", a, m.weights(a.array.dtype, (size, size), 0.2))
        if made:
            made = m.add("Add", made[0], m.weights(a.array.dtype, (size,)))
            made = made and m.add(m.pick(("Relu", "Tanh", "Sigmoid")), made[0])
            if made:
                m.add("Add", made[0], a)


def shared_sum(m: RandomModel) -> None:
    """A reduction whose input is read besides, as in normalisations."""
    a = m.some(1)
    made = m.add(m.pick(("ReduceMean", "ReduceMax")), a, m.constant([-1], "int64"))
    if made:
        m.add(m.pick(("Sub", "Mul", "Add")), a, made[0])


OPERATORS = (diamond, diamond, residual, residual, shared_sum)
