# SPDX-License-Identifier: Apache-2.0
"""tvmgo beside tvm_ffi, tvm and torch in one process: any order, and no copies."""

import gc
import importlib.util
import itertools
import sys
import weakref

import numpy as np
import pytest
import tvm_ffi

import tvmgo
from tests.helpers import address_of, output_of

have_torch = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not have_torch, reason="torch is not installed")


def foreign_address(tensor):
    return address_of(np.from_dlpack(tensor))


identity = tvmgo.convert_function(lambda x: x)


@pytest.fixture(scope="module")
def foreign_identity():
    return tvm_ffi.convert(lambda x: x)


# ---------------------------------------------------------------- orders of import


EXCHANGE = """
    import numpy as np
    import tvm_ffi
    import tvmgo

    array = tvmgo.array(np.arange(4.0))
    there = tvm_ffi.convert(lambda x: x)(array)
    back = tvmgo.convert_function(lambda x: x)(there)
    assert isinstance(there, tvm_ffi.Tensor), type(there)
    assert back == array
    assert np.from_dlpack(there).ctypes.data == np.asarray(array).ctypes.data

    add = tvmgo.convert_function(lambda x, y: x + y)
    assert tvm_ffi.convert(lambda f: f(1, 2))(add) == 3
    assert tvmgo.convert_function(lambda f: f(1, 2))(tvm_ffi.convert(lambda x, y: x + y)) == 3

    module = tvmgo.load_module({kernels!r})
    assert tvm_ffi.convert(lambda m: m["sum_ints"](1, 2))(module) == 3
    theirs = tvm_ffi.load_module({kernels!r})
    assert tvmgo.convert_function(lambda m: m["sum_ints"](1, 2))(theirs) == 3
    assert tvmgo.get_global_function("tvm.contrib.sort.argsort")
    print("exchanged")
"""

TORCH_EXCHANGE = """
    import torch
    tensor = torch.arange(4.0)
    received = tvmgo.convert_function(lambda x: x)(tensor)
    assert np.asarray(received).ctypes.data == tensor.data_ptr()
    assert torch.from_dlpack(tvmgo.array(np.ones(3))).sum() == 3
    half = torch.ones(3, dtype=torch.bfloat16)
    assert str(tvmgo.from_dlpack(half).dtype) == "bfloat16"
    assert tvmgo.empty(3, "bfloat16").copy_from(half).numpy().tolist() == [1, 1, 1]
    print("torch too")
"""


@pytest.mark.apache_tvm
@pytest.mark.parametrize(
    "order", [*itertools.permutations(["tvmgo", "tvm_ffi", "tvm"])], ids=", ".join
)
def test_import_in_any_order_works_and_objects_pass(order, kernels_path):
    imports = "\n".join(f"    import {name}" for name in order)
    assert output_of(imports + EXCHANGE.format(kernels=str(kernels_path))) == "exchanged\n"


@needs_torch
@pytest.mark.parametrize(
    "order",
    [
        ("tvmgo", "torch"),
        ("torch", "tvmgo"),
        ("torch", "tvm", "tvmgo"),
        ("tvmgo", "tvm", "torch"),
        ("tvm_ffi", "torch", "tvmgo"),
    ],
    ids=", ".join,
)
def test_import_with_torch_in_any_order_works_and_objects_pass(order, kernels_path):
    imports = "\n".join(f"    import {name}" for name in order)
    code = imports + EXCHANGE.format(kernels=str(kernels_path)) + TORCH_EXCHANGE
    assert output_of(code) == "exchanged\ntorch too\n"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("tvm", marks=pytest.mark.apache_tvm),
        "tvm_ffi",
        pytest.param("torch", marks=needs_torch),
    ],
)
def test_import_of_another_while_objects_are_alive_works(other, kernels_path):
    assert (
        output_of(f"""
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        array = tvmgo.empty(4)
        function = tvmgo.convert_function(lambda x: x)
        tvmgo.register_function(function, "mine")
        import {other}
        print(function(array) == array, kernels["sum_ints"](1, 2),
              tvmgo.get_global_function("mine") == function)
    """)
        == "True 3 True\n"
    )


