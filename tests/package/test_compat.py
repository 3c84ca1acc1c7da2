# SPDX-License-Identifier: Apache-2.0
"""Names of TVM's Python package, and of its early years."""

from operator import attrgetter

import numpy as np
import pytest

import tvmgo
from tests.helpers import f32, output_of

# ---------------------------------------------------------------- tvm.nd


def test_nd_is_there_after_import():
    output_of("import tvmgo as tvm\nassert tvm.nd.NDArray is tvm.Array\ntvm.nd.gpu(0)")


def test_nd_takes_the_device_where_tvm_does():
    x = tvmgo.nd.array([1, 2], tvmgo.cpu(3))
    assert (x.device, str(x.dtype)) == (tvmgo.cpu(3), "int64")
    for place in ({"ctx": "cpu:3"}, {"device": tvmgo.cpu(3)}):
        assert tvmgo.nd.array([1.0], **place).device == tvmgo.cpu(3)
        assert tvmgo.nd.empty((2,), "int8", **place).device == tvmgo.cpu(3)
    assert tvmgo.nd.empty((2,), "int8", tvmgo.cpu(3)).device == tvmgo.cpu(3)
    assert str(tvmgo.nd.empty((2, 3)).dtype) == "float32"
    with pytest.raises(tvmgo.TVMValueError, match="^device: unknown name 'float32'"):
        tvmgo.nd.array([1.0], "float32")


# ---------------------------------------------------------------- namespaces


NAMESPACES = {
    "contrib": ["debugger", "graph_executor", "graph_runtime"],
    "contrib.debugger": ["debug_executor", "debug_runtime"],
    "module": ["Module", "load", "load_module", "system_lib", "system_library"],
    "nd": [
        *("NDArray", "array", "context", "cpu", "cuda", "device", "empty", "ext_dev"),
        *(
            "from_dlpack",
            "gpu",
            "hexagon",
            "metal",
            "opencl",
            "opengl",
            "rocm",
            "vpi",
            "vulkan",
            "webgpu",
        ),
    ],
    "nnvm": ["compiler"],
    "nnvm.compiler": ["load_param_dict", "save_param_dict"],
    "relay": ["load_param_dict", "save_param_dict"],
    "runtime": [
        *(
            "Device",
            "Module",
            "NDArray",
            "PackedFunc",
            "convert",
            "cpu",
            "cuda",
            "device",
            "ext_dev",
        ),
        *(
            "gpu",
            "hexagon",
            "load_module",
            "load_param_dict",
            "metal",
            "nd",
            "ndarray",
            "opencl",
            "opengl",
            "rocm",
        ),
        *("save_param_dict", "system_lib", "vpi", "vulkan", "webgpu"),
    ],
}


@pytest.mark.parametrize("name", NAMESPACES)
def test_namespace_has_these_members(name):
    namespace = attrgetter(name)(tvmgo)
    assert namespace.__all__ == NAMESPACES[name]
    assert set(NAMESPACES[name]) == {x for x in vars(namespace) if not x.startswith("_")}
    assert (namespace.__name__, bool(namespace.__doc__)) == (f"tvmgo.{name}", True)


@pytest.mark.parametrize("name", NAMESPACES)
def test_namespace_can_be_imported_like_a_file(name):
    member = NAMESPACES[name][0]
    output_of(f"""
        import tvmgo.{name}
        import tvmgo.{name} as direct
        from tvmgo.{name} import {member}
        from tvmgo.{name} import *
        assert direct is tvmgo.{name}
        assert all(member in globals() for member in direct.__all__)
    """)


