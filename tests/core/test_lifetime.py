# SPDX-License-Identifier: Apache-2.0
"""Nothing is kept: many calls of each kind leave memory, handles, reference counts as they were."""

import gc
import sys

import numpy as np
import pytest

import tvmgo
from tests.helpers import Exporter, resident_bytes

CALLS = 100_000
# What resident memory may grow by over all calls: under 11 bytes for each, less than the smallest
# object either side could forget.
TOLERANCE = 1 << 20


class Index:
    def __index__(self):
        return 5


def caught(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


identity = tvmgo.convert_function(lambda x: x)
nothing = tvmgo.convert_function(lambda: None)
identity_of_values = tvmgo.convert_function(lambda x: x, values=True)
raising = tvmgo.convert_function(lambda: {}["a key"])
NDARRAY = np.zeros(4, np.float32)
ARRAY = tvmgo.empty(4)
STRIDED = tvmgo.from_dlpack(np.zeros(8, np.float32)[::2])
EXPORTER = Exporter(NDARRAY)
TEXT, DATA = "a text of more than seven bytes", b"more bytes than seven of them"


def write_to_stack_tensor(x):
    np.asarray(x)[0] = 1


# Each makes one call of its kind. `k` are the kernels.
KINDS = {
    "kernel, no arguments": lambda k: k.nargs(),
    "kernel, prepared": lambda k: k.myadd.prepare(ARRAY, ARRAY, NDARRAY)(),
    "kernel, ints": lambda k: k.sum_ints(1, 2, 3),
    "kernel, 20 arguments": lambda k: k.nargs(*range(20)),
    "kernel, str": lambda k: k.echo(TEXT),
    "kernel, str with a nul": lambda k: k.echo("a longer text\0 with a nul"),
    "kernel, bytes": lambda k: k.echo(DATA),
    "kernel, bytearray": lambda k: k.echo(bytearray(20)),
    "kernel, ByteArray": lambda k: k.byte_sum(tvmgo.ByteArray(DATA)),
    "kernel, big int": lambda k: k.echo(2**100),
    "kernel, index": lambda k: k.echo(Index()),
    "kernel, NumPy scalar": lambda k: k.echo(np.float32(1.5)),
    "kernel, arrays": lambda k: k.myadd(ARRAY, ARRAY, ARRAY),
    "kernel, ndarray": lambda k: k.tensor_ndim(NDARRAY),
    "kernel, dlpack": lambda k: k.tensor_ndim(EXPORTER),
    "kernel, misaligned ndarray": lambda k: k.tensor_ndim(NDARRAY[1:]),
    "kernel, closure": lambda k: k.forward(lambda: None),
    "kernel, list": lambda k: k.echo([1, TEXT, [DATA]]),
    "kernel, dict": lambda k: k.echo({"a": 1, "b": TEXT}),
    "kernel, value": lambda k: k.echo(tvmgo.Value(TEXT)),
    "kernel, exception": lambda k: k.echo(ValueError("text")),
    "kernel, str result": lambda k: k.make_text(100, 0),
    "kernel, pointer result": lambda k: k.give(4),
    "kernel, dtype and device": lambda k: (k.give(5), k.give(6)),
    "invoke, str result": lambda k: k.make_text.invoke(100, 0).as_str(),
    "invoke, list of values": lambda k: k.sum_ints.invoke([tvmgo.Value(1), tvmgo.Value(2)]),
    "stack tensor": lambda k: k.call_with_stack_tensor(write_to_stack_tensor, 1),
    "stack tensor, strided": lambda k: k.call_with_stack_tensor(write_to_stack_tensor, 2),
    "native error": lambda k: caught(k.fail, "ValueError", "message"),
    "silent failure": lambda k: caught(k.fail_silently),
    "error left behind": lambda k: k.leave_an_error(),
    "keep and drop": lambda k: (k.keep(lambda: None), k.drop()),
    "refused argument": lambda k: caught(k.nargs, TEXT, NDARRAY, [TEXT], object()),
    "refused list": lambda k: caught(k.nargs, [TEXT, NDARRAY, object()]),
    "refused keyword": lambda k: caught(lambda: k.nargs(x=1)),
    "callback, no result": lambda k: nothing(),
    "callback, int": lambda k: identity(5),
    "callback, str": lambda k: identity(TEXT),
    "callback, array": lambda k: identity(ARRAY),
    "callback, ndarray": lambda k: identity(NDARRAY),
    "callback, function": lambda k: identity(k.nargs),
    "callback, closure": lambda k: identity(lambda: None),
    "callback, list": lambda k: identity([1, TEXT, ARRAY]),
    "callback, values": lambda k: identity_of_values(TEXT),
    "callback, exception": lambda k: caught(raising),
    "callback, exception through a kernel": lambda k: caught(k.forward, raising),
    "convert_function": lambda k: tvmgo.convert_function(lambda: None),
    "get_global_function": lambda k: tvmgo.get_global_function("ffi.Array"),
    "register and remove": lambda k: (
        tvmgo.register_function(Index, "tests.lifetime"),
        tvmgo.remove_global_function("tests.lifetime"),
    ),
    "register with override": lambda k: tvmgo.register_function(
        Index, "tests.lifetime.override", override=True
    ),
    "get_function": lambda k: k.module.get_function("nargs"),
    "missing function": lambda k: caught(k.module.get_function, "nowhere"),
    "in": lambda k: "nowhere" in k.module,
    "empty": lambda k: tvmgo.empty((2, 3)),
    "empty of no memory": lambda k: caught(tvmgo.empty, 2**60),
    "array": lambda k: tvmgo.array(NDARRAY),
    "copy_from": lambda k: ARRAY.copy_from(NDARRAY),
    "copy_from, strided": lambda k: STRIDED.copy_from(NDARRAY),
    "copy_from, memoryview": lambda k: ARRAY.copy_from(memoryview(NDARRAY)),
    "copy_from, dlpack": lambda k: ARRAY.copy_from(EXPORTER),
    "copy_from, refused": lambda k: caught(ARRAY.copy_from, np.zeros(3)),
    "copy_to": lambda k: ARRAY.copy_to(NDARRAY),
    "as_slice": lambda k: ARRAY.as_slice(),
    "numpy": lambda k: STRIDED.numpy(),
    "asarray": lambda k: np.asarray(ARRAY),
    "memoryview": lambda k: memoryview(ARRAY),
    "from_dlpack": lambda k: tvmgo.from_dlpack(NDARRAY),
    "from_dlpack, exporter": lambda k: tvmgo.from_dlpack(EXPORTER),
    "numpy.from_dlpack": lambda k: np.from_dlpack(ARRAY),
    "unused capsules": lambda k: (ARRAY.__dlpack__(), ARRAY.__dlpack__(max_version=(1, 0))),
    "attributes": lambda k: (
        ARRAY.shape,
        ARRAY.strides,
        ARRAY.dtype,
        ARRAY.device,
        ARRAY.nbytes,
        repr(ARRAY),
    ),
    "dtype": lambda k: str(tvmgo.DType("float32")),
    "dtype, refused": lambda k: caught(tvmgo.DType, "flaot32"),
    "device": lambda k: str(tvmgo.Device("cuda:1")),
}
# So slow that fewer calls must do; each must then be tighter.
SLOW = {
    "missing function": 20_000,
    "dtype, refused": 20_000,
    "native error": 50_000,
    "callback, exception through a kernel": 50_000,
    "empty of no memory": 20_000,
    "register and remove": 50_000,
}


class Kernels:
    """The kernels as attributes, looked up once."""

    def __init__(self, module):
        self.module = module
        for name in (
            "nargs",
            "sum_ints",
            "echo",
            "byte_sum",
            "myadd",
            "tensor_ndim",
            "forward",
            "make_text",
            "give",
            "call_with_stack_tensor",
            "fail",
            "fail_silently",
            "leave_an_error",
            "keep",
            "drop",
        ):
            setattr(self, name, module[name])


@pytest.mark.parametrize("kind", KINDS)
def test_calls_keep_memory_flat(kernels, kind):
    k, call = Kernels(kernels), KINDS[kind]
    count = SLOW.get(kind, CALLS)
    for _ in range(2000):
        call(k)
    gc.collect()
    before = resident_bytes()
    for _ in range(count):
        call(k)
    gc.collect()
    grown = resident_bytes() - before
    if kind == "register with override":
        tvmgo.remove_global_function("tests.lifetime.override")
    assert grown < TOLERANCE * count // CALLS


def test_loading_keeps_memory_flat(kernels_path):
    for _ in range(200):
        tvmgo.load_module(kernels_path)["nargs"]()
    before = resident_bytes()
    for _ in range(3000):
        tvmgo.load_module(kernels_path)["nargs"]()
    assert resident_bytes() - before < TOLERANCE


def test_large_results_are_given_back(kernels):
    """gotvm kept each result of an array, a str or bytes."""
    make = tvmgo.convert_function(lambda: np.zeros(1 << 20, np.uint8))
    text = tvmgo.convert_function(lambda: "x" * (1 << 20))
    make(), text()
    before = resident_bytes()
    for _ in range(200):
        make(), text(), make.invoke(), text.invoke()
    assert resident_bytes() - before < 32 << 20


SINGLETONS = [None, True, 0, "", b"", ()]


@pytest.mark.parametrize("kind", KINDS)
def test_calls_leave_reference_counts_as_they_were(kernels, kind):
    k, call = Kernels(kernels), KINDS[kind]
    watched = [
        TEXT,
        DATA,
        NDARRAY,
        ARRAY,
        STRIDED,
        EXPORTER,
        identity,
        nothing,
        Index,
        tvmgo.Array,
        tvmgo.Value,
        tvmgo.Function,
        tvmgo.DType,
        tvmgo.Device,
        tvmgo.TVMTypeError,
        np.ndarray,
    ]
    for _ in range(10):
        call(k)
    gc.collect()
    before = [sys.getrefcount(x) for x in watched]
    for _ in range(100):
        call(k)
    gc.collect()
    after = [sys.getrefcount(x) for x in watched]
    if kind == "register with override":
        tvmgo.remove_global_function("tests.lifetime.override")
    assert after == before


@pytest.mark.parametrize("kind", KINDS)
def test_calls_leave_reference_counts_of_singletons_as_they_were(kernels, kind):
    k, call = Kernels(kernels), KINDS[kind]
    for _ in range(10):
        call(k)
    before = [sys.getrefcount(x) for x in SINGLETONS]
    for _ in range(1000):
        call(k)
    after = [sys.getrefcount(x) for x in SINGLETONS]
    if kind == "register with override":
        tvmgo.remove_global_function("tests.lifetime.override")
    # Python itself moves these a little; a call that forgets one moves it by 1000.
    assert [abs(a - b) < 500 for a, b in zip(after, before)] == [True] * len(SINGLETONS)
