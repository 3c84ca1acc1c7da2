# SPDX-License-Identifier: Apache-2.0
"""Two results of one model beside each other: equal, equal but for rounding, or different.

No two programs round alike, so floats may differ by a tolerance, which is a part of the number and
a smaller part of the largest number of the output. A model can make more of rounding than that:
what is sorted, compared with a limit or quantised may come out either way. So what is beyond the
tolerance is held beside runs of the original that were changed by as much as rounding changes
values (`simplify.truth.changes`): it may lie as far from the truth as these do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# By element type: part of the number, part of the largest number.
TOLERANCES = {
    "float64": (1e-7, 1e-8),
    "float32": (1e-4, 1e-5),
    "float16": (1e-2, 2e-3),
    "bfloat16": (5e-2, 1e-2),
}
# Two and three digits of a mantissa: one step.
SHORT_FLOATS = (0.3, 0.1)
# What ONNX Runtime's own Sigmoid and Tanh are off by, which work in float32.
FLOOR = 2.0**-22

# How much farther than changed runs a right result may lie, of whose kind it is one more.
MARGIN = 2.0
# How many more numbers than in any changed run may lie farther than the same number in all others,
# though not farther than any number: it is not always the same two that nearly tie.
MORE_OUTLIERS = 3


class Difference(NamedTuple):
    """The worst number of an output."""

    place: tuple[int, ...]
    got: Any
    expected: Any
    error: float  # in tolerances
    wrong: int
    total: int

    def __str__(self) -> str:
        return (
            f"it is {self.got} instead of {self.expected}, {self.error:.3g} times the tolerance; "
            f"{self.wrong} of {self.total} numbers differ"
        )


def compare(
    got: np.ndarray,
    expected: np.ndarray,
    spreads: Sequence[np.ndarray] = (),
    *,
    quantised: bool = False,
) -> tuple[float, Difference | None]:
    """Return the largest error, in tolerances, and what is wrong, None if nothing is.

    Parameters
    ----------
    got, expected : numpy.ndarray
        Of the same shape and element type.
    spreads : sequence of numpy.ndarray
        How far changed runs lay from the original one, as `distances` says.
    quantised : bool
        Whether integers come from rounding, which takes either neighbour of what lies between: then
        they may differ by 1.
    """
    allowed = tolerance(expected, quantised)
    distance = distances(got, expected)
    spread = widest(spreads, expected.shape)
    limit = allowed + MARGIN * spread
    wrong = distance > limit
    farther_than_all = distance > allowed + MARGIN * spread.max(initial=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.where((distance == 0) | np.isinf(limit), 0.0, distance / limit)
    count = int(np.count_nonzero(wrong))
    if count <= MORE_OUTLIERS * outliers(spreads, allowed) and not farther_than_all.any():
        return float(errors[~wrong].max(initial=0.0)), None
    place = tuple(map(int, np.unravel_index(int(np.argmax(errors)), errors.shape)))
    worst = float(errors[place])
    return worst, Difference(place, got[place], expected[place], worst, count, wrong.size)


def tolerance(expected: np.ndarray, quantised: bool) -> np.ndarray:
    """Return by how much each number may differ."""
    if expected.dtype.kind in "biu":
        small = expected.dtype.kind != "b" and expected.dtype.itemsize <= 2
        return np.full(expected.shape, float(quantised and small))
    if expected.dtype.kind == "c":
        name = f"float{expected.dtype.itemsize * 4}"
    else:
        name = "float32" if was_float32(expected) else expected.dtype.name
    of_number, of_largest = TOLERANCES.get(name, SHORT_FLOATS)
    sizes = np.abs(widened(expected))
    sizes = np.where(np.isfinite(sizes), sizes, 0.0)
    floor = 0.0 if name == "float64" else FLOOR
    return of_number * sizes + max(of_largest * float(sizes.max(initial=0.0)), floor)


def was_float32(values: np.ndarray) -> bool:
    """Whether numbers of float64 have no more digits than float32: that is what computed them.

    Some have a fraction: whole numbers are short, whatever they were computed in.
    """
    if values.dtype != np.float64:
        return False
    with np.errstate(over="ignore"):
        short = values.astype(np.float32)
    finite = np.isfinite(values)
    return bool((short == values)[finite].all() and (np.rint(short) != short)[finite].any())


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how far numbers lie apart, in the shape of `other`.

    That is 0 for two NaN, and infinity where one alone is not finite, or where another shape says
    that the size of the output is itself a matter of rounding.
    """
    if one.shape != other.shape:
        return np.full(other.shape, np.inf)
    a, b = widened(one), widened(other)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a - b)
    apart = np.where(np.isnan(apart), np.inf, apart)
    return np.where((one == other) | (np.isnan(a) & np.isnan(b)), 0.0, apart)


def widened(values: np.ndarray) -> np.ndarray:
    """Return numbers in a type in which their difference can be computed.

    Integers beyond 2**53 lose digits; equal ones are equal before they are widened.
    """
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def widest(spreads: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.max([np.zeros(shape), *spreads], axis=0)


def outliers(spreads: Sequence[np.ndarray], allowed: np.ndarray) -> int:
    """Return how many numbers of a changed run lie farther out than the others allow, at most."""
    counts = [0]
    for index, spread in enumerate(spreads):
        others = [each for number, each in enumerate(spreads) if number != index]
        if others:
            limit = allowed + MARGIN * widest(others, allowed.shape)
            counts.append(int(np.count_nonzero(spread > limit)))
    return max(counts)
