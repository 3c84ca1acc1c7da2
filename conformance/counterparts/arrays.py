# SPDX-License-Identifier: Apache-2.0
"""``arr``: making arrays, and what they tell of themselves."""

import copy
import ctypes
import operator
import re

import numpy as np

import tvmgo
from conformance import library, memory
from conformance.catalogue import counterpart
from conformance.gofmt import go_type, go_value
from conformance.outcome import attempt, error_of


def about(array):
    """Return what the recording program asked each new array."""
    return {"dtype": str(array.dtype), "ndim": array.ndim, "shape": array.shape}


def device_of(array):
    """Return a device as the two numbers of Go's struct."""
    return [array.device.device_type, array.device.device_id]


# ---------------------------------------------------------------- element types


@counterpart("arr.dtype.*")
def round_trip(fact):
    dtype = fact.case.partition(".")[2]
    array = tvmgo.empty([2, 3], dtype)
    values = np.array(fact.outcome["value"]["values_text"].strip("[]").split(), dtype)
    copy_err = error_of(array.copy_from, values)
    back = array.as_slice()
    return {
        **about(array),
        "device": device_of(array),
        "copy_err": copy_err,
        "slice_err": None,
        "slice_type": f"[]{back.dtype}",
        "equal": bool((back == values).all()),
        "values_text": go_value(back),
    }


@counterpart("arr.dtype_bad.*")
def odd_dtype(fact):
    name = fact.case.partition(".")[2]
    observed = attempt(tvmgo.empty, [4], name, about=name)
    if observed.error is None:
        observed.value = about(observed.value)
    return observed


# ---------------------------------------------------------------- shapes


def shape_in(call):
    """Return the shape written in a recorded call."""
    if "100 dims" in call:
        return [1] * 100
    return [int(number) for number in re.search(r"Empty\(\[(.*?)\]\)", call)[1].split()]


@counterpart("arr.shape.*")
def shape(fact):
    array = tvmgo.empty(shape_in(fact.call))
    return f"len {len(array.as_slice())}" if "AsSlice" in fact.call else about(array)


# ---------------------------------------------------------------- type and device


@counterpart("arr.opt.*")
def options(fact):
    case = fact.case.partition(".")[2]
    cpu = tvmgo.cpu
    named = {
        "none": {},
        "dtype_device": {"dtype": "int8", "device": cpu(0)},
        "device_dtype": {"device": cpu(0), "dtype": "int8"},
        "device_only": {"device": cpu(0)},
        "int": {"dtype": 5},
        "nil": {"dtype": None},
        "bool": {"dtype": True},
        "bytes": {"dtype": b"int8"},
        "device_ptr": {"device": ctypes.pointer(ctypes.c_int(1))},
        "cpu_index_2": {"device": cpu(2)},
        "cpu_index_neg": {"device": cpu(-1)},
        "device_type_5": {"device": tvmgo.Device(5, 0)},
        "device_type_neg": {"device": tvmgo.Device(-1, 0)},
        "device_type_rpc": {"device": tvmgo.Device(129, 0)},
    }
    if case in ("cuda", "cuda_host", "opencl", "vpi", "rocm", "vulkan", "opengl"):
        return missing_device(getattr(tvmgo, case)(0))
    chosen = named[case]
    observed = attempt(lambda: tvmgo.empty([4], **chosen), about=next(iter(chosen.values()), None))
    if observed.error is None:
        observed.value = {**about(observed.value), "device": device_of(observed.value)}
    return observed


def missing_device(device):
    """Ask for memory on a device that this machine should not have."""
    if device.exists:  # the fact is about a machine without; there it is the last of its kind
        device = tvmgo.Device(device.device_type, 2**31 - 1)
    return attempt(lambda: tvmgo.empty([4], device=device))


@counterpart("arr.opt.two_dtypes", "arr.opt.two_devices", "arr.opt.bad_then_good")
def repeated_options(fact):
    args = {
        "two_dtypes": ("int8", "int64"),
        "two_devices": (tvmgo.cpu(0), tvmgo.cpu(2)),
        "bad_then_good": (5, "int8"),
    }[fact.case.partition(".")[2]]
    return attempt(lambda: tvmgo.empty([4], *args), about=args[0])


# ---------------------------------------------------------------- what an array gives away


@counterpart("arr.slice_is_copy")
def slice_is_copy():
    array = tvmgo.array([1, 2], "float32")
    array.as_slice()[0] = 99
    return array.as_slice()


@counterpart("arr.shape_is_copy")
def shape_is_copy():
    array = tvmgo.empty([2, 3])
    assert error_of(operator.setitem, array.shape, 0, 99)  # nor can the tuple be changed
    return array.shape


@counterpart("arr.by_value")
def by_value():
    return copy.copy(tvmgo.empty([2])).shape


@counterpart("arr.zero")
def zero_array():
    return tvmgo.Array().shape


@counterpart("arr.tensor_info")
def tensor_info():
    return library.kernel("tensor_info").invoke(tvmgo.empty([2, 3, 4], "int16")).as_int64()


@counterpart("arr.print")
def type_name():
    return go_type(tvmgo.empty([4]))


@counterpart("arr.collected_many", compare=memory.compare_growth, alone=True)
def collected_many():
    return memory.growth_of(lambda: tvmgo.empty([1024]), 10000)