@pytest.mark.apache_tvm
def test_tvm_loads_no_second_runtime_after_tvmgo(kernels_path):
    assert (
        output_of(f"""
        import tvmgo
        tvmgo.load_module({str(kernels_path)!r})
        import tvm
        with open("/proc/self/maps") as maps:
            print(len({{line.split()[-1] for line in maps if "libtvm_runtime.so" in line}}))
    """)
        == "1\n"
    )


# ---------------------------------------------------------------- tvm_ffi's objects in tvmgo


@pytest.fixture
def tensor():
    return tvm_ffi.from_dlpack(np.arange(6, dtype=np.float32).reshape(2, 3))


def test_tensor_arrives_as_an_array_of_the_same_memory(tensor):
    received = identity(tensor)
    assert type(received) is tvmgo.Array
    assert address_of(received) == foreign_address(tensor)
    assert (received.shape, str(received.dtype), str(received.device)) == (
        (2, 3),
        "float32",
        "cpu:0",
    )


def test_from_dlpack_of_a_tensor_shares_its_memory(tensor):
    assert address_of(tvmgo.from_dlpack(tensor)) == foreign_address(tensor)


def test_array_of_a_tensor_is_a_copy(tensor):
    copied = tvmgo.array(tensor)
    assert copied.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert address_of(copied) != foreign_address(tensor)


def test_copy_from_a_tensor_takes_its_elements(tensor):
    assert tvmgo.empty(6).copy_from(tensor).numpy().tolist() == [0, 1, 2, 3, 4, 5]


def test_copy_to_a_tensor_gives_it_the_elements(tensor):
    tvmgo.array(np.ones(6, np.float32)).copy_to(tensor)
    assert np.from_dlpack(tensor).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_kernel_takes_tensors(kernels, tensor):
    out = tvm_ffi.from_dlpack(np.zeros(6, np.float32))
    kernels["myadd"](tensor, tensor, out)
    assert np.from_dlpack(out).tolist() == [0, 2, 4, 6, 8, 10]


def test_foreign_function_arrives_as_the_same_function(foreign_identity):
    function = identity(foreign_identity)
    assert type(function) is tvmgo.Function
    assert identity(foreign_identity) == function
    assert function(5) == 5


def test_convert_function_of_a_foreign_function_is_the_same_function(foreign_identity):
    assert tvmgo.convert_function(foreign_identity) == identity(foreign_identity)


def test_foreign_module_arrives_as_the_same_module(kernels_path):
    foreign = tvm_ffi.load_module(str(kernels_path))
    module = identity(foreign)
    assert type(module) is tvmgo.Module
    assert identity(foreign) == module
    assert module["sum_ints"](1, 2) == 3


def test_function_registered_by_tvm_ffi_is_found():
    tvm_ffi.register_global_func("tests.interop.foreign", lambda x: x + 1)
    try:
        assert tvmgo.get_global_function("tests.interop.foreign")(1) == 2
        assert "tests.interop.foreign" in tvmgo.list_global_functions()
    finally:
        tvmgo.remove_global_function("tests.interop.foreign")


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda: tvm_ffi.Array([1, "two", None]), [1, "two", None]),
        (lambda: tvm_ffi.Map({"a": 1}), {"a": 1}),
        (lambda: tvm_ffi.Shape((2, 3)), (2, 3)),
        (lambda: tvm_ffi.Array([tvm_ffi.Map({"a": [1]})]), [{"a": [1]}]),
        (lambda: tvm_ffi.convert("a text"), "a text"),
        (lambda: tvm_ffi.convert(b"some bytes"), b"some bytes"),
        (lambda: [tvm_ffi.Array([1]), {"a": tvm_ffi.Shape((1, 2))}], [[1], {"a": (1, 2)}]),
    ],
    ids=["array", "map", "shape", "nested", "str", "bytes", "in a list"],
)
def test_foreign_value_arrives_as_the_plain_object(make, expected):
    arrived = []  # as an argument: a tuple given back would be a list, the runtime has no tuples
    tvmgo.convert_function(arrived.append)(make())
    assert arrived == [expected]


