# SPDX-License-Identifier: Apache-2.0
"""``arr``: making arrays, and what they tell of themselves."""

import copy
import ctypes
import operator
import re

import numpy as np

import tvmgo
from conformance import memory
from conformance.catalogue import Gives, Raises, executes, improved, python
from conformance.gofmt import go_type, go_value
from conformance.outcome import attempt, error_of


def about(array):
    """Return what the recording program asked each new array."""
    return {"dtype": str(array.dtype), "ndim": array.ndim, "shape": array.shape}


def device_of(array):
    """Return a device as the two numbers of Go's struct."""
    return [array.device.device_type, array.device.device_id]


# ---------------------------------------------------------------- element types


@executes("arr.dtype.*")
def round_trip(world, fact):
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


@executes("arr.dtype_bad.*")
def odd_dtype(world, fact):
    name = fact.case.partition(".")[2]
    observed = attempt(tvmgo.empty, [4], name, about=name)
    if observed.error is None:
        observed.value = about(observed.value)
    return observed


# Each is what the name means to the runtime.
CARRIED = {
    "float16": "float16",
    "bfloat16": "bfloat16",
    "int4": "int4",
    "int": "int32",
    "float32x4": "float32x4",
    "handle": "handle",
    "complex64": "complex64",
    "float128": "float128",
}
for name, dtype in CARRIED.items():
    improved(
        f"arr.dtype_bad.{name}",
        Gives({"dtype": dtype, "ndim": 1, "shape": [4]}),
        "gotvm knew ten names. The runtime's tensors hold every type it has a name for.",
    )


# ---------------------------------------------------------------- shapes


def shape_in(call):
    """Return the shape written in a recorded call."""
    if "100 dims" in call:
        return [1] * 100
    return [int(number) for number in re.search(r"Empty\(\[(.*?)\]\)", call)[1].split()]


@executes("arr.shape.*")
def shape(world, fact):
    array = tvmgo.empty(shape_in(fact.call))
    return f"len {len(array.as_slice())}" if "AsSlice" in fact.call else about(array)


ZERO_DIMENSIONS = (
    "gotvm could not make an array without dimensions. NumPy's and the runtime's hold one element."
)
improved("arr.shape.empty", Gives({"dtype": "float32", "ndim": 0, "shape": []}), ZERO_DIMENSIONS)
improved("arr.shape.nil", Gives({"dtype": "float32", "ndim": 0, "shape": []}), ZERO_DIMENSIONS)
improved("arr.shape.nil.AsSlice", Gives("len 1"), ZERO_DIMENSIONS)
improved("arr.shape.zero.AsSlice", Gives("len 0"))
improved(
    "arr.shape.negative*", lambda fact: Raises(ValueError, "shape", str(shape_in(fact.call)[0]))
)
improved(
    "arr.shape.overflow*", lambda fact: Raises(ValueError, "shape", *map(str, shape_in(fact.call)))
)


# ---------------------------------------------------------------- type and device


@executes("arr.opt.*")
def options(world, fact):
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


improved("arr.opt.device_type_neg", Raises(tvmgo.TVMError, "-1"))


@executes("arr.opt.two_dtypes", "arr.opt.two_devices", "arr.opt.bad_then_good")
def repeated_options(world, fact):
    args = {
        "two_dtypes": ("int8", "int64"),
        "two_devices": (tvmgo.cpu(0), tvmgo.cpu(2)),
        "bad_then_good": (5, "int8"),
    }[fact.case.partition(".")[2]]
    return attempt(lambda: tvmgo.empty([4], *args), about=args[0])


ONE_ARGUMENT_EACH = "A Python signature has one place for each argument."
python("arr.opt.two_dtypes", Raises(ValueError, "device", "int64"), ONE_ARGUMENT_EACH)
python("arr.opt.two_devices", Raises(TypeError, "dtype", "cpu:0"), ONE_ARGUMENT_EACH)


# ---------------------------------------------------------------- what an array gives away


@executes("arr.slice_is_copy")
def slice_is_copy(world, fact):
    array = tvmgo.array([1, 2], "float32")
    array.as_slice()[0] = 99
    return array.as_slice()


@executes("arr.shape_is_copy")
def shape_is_copy(world, fact):
    array = tvmgo.empty([2, 3])
    assert error_of(operator.setitem, array.shape, 0, 99)  # nor can the tuple be changed
    return array.shape


@executes("arr.by_value")
def by_value(world, fact):
    return copy.copy(tvmgo.empty([2])).shape


@executes("arr.zero")
def zero_array(world, fact):
    return tvmgo.Array().shape


improved("arr.zero", Raises(TypeError, "Array"), "There are no arrays without a tensor.")


@executes("arr.tensor_info")
def tensor_info(world, fact):
    return world.kernel("tensor_info").invoke(tvmgo.empty([2, 3, 4], "int16")).as_int64()


@executes("arr.print")
def type_name(world, fact):
    return go_type(tvmgo.empty([4]))


def grows_no_more(fact, observed):
    """Ten thousand dropped arrays leave no more behind than in gotvm."""
    if observed.error is not None:
        return [repr(observed.error)]
    recorded, seen = fact.outcome["value"]["rss_growth_kib"], observed.value
    found = [f"leaves {seen['left_behind']} behind"] if seen["left_behind"] else []
    if seen["rss_growth_kib"] > recorded:
        found.append(f"grows by {seen['rss_growth_kib']} KiB, in gotvm by {recorded}")
    return found


@executes("arr.collected_many", compare=grows_no_more, alone=True)
def collected_many(world, fact):
    return memory.growth_of(lambda: tvmgo.empty([1024]), 10000)
