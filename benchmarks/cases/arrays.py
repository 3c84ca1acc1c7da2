# SPDX-License-Identifier: Apache-2.0
"""Arrays: making them, sharing them with NumPy."""

from __future__ import annotations

import array
from functools import partial

import numpy as np
import tvm_ffi

import tvmgo
from benchmarks.bindings import Binding, both, floats
from benchmarks.case import Case, Group, Timed, at_most

LOOP = 100  # of what takes a loop of its own: its function's cost shall not be seen
EMPTY = Group(
    "Making an array",
    "What does an array of four floats cost, from its making to its end?",
    "`np.empty`, and its result handed to tvm_ffi, whose users make tensors so: the runtime's "
    "allocator takes longer, for the shape object it wants.",
)
SHARE = Group(
    "Sharing an array",
    "What does it cost to see an array as NumPy's, and NumPy's as an array, without a copy?",
    "The same through tvm_ffi, whose tensors NumPy sees by DLPack only; the standard library's "
    "`array.array`, which shows what NumPy itself takes to look at a buffer.",
)


def is_four_floats(answer) -> bool:
    return tuple(answer.shape) == (4,) and str(answer.dtype) == "float32"


def make_tvmgo(_shared) -> Timed:
    return Timed(partial(tvmgo.empty, [4]), is_four_floats)


def make_tvm_ffi(_shared) -> Timed:
    empty, from_dlpack = np.empty, tvm_ffi.from_dlpack

    def make():
        for _ in range(LOOP):
            tensor = from_dlpack(empty([4], "float32"))
        return tensor

    return Timed(make, is_four_floats, LOOP)


def make_numpy(_shared) -> Timed:
    return Timed(partial(np.empty, [4], "float32"), is_four_floats)


def source() -> np.ndarray:
    result = floats(0)
    result[:] = [1, 2, 3, 4]
    return result


def seen(view, exporter, expected: np.ndarray) -> Timed:
    return Timed(partial(view, exporter), lambda answer: (np.asarray(answer) == expected).all())


def tvmgo_seen(source: np.ndarray) -> Timed:
    return seen(np.asarray, tvmgo.array(source), source)


def tvm_ffi_seen(source: np.ndarray) -> Timed:
    return seen(np.from_dlpack, tvm_ffi.from_dlpack(tvmgo.array(source)), source)


def standard_seen(source: np.ndarray) -> Timed:
    return seen(np.asarray, array.array("f", source), source)


def numpy_seen(binding: Binding, source: np.ndarray) -> Timed:
    return Timed(
        partial(binding.array, source), lambda answer: (np.from_dlpack(answer) == source).all()
    )


CASES = (
    Case(
        EMPTY,
        "float32, shape [4]",
        lambda: None,
        {"tvmgo": make_tvmgo, "tvm_ffi": make_tvm_ffi, "NumPy": make_numpy},
        (at_most(1.0, over="NumPy"),),
    ),
    Case(
        SHARE,
        "array seen by NumPy",
        source,
        {"tvmgo": tvmgo_seen, "tvm_ffi": tvm_ffi_seen, "array.array": standard_seen},
        (at_most(0.7, floor="array.array"),),
    ),
    Case(SHARE, "NumPy's array as array", source, both(numpy_seen), (at_most(0.7),)),
)