def test_namespaces_hold_tvmgos_own():
    assert tvmgo.module.load is tvmgo.module.load_module is tvmgo.load_module
    assert tvmgo.module.system_lib is tvmgo.runtime.system_lib is tvmgo.system_library
    assert tvmgo.module.Module is tvmgo.runtime.Module is tvmgo.Module
    assert tvmgo.runtime.load_module is tvmgo.load_module
    assert tvmgo.runtime.Device is tvmgo.Device
    assert tvmgo.runtime.NDArray is tvmgo.nd.NDArray is tvmgo.Array
    assert tvmgo.runtime.PackedFunc is tvmgo.Function
    assert tvmgo.runtime.convert is tvmgo.convert
    assert tvmgo.runtime.nd is tvmgo.runtime.ndarray is tvmgo.nd
    assert tvmgo.relay.save_param_dict is tvmgo.runtime.save_param_dict
    for namespace in (tvmgo.nd, tvmgo.runtime):
        assert namespace.cpu is tvmgo.cpu
        assert namespace.gpu(1) == tvmgo.Device("cuda", 1)


def test_save_param_dict_of_no_mapping():
    with pytest.raises(tvmgo.TVMTypeError, match="params: expected a mapping, got list"):
        tvmgo.relay.save_param_dict([1])


def test_save_param_dict_writes_what_load_params_reads():
    params = {"w": f32(1, 2), "b": tvmgo.array(np.arange(3))}
    blob = tvmgo.relay.save_param_dict(params)
    assert type(blob) is bytes
    loaded = tvmgo.get_global_function("runtime.LoadParams")(blob)
    assert {name: array.numpy().tolist() for name, array in loaded.items()} == {
        "w": [1, 2],
        "b": [0, 1, 2],
    }


# ---------------------------------------------------------------- arrays and devices


def test_copyto_a_device_makes_an_array_there():
    x = tvmgo.array(f32(1, 2))
    for copy in (x.copyto(tvmgo.cpu(1)), x.copy_to(tvmgo.cpu(1))):
        assert copy.device == tvmgo.cpu(1)
        np.testing.assert_array_equal(copy.numpy(), f32(1, 2))


@pytest.mark.parametrize(
    "source",
    [
        [[1, 2], [3, 4]],
        np.array([[1.0, 2], [3, 4]]),
        tvmgo.array(np.array([[1, 2], [3, 4]], "f4")),
    ],
    ids=["list", "float64", "Array"],
)
def test_copyfrom_converts_elements(source):
    for copy in (lambda x: x.copyfrom(source), lambda x: x.__setitem__(slice(None), source)):
        x = tvmgo.empty((2, 2))
        assert copy(x) in (x, None)
        assert x.numpy().tolist() == [[1, 2], [3, 4]]


def test_copyfrom_of_another_shape_raises_and_changes_nothing():
    x = tvmgo.array(f32(1, 2))
    with pytest.raises(tvmgo.TVMValueError, match=r"^source: .* shape \(2,\), got \(2, 1\)$"):
        x.copyfrom([[3], [4]])
    with pytest.raises(tvmgo.TVMTypeError, match="^source: expected .* float32, got int64$"):
        x.copyfrom(tvmgo.array([3, 4]))
    for index in (0, slice(1), None):
        with pytest.raises(tvmgo.TVMValueError, match=r"^index: only \[:\] can be set, got "):
            x[index] = f32(3, 4)
    with pytest.raises((TypeError, NotImplementedError)):
        del x[:]
    np.testing.assert_array_equal(x.numpy(), f32(1, 2))


def test_device_has_tvms_names():
    assert tvmgo.cpu(0).exist is True and tvmgo.Device("vpi").exist is False
    assert tvmgo.cpu(0).sync() is None
    with pytest.raises(tvmgo.TVMError, match="no device API for vpi:0"):
        tvmgo.Device("vpi").sync()


# ---------------------------------------------------------------- functions


def test_register_func_takes_tvms_order(global_name):
    def f():
        return 1

    assert tvmgo.register_func(global_name, f) is f
    with pytest.raises(tvmgo.TVMValueError, match="already registered"):
        tvmgo.register_func(global_name, f)
    assert tvmgo.register_func(global_name, override=True)(lambda: 2)() == 2
    assert tvmgo.get_global_func(global_name)() == 2
    with pytest.raises(tvmgo.TVMTypeError, match="^func_name: expected a str, got int$"):
        tvmgo.register_func(1, f)


