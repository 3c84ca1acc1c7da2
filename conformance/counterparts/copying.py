# SPDX-License-Identifier: Apache-2.0
"""``arr.copy``: copying into arrays."""

import array
import ctypes
import math

import numpy as np

import tvmgo
from conformance.catalogue import counterpart
from conformance.gofmt import go_value
from conformance.outcome import attempt


class MySlice(list):
    """``type mySlice []int32``"""


# The array's type, and what is copied into it.
SOURCES = {
    "exact": ("float32", lambda: np.array([1, 2, 3, 4], np.float32)),
    "short": ("float32", lambda: np.array([1, 2, 3], np.float32)),
    "long": ("float32", lambda: np.array([1, 2, 3, 4, 5], np.float32)),
    "empty_slice": ("float32", lambda: np.array([], np.float32)),
    "nil": ("float32", lambda: None),
    "same_size_other_type": ("float32", lambda: np.array([1, 1, -1, 0], np.int32)),
    "wider_type": ("float32", lambda: np.array([1, 2, 3, 4], np.float64)),
    "wider_type_half": ("float32", lambda: np.array([1, 2], np.float64)),
    "narrower_type_bytes16": ("float32", lambda: bytes(16)),
    "f32_into_f64": ("float64", lambda: np.array([1, 2, 3, 4], np.float32)),
    "int_slice": ("int64", lambda: [1, 2, 3, 4]),
    "uint_slice": ("uint64", lambda: (1, 2, 3, 4)),
    "bool_slice": ("uint8", lambda: np.array([True, False, True, False])),
    "string_slice": ("uint8", lambda: ["a"]),
    "array_src": ("float32", lambda: tvmgo.array([1, 2, 3, 4], "float32")),
    "array_ptr": ("float32", lambda: tvmgo.array([1, 2, 3, 4], "float32")),
    "named_elem": ("int32", lambda: MySlice([1, 2, 3, 4])),
    "nan_inf": ("float32", lambda: array.array("f", [math.nan, math.inf, -math.inf, -0.0])),
}


@counterpart(*[f"arr.copy.{case}" for case in SOURCES])
def copy_from(fact):
    dtype, make = SOURCES[fact.case.partition(".")[2]]
    source = make()
    target = tvmgo.array(np.zeros(4), dtype)
    observed = attempt(target.copy_from, source, about=source)
    assert observed.error is None or not target.as_slice().any(), "a refused copy changed something"
    if observed.error is None:
        observed.value = {"AsSlice": go_value(target.as_slice()), "slice_err": None}
    return observed


@counterpart("arr.copy.oob_read", alone=True)
def read_past_the_end():
    # The source is the start of a larger piece of memory, whose rest must not be taken.
    memory = (ctypes.c_int8 * (4096 * 8))(*[7] * (4096 * 8))
    source = np.frombuffer(memory, np.int8)[:4096]
    return attempt(tvmgo.array(np.zeros(4096), "float64").copy_from, source)