def test_foreign_device_arrives_as_the_device():
    assert identity(tvm_ffi.device("cuda", 1)) == tvmgo.cuda(1)
    assert tvmgo.Device(tvm_ffi.device("cuda", 1)) == tvmgo.cuda(1)
    assert tvmgo.empty(1, device=tvm_ffi.device("cpu")).device == tvmgo.cpu(0)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "int8", "bool"])
def test_foreign_dtype_names_the_dtype(name):
    assert identity(tvm_ffi.dtype(name)) == name
    assert tvmgo.DType(tvm_ffi.dtype(name)) == name
    assert tvmgo.empty(1, tvm_ffi.dtype(name)).dtype == name


def test_foreign_object_that_holds_nothing_is_refused():
    empty = tvm_ffi.Object.__new__(tvm_ffi.Object)
    with pytest.raises(tvmgo.TVMError, match="argument 0: the Object of tvm_ffi holds no object"):
        identity(empty)


def test_tensor_in_a_list_shares_its_memory(tensor):
    assert address_of(identity([tensor])[0]) == foreign_address(tensor)


def test_array_from_a_tensor_outlives_it():
    array = identity(tvm_ffi.from_dlpack(np.arange(1000)))
    gc.collect()
    assert array.numpy().sum() == 499500


def test_tensor_is_freed_with_the_last_holder():
    class Canary(np.ndarray):
        pass

    source = np.zeros(3).view(Canary)
    reference = weakref.ref(source)
    array = identity(tvm_ffi.from_dlpack(source))
    del source
    gc.collect()
    assert reference() is not None
    del array
    gc.collect()
    assert reference() is None


# ---------------------------------------------------------------- tvmgo's objects in tvm_ffi


def test_array_arrives_there_as_a_tensor_of_the_same_memory(foreign_identity):
    array = tvmgo.array(np.arange(4.0))
    received = foreign_identity(array)
    assert isinstance(received, tvm_ffi.Tensor)
    assert foreign_address(received) == address_of(array)
    assert identity(received) == array


def test_foreign_from_dlpack_of_an_array_shares_its_memory():
    array = tvmgo.array(np.arange(4.0))
    assert foreign_address(tvm_ffi.from_dlpack(array)) == address_of(array)


def test_function_arrives_there_as_the_same_function(foreign_identity):
    function = tvmgo.convert_function(lambda x: x + 1)
    received = foreign_identity(function)
    assert isinstance(received, tvm_ffi.Function)
    assert received(1) == 2
    assert identity(received) == function


def test_module_arrives_there_as_the_same_module(foreign_identity, kernels):
    received = foreign_identity(kernels)
    assert isinstance(received, tvm_ffi.Module)
    assert received["sum_ints"](1, 2) == 3
    assert identity(received) == kernels


def test_function_registered_by_tvmgo_is_found_there(global_name):
    tvmgo.register_function(lambda x: x + 1, global_name)
    assert tvm_ffi.get_global_func(global_name)(1) == 2


@pytest.mark.parametrize(
    "x", [None, 5, -2.5, True, "text", "a longer text", b"bytes", b"longer bytes"], ids=repr
)
def test_plain_object_passes_there_and_back(foreign_identity, x):
    answer = identity(foreign_identity)(x)
    assert type(answer) is type(x)
    assert answer == x


@pytest.mark.parametrize("x", [[1, "two", [None]], {"a": [1, 2]}], ids=repr)
def test_container_passes_there_and_back(foreign_identity, x):
    assert identity(foreign_identity)(x) == x


def test_array_in_a_list_passes_there_and_back(foreign_identity):
    array = tvmgo.empty(3)
    assert identity(foreign_identity)([array]) == [array]
    assert identity(foreign_identity([array])) == [array]


def test_object_tvm_ffi_does_not_know_comes_back_as_the_same(foreign_identity):
    thing = object()
    assert identity(tvm_ffi.convert(lambda: thing))() is thing


