# SPDX-License-Identifier: Apache-2.0
"""The algebra of Winograd's convolutions: m outputs of 3 weights by m + 2 products.

In each direction, `y = At @ ((G @ w) * (Bt @ x))`. The rows of the matrices belong to points at which
polynomials are evaluated (Toom and Cook), the last to infinity. With the usual points 0, 1, -1, 2 and
-2 the numbers differ much in size, and so many digits cancel; points whose squares are 1/2 and 2 lose
a quarter as many, so that four outputs are nearly as exact as a plain sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tvmgo.compiler.relax.templates.kernels.packing import BLOCK

WINDOW = 3

# Points besides 0 and infinity, by the number of outputs; each stands for itself and its negative.
POINTS = {2: (1.0,), 4: (0.5**0.5, 2**0.5)}


@dataclass(frozen=True)
class Numbers:
    """The matrices for `outputs` outputs. Rows 1 and 2, 3 and 4, ... belong to a point and its negative."""

    outputs: int
    at: np.ndarray
    g: np.ndarray
    bt: np.ndarray

    @property
    def size(self) -> int:
        return self.outputs + WINDOW - 1


def numbers_for(outputs: int) -> Numbers:
    # As float32 has them, so that all three matrices are of the same points.
    pairs = [float(np.float32(point)) for point in POINTS[outputs]]
    points = np.array([0.0, *(sign * point for point in pairs for sign in (1, -1))])
    size = outputs + WINDOW - 1
    at, g, bt = np.zeros((outputs, size)), np.zeros((size, WINDOW)), np.zeros((size, size))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        at[:, i] = point ** np.arange(outputs)
        g[i] = point ** np.arange(WINDOW) / np.prod(point - others)
        bt[i, : size - 1] = np.poly(others)[::-1]
    at[-1, -1] = g[-1, -1] = 1
    bt[-1] = np.poly(points)[::-1]
    bt[abs(bt) < 1e-9] = 0  # what cancels, but for rounding
    return Numbers(outputs, at, g, bt)


def pack_winograd(weights: np.ndarray, outputs: int) -> np.ndarray:
    """Transform and pack weights of shape (output channels, input channels, 3, 3).

    Returns
    -------
    numpy.ndarray
        Of shape (products, blocks, input channels, channels of a block); computed in float64.
    """
    g = numbers_for(outputs).g
    count, inputs = weights.shape[:2]
    result = np.empty((g.shape[0] ** 2, -(-count // BLOCK), inputs, BLOCK), weights.dtype)
    taps = np.kron(g, g)
    for block in range(result.shape[1]):
        part = weights[block * BLOCK : (block + 1) * BLOCK].astype("float64")
        transformed = (part.reshape(-1, WINDOW**2) @ taps.T).reshape(*part.shape[:2], -1)
        result[:, block, :, : part.shape[0]] = transformed.transpose(2, 1, 0)
        result[:, block, :, part.shape[0] :] = 0
    return result


def combine(coefficients: Sequence[float], values: Sequence[Any], number: Any) -> Any:
    """Return the sum of values, each times its coefficient; `number` makes one that they can take."""
    terms = [(c, value) for c, value in zip(coefficients, values) if c != 0]
    terms.sort(key=lambda term: term[0] != 1)  # a plain one to begin with, if there is any
    total: Any = None
    for coefficient, value in terms:
        if total is None:
            total = value if coefficient == 1 else value * number(coefficient)
        elif abs(coefficient) == 1:
            total = total + value if coefficient > 0 else total - value
        else:
            total = total + value * number(coefficient)
    return total


def transform_input(numbers: Numbers, values: Sequence[Any], number: Any, bind: Any) -> list[Any]:
    """Return `Bt @ values`."""
    bt = numbers.bt

    def row(coefficients: Any) -> Any:
        return bind(combine(coefficients, values, number))

    results = [row(bt[0])]
    for i in range(1, numbers.size - 1, 2):
        even, odd = row((bt[i] + bt[i + 1]) / 2), row((bt[i] - bt[i + 1]) / 2)
        results += [bind(even + odd), bind(even - odd)]
    return [*results, row(bt[-1])]


def transform_output(numbers: Numbers, values: Sequence[Any], number: Any, bind: Any) -> list[Any]:
    """Return `At @ values`."""
    at = numbers.at.copy()
    values = list(values)
    for i in range(1, numbers.size - 1, 2):
        one, other = values[i : i + 2]
        values[i : i + 2] = bind(one + other), bind(one - other)
        one, other = numbers.at[:, i], numbers.at[:, i + 1]
        at[:, i], at[:, i + 1] = (one + other) / 2, (one - other) / 2
    return [bind(combine(row, values, number)) for row in at]
