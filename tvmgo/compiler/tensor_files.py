# SPDX-License-Identifier: Apache-2.0
"""Named tensors in a file, which is how processes of an export hand them to each other.

It is NumPy's ``.npz``, which cannot say element types that NumPy lacks (bfloat16, float8): those are
written as integers of their size, and all names beside them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

NAMES = "names"


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Any]) -> None:
    """Write arrays under any names; their order is kept."""
    arrays: dict[str, Any] = {}
    names = []
    for name, value in tensors.items():
        array = np.asarray(value)
        names.append((name, array.dtype.name))
        # Positions, because not every name can be one of a file in an archive.
        arrays[str(len(arrays))] = array if is_known(array.dtype) else array.view(bits_of(array))
    with open(path, "wb") as file:  # given a path, NumPy would add an ending
        np.savez(file, **{NAMES: json.dumps(names), **arrays})


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return what `write_tensors` has written.

    Raises ModuleNotFoundError if it holds an element type that is ml_dtypes', which is missing.
    """
    with np.load(path, allow_pickle=False) as archive:
        found = {}
        for index, (name, dtype) in enumerate(json.loads(str(archive[NAMES]))):
            array = archive[str(index)]
            found[name] = array if array.dtype.name == dtype else array.view(small_float(dtype))
    return found


def is_known(dtype: np.dtype[Any]) -> bool:
    return dtype.type.__module__ == "numpy"


def bits_of(array: np.ndarray) -> np.dtype[Any]:
    return np.dtype(f"u{array.dtype.itemsize}")


def small_float(name: str) -> np.dtype[Any]:
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name))