def test_register_func_as_a_bare_decorator_uses_the_short_name():
    @tvmgo.register_func
    def tests_legacy_bare():
        return 3

    try:
        assert tvmgo.get_global_func("tests_legacy_bare")() == 3
    finally:
        tvmgo.remove_global_function("tests_legacy_bare")


def test_get_global_func_of_a_missing_name():
    assert tvmgo.get_global_func("tests.missing", True) is None
    with pytest.raises(tvmgo.TVMKeyError, match="no global function 'tests.missing'"):
        tvmgo.get_global_func("tests.missing")


def test_convert_makes_functions_and_leaves_the_rest():
    things = [1, "text", None, [1], {"a": 1}]
    assert [tvmgo.convert(x) for x in things] == things
    assert isinstance(tvmgo.convert(len), tvmgo.Function)


# ---------------------------------------------------------------- timing


def test_time_evaluator_times_compiled_functions(kernels):
    out = np.zeros(3, "float32")[1:]  # off the boundary: by way of a copy, as in a plain call
    result = kernels.time_evaluator("myadd", "cpu", number=3, repeat=2)(f32(1, 2), f32(3, 4), out)
    assert len(result.results) == 2 and 0 < result.min <= result.mean
    np.testing.assert_array_equal(out, f32(4, 6))


def test_time_evaluator_calls_once_to_warm_up_and_then_as_often_as_told(kernels):
    calls = []
    kernels["keep"](lambda x: calls.append(x))
    result = kernels.time_evaluator("call_kept", "cpu", number=3, repeat=4)(7)
    kernels["drop"]()
    assert (len(result.results), calls) == (4, [7] * (1 + 3 * 4))


def test_time_evaluator_tells_the_seconds_of_one_call(kernels):
    result = kernels.time_evaluator("sleep_us", "cpu", number=5, repeat=2)(4000)
    assert 0.004 <= result.min <= 1.0


def test_time_evaluator_waits_for_another_device_at_both_ends(kernels_path):
    printed = output_of(f"""
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        try:
            kernels.time_evaluator("call_kept", "ext_dev")
        except tvmgo.TVMError as error:
            assert str(error) == "device: the runtime has no device API for ext_dev:0", error
        events = []
        tvmgo.register_function(lambda: None, "device_api.ext_dev")
        tvmgo.register_function(
            lambda *args: events.append(args), "runtime.Device_StreamSync", override=True)
        kernels["keep"](lambda x: events.append(x))
        timed = kernels.time_evaluator("call_kept", tvmgo.ext_dev(3), number=2, repeat=2)
        events.clear()
        assert len(timed(7).results) == 2
        sync = (tvmgo.ext_dev(3), 0)
        assert events == [7, *[sync, 7, 7, sync] * 2], events
        kernels["drop"]()
        print("done")
    """)
    assert printed == "done\n"


def test_time_evaluator_raises_the_functions_own_error(kernels):
    error = LookupError("this one")

    def fail():
        raise error

    with pytest.raises(LookupError) as caught:
        kernels.time_evaluator("forward", "cpu")(fail)
    assert caught.value is error


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(func_name="nope"), KeyError, "has no function 'nope'"),
        (dict(number=0), ValueError, "^number: expected at least 1, got 0$"),
        (dict(repeat=-1), ValueError, "^repeat: expected at least 1, got -1$"),
        (dict(min_repeat_ms=-1), ValueError, "^min_repeat_ms: expected at least 0, got -1$"),
        (dict(number=1.5), TypeError, "^number: expected an int, got float$"),
        (dict(cooldown_interval_ms=5, repeats_to_cooldown=0), ValueError, "^repeats_to_cooldown: "),
        (dict(device="tpu"), ValueError, "^device: unknown name 'tpu'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_time_evaluator_with_bad_arguments_raises(kernels, arguments, error, message):
    arguments = {"func_name": "myadd", "device": tvmgo.cpu(0), **arguments}
    with pytest.raises(error, match=message) as caught:
        kernels.time_evaluator(**arguments)
    assert isinstance(caught.value, tvmgo.TVMError)
