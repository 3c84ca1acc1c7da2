# SPDX-License-Identifier: Apache-2.0
"""Graph executor factories embedded in classic libraries.

The blobs are written byte by byte as the format says and compiled into a library
(``sources/embedded.c``).
"""

import sys

import numpy as np
import pytest

import tvmgo
from tests.blobs import executor_factory, with_library
from tests.classic.models import FACTORY, GRAPH, PARAMS, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


@pytest.mark.parametrize("key", ["GraphExecutorFactory", "GraphRuntimeFactory"])
def test_factory_makes_an_executor_with_its_parameters(embed, key):
    module = embed(with_library(key, executor_factory(GRAPH, PARAMS)))
    assert module.kind == "GraphExecutorFactory"
    assert [imported.kind for imported in module.imports] == ["classic_library"]
    executor = module["default"](tvmgo.cpu(0))
    assert executor.kind == "GraphExecutor"
    assert run(executor) == [6.25, 0.0]


def test_factory_makes_independent_executors(embed):
    module = embed(FACTORY)
    first, second = module["default"](tvmgo.cpu(0)), module["default"](tvmgo.cpu(0))
    first["set_input"]("k0", tvmgo.array(np.zeros(2, "float32")))
    assert run(first) == [1, 4]
    assert run(second) == [6.25, 0]


def test_factory_tells_what_it_has(embed):
    module = embed(FACTORY)
    assert module["get_graph_json"]() == GRAPH
    params = module["get_graph_params"]()
    assert {name: np.asarray(value).tolist() for name, value in params.items()} == {
        name: value.tolist() for name, value in PARAMS.items()
    }
    assert {name: str(value.dtype) for name, value in params.items()} == {
        "n1": "int64",
        "k0": "float32",
        "flags": "bool",
    }


def test_factory_without_parameters(embed):
    bare = embed(FACTORY)["remove_params"]()
    assert bare.kind == "GraphExecutorFactory"
    assert bare["get_graph_params"]() == {}
    executor = bare["default"](tvmgo.cpu(0))
    executor["set_input"]("k0", tvmgo.array(PARAMS["k0"]))
    assert run(executor) == [6.25, 0]


def test_model_may_have_any_name(embed):
    module = embed(with_library("GraphExecutorFactory", executor_factory(GRAPH, {}, "my model")))
    assert "default" not in module
    assert module["my model"](tvmgo.cpu(0)).kind == "GraphExecutor"


def test_operators_of_a_factory_are_its_import_s(embed):
    module = embed(FACTORY)
    assert "kadd" in module
    with pytest.raises(KeyError):
        module.get_function("kadd", query_imports=False)
    assert "get_no_such_thing" not in module


def test_factory_makes_the_other_variants(embed):
    module = embed(FACTORY)
    assert run(module["debug_create"]("default", tvmgo.cpu(0))) == [6.25, 0.0]
    if "device_api.cuda" not in tvmgo.list_global_functions():
        with pytest.raises(tvmgo.TVMError, match="CUDA"):
            module["cuda_graph_create"](tvmgo.cpu(0))
    with pytest.raises(ValueError, match='debug_create: argument 0 .*"default", got "other"'):
        module["debug_create"]("other", tvmgo.cpu(0))


@pytest.mark.parametrize(
    "name, args, words",
    [
        ("default", (), "expected 1 or more arguments, got 0"),
        ("default", (1, 0), "expected a device"),
        ("get_graph_json", (1,), "expected 0 arguments"),
        ("debug_create", (tvmgo.cpu(0),), "expected 2"),
        ("debug_create", (1, tvmgo.cpu(0)), "expected a string"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(embed, name, args, words):
    with pytest.raises(TypeError, match=words):
        embed(FACTORY)[name](*args)


def test_factory_outlives_its_name(embed):
    create = embed(FACTORY)["default"]
    executor = create(tvmgo.cpu(0))
    del create
    assert run(executor) == [6.25, 0]
