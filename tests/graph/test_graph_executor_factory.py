# SPDX-License-Identifier: Apache-2.0
"""Factories of graph executors: a model, its parameters and its library in one module; and the
variant that is refused."""

import gc
import json

import numpy as np
import pytest

import tvmgo
from tests.graph.executors import EXT_DEV, device_graph, run
from tests.graphs import WORKED_GRAPH, document, op, var
from tests.helpers import f32
from tvmgo import debug_executor, graph_executor

CREATE = "tvm.graph_executor_factory.create"
PARAMS = {"k0": f32(1.5, -2.0), "stranger": np.array(7, "int64")}


def create(graph=WORKED_GRAPH, library=None, model="default", name=CREATE, **params):
    flat = [x for key, value in params.items() for x in (key, tvmgo.array(value))]
    return tvmgo.get_global_function(name)(graph, library, model, *flat)


# ---------------------------------------------------------------- executors


@pytest.mark.parametrize("name", [CREATE, "tvm.graph_runtime_factory.create"])
def test_factory_makes_executors_with_parameters(name):
    factory = create(name=name, **PARAMS)
    assert factory.kind == "GraphExecutorFactory"
    executor = factory["default"](tvmgo.cpu(0))
    assert executor.kind == "GraphExecutor"
    np.testing.assert_array_equal(run(executor, x=f32(1, 2))[0], f32(6.25, 0))


def test_executors_of_one_factory_are_separate():
    factory = create(**PARAMS)
    first, second = factory["default"](tvmgo.cpu(0)), factory["default"](tvmgo.cpu(0))
    first["set_input"]("k0", tvmgo.array(f32(0, 0)))
    np.testing.assert_array_equal(run(first, x=f32(1, 2))[0], f32(1, 4))
    np.testing.assert_array_equal(run(second, x=f32(1, 2))[0], f32(6.25, 0))


def test_parameters_of_a_factory_are_no_inputs_to_set():
    executor = create(**PARAMS)["default"](tvmgo.cpu(0))
    assert list(executor["get_input_info"]()["shape"]) == ["x"]


def test_library_is_the_first_import(kernels):
    nodes = [var("x"), var("y"), op("myadd", ["x", "y"], name="a", prefix="")]
    graph = document(nodes, ["a"])
    factory = create(json.dumps(graph), kernels)
    assert [module.kind for module in factory.imports] == [kernels.kind]
    [y] = run(factory["default"](tvmgo.cpu(0)), x=f32(1, 2), y=f32(3, 4))
    np.testing.assert_array_equal(y, f32(4, 6))


def test_operators_are_visible_through_the_imports_only(kernels):
    factory = create(library=kernels)
    factory.get_function("myadd", query_imports=True)
    with pytest.raises(tvmgo.TVMError, match="myadd"):
        factory.get_function("myadd", query_imports=False)


def test_model_name_names_the_function():
    factory = create(model="resnet", **PARAMS)
    assert "resnet" in factory and "default" not in factory and "" not in factory
    np.testing.assert_array_equal(
        run(factory["resnet"](tvmgo.cpu(0)), x=f32(1, 2))[0], f32(6.25, 0)
    )


def test_model_name_comes_before_other_functions():
    assert create(model="get_graph_json")["get_graph_json"](tvmgo.cpu(0)).kind == "GraphExecutor"


def test_debug_create_makes_the_debug_variant():
    factory = create(model="m", **PARAMS)
    executor = factory["debug_create"]("m", tvmgo.cpu(0))
    executor["set_input"]("x", tvmgo.array(f32(1, 2)))
    np.testing.assert_array_equal(executor["debug_get_output"]("add0").numpy(), f32(2.5, 0))
    with pytest.raises(ValueError, match='expected "m", got "default"'):
        factory["debug_create"]("default", tvmgo.cpu(0))


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("default", (), "create: expected 1 or more arguments, got 0"),
        ("default", (1, 0), r"create: argument 0 \(device\): expected a device, got int"),
        ("default", (tvmgo.cpu(0), None), r"argument 1 \(device\): expected a device, got None"),
        ("debug_create", ("default",), "expected 2 or more arguments, got 1"),
        ("debug_create", (tvmgo.cpu(0), tvmgo.cpu(0)), r"\(model name\): expected a string"),
        ("get_graph_json", (1,), "expected 0 arguments, got 1"),
    ],
)
def test_function_with_bad_arguments_raises(function, arguments, message):
    with pytest.raises(TypeError, match=message):
        create()[function](*arguments)


def test_parameter_that_does_not_fit_raises():
    factory = create(k0=f32(1, 2, 3))
    with pytest.raises(ValueError, match='input "k0".*The size must exactly match'):
        factory["default"](tvmgo.cpu(0))


@pytest.mark.parametrize(
    "value", [np.ones(2, "i4"), np.ones((2, 1, 2), "f2")], ids=["int32", "float16"]
)
def test_parameter_of_another_type_raises(value):
    with pytest.raises(ValueError, match=f'input "k0": expected .*float32.* got {value.dtype}'):
        create(k0=value)["default"](tvmgo.cpu(0))


