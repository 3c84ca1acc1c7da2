# SPDX-License-Identifier: Apache-2.0
"""Making graph executors, and how long they and what they use live."""

import copy
import gc
import weakref

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import CREATE, EXT_DEV, chain, create, lent, make, run, worked, write
from tests.graphs import WORKED, WORKED_GRAPH, WORKED_PARAMS, op, var
from tests.helpers import f32

# ---------------------------------------------------------------- the worked example


def test_worked_example_gives_the_documented_output():
    [y] = run(worked(), x=f32(1, 2))
    np.testing.assert_array_equal(y, f32(6.25, 0.0))


def test_worked_params_are_what_the_format_says():
    params = [("k0", f32(1.5, -2.0)), ("n1", np.array(7, "int64"))]
    assert params_blob(params) == WORKED_PARAMS and len(WORKED_PARAMS) == 156


@pytest.mark.parametrize("name", [CREATE, "tvm.graph_runtime.create"])
def test_every_name_makes_a_graph_executor(name):
    module = tvmgo.get_global_function(name)(WORKED_GRAPH, None, 1, 0)
    assert module.kind == "GraphExecutor"


def test_module_is_runnable_and_nothing_else():
    mask = tvmgo.get_global_function("ffi.ModuleGetPropertyMask")(create(WORKED_GRAPH))
    assert mask == 0b010  # neither serialised nor exported
    assert list(create(WORKED_GRAPH).imports) == []


# ---------------------------------------------------------------- create


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((), TypeError, "at least 4, but it has 0"),
        ((WORKED_GRAPH, None, 1), TypeError, "at least 4, but it has 3"),
        ((WORKED_GRAPH, None, 1, 0, 1), TypeError, "no device id"),
        ((1, None, 1, 0), TypeError, "argument 0"),
        ((WORKED_GRAPH, "lib", 1, 0), TypeError, "expected a module"),
        ((WORKED_GRAPH, None, 1.0, 0), TypeError, "expected an integer"),
        ((WORKED_GRAPH, None, 0, 0), ValueError, "device type"),
        ((WORKED_GRAPH, None, 1, -1), ValueError, "device id"),
        ((WORKED_GRAPH, None, 1, 2**32), ValueError, "device id"),
        ((WORKED_GRAPH, None, "cpu", 0), TypeError, "expected an integer"),
    ],
    ids=[
        "no-arguments",
        "three-arguments",
        "dangling-device-type",
        "json-int",
        "library-str",
        "device-type-float",
        "device-type-zero",
        "device-id-negative",
        "device-id-huge",
        "device-type-str",
    ],
)
def test_create_with_bad_arguments_raises(args, error, message):
    with pytest.raises(error, match=message) as caught:
        tvmgo.get_global_function(CREATE)(*args)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_create_accepts_bytes_several_devices_and_an_rpc_session():
    make_executor = tvmgo.get_global_function(CREATE)
    for args in [(1, 0, 1, 0), (128 * 3 + 1, 0)]:
        module = make_executor(WORKED_GRAPH.encode(), None, *args)
        assert str(module["get_input"](0).device) == "cpu:0"


def test_unlisted_device_type_falls_back_to_the_first_device():
    graph = copy.deepcopy(WORKED)
    graph["attrs"]["device_index"][1] = [1, 1, 2, 14]
    module = create(graph)
    module["load_params"](WORKED_PARAMS)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(6.25, 0.0))


@pytest.mark.usefixtures("fake_runtime")
def test_unlisted_device_type_falls_back_to_the_first_of_several_devices():
    graph = copy.deepcopy(WORKED)
    graph["attrs"]["device_index"][1] = [1, 1, 2, 14]
    module = create(graph, 1, 0, EXT_DEV, 3)
    assert str(module["get_output"](0).device) == "cpu:0"


def test_device_without_runtime_support_raises():
    with pytest.raises(tvmgo.TVMError):
        create(WORKED_GRAPH, 12, 0)


# ---------------------------------------------------------------- lifetimes


def test_functions_keep_their_module_alive():
    module = worked()
    set_input, start, get_output = module["set_input"], module["run"], module["get_output"]
    del module
    gc.collect()
    set_input("x", lent(1, 2))
    start()
    np.testing.assert_array_equal(get_output(0).numpy(), f32(6.25, 0))


def test_outputs_outlive_their_module():
    module = worked()
    run(module, x=f32(1, 2))
    y = module["get_output"](0)
    del module
    gc.collect()
    np.testing.assert_array_equal(y.numpy(), f32(6.25, 0))


class Kernel:
    """A callable that can be watched."""

    def __call__(self, x, out):
        write(out, np.asarray(x))


def test_kernels_live_as_long_as_the_module():
    function = Kernel()
    watched = weakref.ref(function)
    tvmgo.register_function(function, "test_ge.watched", override=True)
    module = make([var("x"), op("watched", ["x"], name="k")], ["k"])
    tvmgo.remove_global_function("test_ge.watched")
    del function
    gc.collect()
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(1, 2))
    assert watched() is not None
    del module
    gc.collect()
    assert watched() is None


class Memory(np.ndarray):
    """NumPy memory that can be watched."""


@pytest.mark.parametrize("end", ["replace", "restore", "drop"])
def test_lent_tensor_lives_until_it_is_given_back(end):
    memory = np.asarray(tvmgo.array(f32(1, 2))).view(Memory)
    watched = weakref.ref(memory)
    module = chain()
    module["set_input_zero_copy"]("x", memory)
    del memory
    gc.collect()
    assert watched() is not None
    np.testing.assert_array_equal(run(module)[0], f32(1, 4))
    if end == "replace":
        module["set_input_zero_copy"]("x", lent(1, 2))
    elif end == "restore":
        module["set_input"]("x", lent(1, 2))
    else:
        del module
    gc.collect()
    assert watched() is None


def test_creating_and_failing_leave_nothing_behind():
    def work():
        module = worked()
        run(module, x=f32(1, 2))
        module["set_input_zero_copy"]("x", lent(1, 2))
        for graph in (WORKED_GRAPH[:-5], WORKED_GRAPH.replace("test_ge.add", "test_ge.nowhere")):
            with pytest.raises((ValueError, KeyError)):
                create(graph)

    work()
    gc.collect()
    before = tvmgo.live_objects()
    for _ in range(5):
        work()
    gc.collect()
    assert tvmgo.live_objects() == before
