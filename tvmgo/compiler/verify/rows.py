# SPDX-License-Identifier: Apache-2.0
"""Whether a row's results depend on how many rows there are, and on what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Tensors = Mapping[str, np.ndarray]
Program = Callable[[Tensors], Sequence[np.ndarray]]


def difference_of_rows(programs: Mapping[int, Program], inputs: Tensors) -> float | None:
    """Return the largest difference between results of a row, None if it is no number.

    Each size runs on the first rows of `inputs`, and again with other contents in all but one of
    them; all results are held beside those of the smallest size. 0 stands for the same bits.

    Parameters
    ----------
    programs : mapping of int to callable
        By the number of rows.
    inputs : mapping of str to ndarray
        As many rows as the largest size has.
    """
    smallest, *_ = sizes = sorted(programs)
    largest = 0.0
    for start in sorted({0, (sizes[-1] - smallest) // 2, sizes[-1] - smallest}):
        # The same rows stand first for each size, followed by the others.
        turned = {name: np.roll(value, -start, axis=0) for name, value in inputs.items()}
        truth = programs[smallest](first(turned, smallest))
        for size in sizes:
            values = first(turned, size)
            other = {name: changed(value, smallest) for name, value in values.items()}
            for given in (values, other) if size > smallest else (values,):
                for one, result in zip(truth, programs[size](given)):
                    found = distance(one, result[:smallest])
                    if found is None:
                        return None
                    largest = max(largest, found)
    return largest


def first(tensors: Tensors, rows: int) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(value[:rows]) for name, value in tensors.items()}


def changed(value: np.ndarray, kept: int) -> np.ndarray:
    """Return a copy with other contents after the rows that are kept."""
    other = value.copy()
    other[kept:] = other[kept:][::-1] * 3 if value.dtype.kind == "f" else 0
    return other


def distance(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return how far results differ, as a part of the largest number; None if that is unknown."""
    if one.tobytes() == np.ascontiguousarray(other).tobytes():
        return 0.0
    if one.dtype.kind != "f":
        return None
    error = np.abs(one.astype("float64") - other.astype("float64")).max()
    scale = np.abs(one.astype("float64")).max()
    return float(error / scale) if np.isfinite(error) and scale > 0 else None
