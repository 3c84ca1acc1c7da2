# SPDX-License-Identifier: Apache-2.0
"""Elements and parts of arrays, found by index in NumPy's views of them."""

from __future__ import annotations

import numbers
from typing import Any

from tvmgo.exceptions import TVMIndexError, TVMTypeError

# Nothing else gives a view: lists, masks and arrays as indices make copies in NumPy.
_PARTS = (numbers.Integral, slice, type(...), type(None))


def python_values(view: Any) -> Any:
    """Return the elements of an ndarray as Python numbers in nested lists; of a 0-d one, the number."""
    if view.dtype.type.__module__ != "numpy":  # ml_dtypes' floats, all of which float32 can hold
        view = view.astype("float32")
    return view.tolist()


def find(view: Any, index: Any) -> Any:
    """Return the part of an ndarray at an index: a view, or a 0-d copy of a single element.

    Raises
    ------
    IndexError
        If there is no such element, or there are too many parts.
    TypeError
        If the index is none that gives a view.
    """
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, bool) or not isinstance(part, _PARTS):
            raise TVMTypeError(
                f"index: expected ints, slices, ... or None, got {type(part).__name__}; "
                f"numpy.asarray(x) takes every index"
            )
    try:
        return view[index]
    except IndexError as error:
        raise TVMIndexError(f"index: {error}") from None