def test_array_passed_there_is_freed_with_the_last_holder(foreign_identity, live_objects):
    source = np.zeros(3)
    before = sys.getrefcount(source)
    received = foreign_identity(tvmgo.from_dlpack(source))
    gc.collect()
    assert sys.getrefcount(source) == before + 1
    del received
    gc.collect()
    assert sys.getrefcount(source) == before


# ---------------------------------------------------------------- errors through both


def raised_by(function, *args):
    try:
        function(*args)
    except BaseException as error:
        error.__traceback__ = None
        return error
    raise AssertionError("nothing was raised")


class Custom(Exception):
    pass


@pytest.mark.parametrize(
    "make",
    [
        lambda: ValueError("text"),
        lambda: Custom("text"),
        lambda: KeyError("key"),
        lambda: tvmgo.TVMKeyError("text"),
    ],
    ids=["ValueError", "custom", "KeyError", "TVMKeyError"],
)
def test_exception_through_a_foreign_function_comes_out_as_the_same_object(make):
    exception = make()

    def fail():
        raise exception

    through = identity(tvm_ffi.convert(lambda f: f()))
    assert raised_by(through, fail) is exception


def test_exception_through_three_levels_of_both_comes_out_as_the_same_object():
    exception = Custom("deep")

    def fail():
        raise exception

    through = identity(tvm_ffi.convert(lambda f: f()))
    function = tvmgo.convert_function(fail)
    for _ in range(3):
        function = tvmgo.convert_function(lambda inner=function: through(inner))
    assert raised_by(function) is exception


def test_exception_of_a_tvmgo_function_called_by_foreign_python_keeps_kind_and_message():
    def fail():
        raise IndexError("raised here")

    function = tvmgo.convert_function(fail)  # a tvmgo object there, so tvm_ffi sees only Python
    with pytest.raises(IndexError, match="raised here"):
        identity(tvm_ffi.convert(lambda: function()))()


@pytest.mark.parametrize(
    "kind",
    [ValueError, TypeError, KeyError, IndexError, RuntimeError, AttributeError],
    ids=lambda k: k.__name__,
)
def test_exception_of_a_foreign_function_is_of_its_kind(kind):
    def fail():
        raise kind("raised there")

    function = identity(tvm_ffi.convert(fail))
    with pytest.raises(kind, match="raised there"):
        function()


@pytest.mark.parametrize(
    "kind", [ValueError, TypeError, KeyError, IndexError, RuntimeError], ids=lambda k: k.__name__
)
def test_exception_of_a_tvmgo_callback_is_of_its_kind_there(foreign_identity, kind):
    def fail():
        raise kind("raised here")

    with pytest.raises(kind, match="raised here"):
        foreign_identity(tvmgo.convert_function(fail))()


def test_native_error_is_of_its_kind_on_both_sides(kernels, foreign_identity):
    with pytest.raises(IndexError, match="message"):
        foreign_identity(kernels["fail"])("IndexError", "message")
    with pytest.raises(IndexError, match="message"):
        identity(foreign_identity(kernels["fail"]))("IndexError", "message")


# ---------------------------------------------------------------- torch


@needs_torch
def test_torch_tensor_is_shared():
    assert (
        output_of("""
        import numpy as np
        import torch
        import tvmgo
        tensor = torch.zeros(4)
        np.asarray(tvmgo.from_dlpack(tensor))[0] = 5
        print(tensor.tolist(), tvmgo.array(tensor).numpy().tolist())
        target = torch.zeros(4)
        tvmgo.array(np.ones(4, np.float32)).copy_to(target)
        print(target.tolist())
    """)
        == "[5.0, 0.0, 0.0, 0.0] [5.0, 0.0, 0.0, 0.0]\n[1.0, 1.0, 1.0, 1.0]\n"
    )


@needs_torch
def test_torch_tensor_that_requires_grad_raises():
    assert (
        output_of("""
        import torch
        import tvmgo
        try:
            tvmgo.from_dlpack(torch.zeros(4, requires_grad=True))
        except Exception as error:
            print("grad" in str(error))
    """)
        == "True\n"
    )
