# SPDX-License-Identifier: Apache-2.0
"""Made-up inputs, for runs whose values do not matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMFileNotFoundError, TVMValueError
from tvmgo.model.errors import UnknownNameError
from tvmgo.model.model import Model
from tvmgo.model.tensor_info import TensorInfo

RANDOM = "random"


def complete(
    model: Model, given: Mapping[str, np.ndarray | None], seed: int = 0
) -> dict[str, np.ndarray]:
    """Return values of all inputs: those given, and random ones for the others and for None.

    Floats are normally distributed, integers 0 or 1, which every look-up allows that has two rows. An
    open dimension is as large as in what is given; else 1, or as few rows as the model takes.

    Raises
    ------
    KeyError
        If a name given is no input.
    ValueError
        If nothing tells shape and type of an input.
    """
    known = [info.name for info in model.inputs]
    for name in given:
        if name not in known:
            raise UnknownNameError("input", name, known)
    values = {name: value for name, value in given.items() if value is not None}
    sizes = {
        name: size
        for info in model.inputs
        if info.name in values
        for name, size in zip(info.shape or (), values[info.name].shape)
    }
    least = min(model.batch_sizes, default=1) if not model.rows_independent else 1
    random = np.random.default_rng(seed)
    return {
        info.name: values[info.name] if info.name in values else sample(info, sizes, least, random)
        for info in model.inputs
    }


def sample(
    info: TensorInfo, sizes: Mapping[Any, int], least: int, random: np.random.Generator
) -> np.ndarray:
    if info.shape is None or info.dtype is None:
        raise TVMValueError(
            f"input {info.name!r}: nothing tells its shape and type, so it cannot be made up; give it"
        )
    shape = [n if isinstance(n, int) else sizes.get(n, least) for n in info.shape]
    name = str(info.dtype)
    if name.startswith(("int", "uint", "bool")):
        kind = info.dtype.numpy
        return random.integers(0, 2, shape).astype(np.uint8 if kind is None else kind)
    if name.startswith("complex") or info.dtype.numpy is None:
        return random.standard_normal(shape, "float32")  # which the model converts
    return random.standard_normal(shape).astype(info.dtype.numpy)


def read_inputs(inputs: Mapping[str, str]) -> dict[str, np.ndarray | None]:
    """Return the arrays in ``.npy`` files, None for what is "random".

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is no ``.npy`` file.
    """
    return {
        name: None if file == RANDOM else load(f"input {name!r}", file)
        for name, file in inputs.items()
    }


def load(what: str, file: str) -> np.ndarray:
    """Return the array in a ``.npy`` file; `what` begins messages."""
    try:
        array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise TVMFileNotFoundError.for_argument(what, file) from None
    except (ValueError, EOFError) as error:
        raise TVMValueError(f"{what}: {file} is no .npy file: {error}") from None
    if not isinstance(array, np.ndarray):
        raise TVMValueError(f"{what}: expected a .npy file with one array, got {file}")
    return array