def test_malformed_graph_is_refused_by_the_function():
    factory = create(WORKED_GRAPH[:-5])
    with pytest.raises(ValueError, match="^graph JSON"):
        factory["default"](tvmgo.cpu(0))


@pytest.mark.usefixtures("fake_runtime")
def test_executor_on_several_devices_has_its_parameters_there():
    factory = create(json.dumps(device_graph()), p=f32(3, 4))
    executor = factory["default"](tvmgo.cpu(0), tvmgo.Device("ext_dev", 2))
    assert str(executor["get_input"]("p").device) == f"ext_dev:{2}"
    executor["run"]()
    np.testing.assert_array_equal(executor["get_output"]("fetched").numpy(), f32(3, 4))
    assert tvmgo.Device("ext_dev").device_type == EXT_DEV


# ---------------------------------------------------------------- what a factory tells


def test_factory_returns_its_graph_and_parameters():
    factory = create(**PARAMS)
    assert factory["get_graph_json"]() == WORKED_GRAPH
    params = factory["get_graph_params"]()
    assert set(params) == set(PARAMS)
    for name, value in PARAMS.items():
        np.testing.assert_array_equal(params[name].numpy(), value)


def test_remove_params_makes_a_factory_without_them(kernels):
    factory = create(library=kernels, **PARAMS)
    bare = factory["remove_params"]()
    assert bare.kind == "GraphExecutorFactory" and bare["get_graph_json"]() == WORKED_GRAPH
    assert dict(bare["get_graph_params"]()) == {}
    assert [module.kind for module in bare.imports] == [kernels.kind]
    np.testing.assert_array_equal(run(bare["default"](tvmgo.cpu(0)), x=f32(1, 2))[0], f32(1, 4))
    assert list(create()["remove_params"]().imports) == []


def test_factory_has_its_functions_and_no_others():
    factory = create()
    for name in (
        "default",
        "debug_create",
        "cuda_graph_create",
        "get_graph_json",
        "get_graph_params",
        "remove_params",
    ):
        assert name in factory
    for name in ("create", "run", "nothing"):
        assert name not in factory


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected 3 or more arguments, got 0"),
        ((WORKED_GRAPH, None), "expected 3 or more arguments, got 2"),
        ((WORKED_GRAPH, "lib", "default"), "library.*expected a module"),
        ((WORKED_GRAPH, None, 1), "model name.*expected a string"),
        ((1, None, "default"), "graph JSON.*expected a string"),
        ((WORKED_GRAPH, None, "default", "k0"), "parameter name.*has no tensor after it"),
        ((WORKED_GRAPH, None, "default", "k0", 1), "parameter.*expected a tensor"),
        ((WORKED_GRAPH, None, "default", 1, f32(1)), "parameter name.*expected a string"),
    ],
)
def test_create_with_bad_arguments_raises(arguments, message):
    with pytest.raises(TypeError, match=f"^{CREATE}: .*{message}"):
        tvmgo.get_global_function(CREATE)(*arguments)


def test_functions_keep_their_factory_alive():
    factory = create(**PARAMS)
    make, describe = factory["default"], factory["get_graph_params"]
    del factory
    gc.collect()
    np.testing.assert_array_equal(describe()["k0"].numpy(), PARAMS["k0"])
    executor = make(tvmgo.cpu(0))
    del make, describe
    gc.collect()
    np.testing.assert_array_equal(run(executor, x=f32(1, 2))[0], f32(6.25, 0))


def test_helpers_take_what_a_factory_makes():
    factory = create(**PARAMS)
    graph = graph_executor.GraphModule(factory["default"](tvmgo.cpu(0)))
    graph.run(x=[1.0, 2.0])
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(6.25, 0))
    debug = debug_executor.GraphModuleDebug(factory["debug_create"]("default", tvmgo.cpu(0)))
    debug.run(x=[1.0, 2.0])
    np.testing.assert_array_equal(debug.get_output(0).numpy(), f32(6.25, 0))


# ---------------------------------------------------------------- CUDA graphs


def make_cuda_graph():
    tvmgo.get_global_function("tvm.graph_executor_cuda_graph.create")(WORKED_GRAPH, None, 2, 0)


def make_cuda_graph_by_factory():
    create()["cuda_graph_create"](tvmgo.cuda(0))


@pytest.mark.parametrize("make", [make_cuda_graph, make_cuda_graph_by_factory])
def test_cuda_graph_variant_is_refused_with_the_reason(make):
    present = "device_api.cuda" in tvmgo.list_global_functions()
    missing = "offers to its own virtual machine only" if present else "no global function"
    with pytest.raises(RuntimeError, match=f"^CUDA graphs need .*{missing}"):
        make()


def test_cuda_graph_variant_beside_cuda_names_what_is_missing():
    name = "device_api.cuda"
    if name in tvmgo.list_global_functions():
        pytest.skip("there is a CUDA device, and the test above has asked for it")
    tvmgo.register_function(lambda: None, name)
    try:
        with pytest.raises(RuntimeError, match="the capture of CUDA streams"):
            make_cuda_graph()
    finally:
        tvmgo.remove_global_function(name)
