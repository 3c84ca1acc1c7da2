# SPDX-License-Identifier: Apache-2.0
"""Shapes that a user gives for inputs, beside those that the model declares."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from tvmgo.exceptions import TVMTypeError, TVMValueError

InputShapes = Mapping[str, Sequence[int]]


def check_sizes(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape given for input `name` as integers of Python."""
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        raise TVMTypeError(
            f"shapes[{name!r}]: expected a sequence of integers, got {shape!r}"
        ) from None
    if min(sizes, default=0) < 0:
        raise TVMValueError(f"shapes[{name!r}]: {sizes} has a negative size")
    return sizes


def match_dimensions(
    declared: Mapping[str, Sequence[Any] | None], shapes: InputShapes
) -> dict[Any, int]:
    """Compare shapes with declarations and return the size of every symbolic dimension.

    Parameters
    ----------
    declared : mapping of str to list or None
        By input: sizes (int), symbolic dimensions (anything hashable), None for what is not known.
    shapes : mapping of str to sequence of int

    Raises
    ------
    TVMValueError
        If a name is no input's, a rank or a size differs, or one dimension gets two sizes.
    """
    sizes: dict[Any, int] = {}
    for name, shape in shapes.items():
        if name not in declared:
            raise TVMValueError(
                f"shapes: the model has no input {name!r}; it has {sorted(declared)}"
            )
        dimensions = declared[name]
        if dimensions is None:
            continue
        if len(dimensions) != len(shape):
            raise TVMValueError(
                f"shapes[{name!r}]: expected {len(dimensions)} dimensions, got {len(shape)}"
            )
        for dim, size in zip(dimensions, shape):
            if dim is None:
                continue
            expected = dim if isinstance(dim, int) else sizes.setdefault(dim, size)
            if expected != size:
                raise TVMValueError(
                    f"shapes[{name!r}]: expected {expected} for dimension {dim}, got {size}"
                )
    return sizes
