# SPDX-License-Identifier: Apache-2.0
"""Integers on their way to another integer type: NumPy would wrap them around in silence."""

from __future__ import annotations

from typing import Any

from tvmgo.exceptions import TVMOverflowError

__all__ = ["fit_integers"]


def fit_integers(data: Any, dtype: Any, what: str) -> Any:
    """Return `data` as an ndarray; of this NumPy type, if both are of integers and all fit.

    Otherwise an error says what does not fit; `what` is what it is about, such as an argument.
    """
    import numpy

    values = numpy.asarray(data)
    if dtype.kind not in "iu" or values.dtype == dtype:
        return values
    if values.dtype.kind == "f" and not hasattr(data, "dtype"):
        exact = numpy.asarray(data, object)  # NumPy takes 0 and 2**63 together for floats
        values = exact if _are_integers(exact) else values
    if not _are_integers(values):
        return values
    if values.size != 0 and not numpy.can_cast(values.dtype, dtype, "safe"):
        limits = numpy.iinfo(dtype)
        for value in (int(values.min()), int(values.max())):
            if not limits.min <= value <= limits.max:
                raise TVMOverflowError(
                    f"{what}: {dtype} goes from {limits.min} to {limits.max}, got {value}"
                )
    return values.astype(dtype)


def _are_integers(values: Any) -> bool:
    """Whether an ndarray holds integers; Python's own beyond 64 bits are objects to NumPy."""
    if values.dtype.kind == "O":
        return values.size != 0 and all(type(value) is int for value in values.flat)
    return values.dtype.kind in "iu"
