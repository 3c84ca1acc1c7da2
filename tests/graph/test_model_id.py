# SPDX-License-Identifier: Apache-2.0
"""Files of one export have one number; those of two are not mixed."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import CREATE, CREATE_DEBUG, create, run
from tests.graphs import WORKED
from tests.helpers import f32
from tests.libraries import compile_library

SOURCE = Path(__file__).parent / "sources" / "model_id.c"
ID, OTHER = 0x1234567812345678, 0x1234567812345679
CREATE_PROGRAM = "tvmgo.graph_program.create"
CREATE_FACTORY = "tvm.graph_executor_factory.create"


def graph_of(number, graph=WORKED):
    graph = copy.deepcopy(graph)
    graph["attrs"]["tvmgo_model_id"] = ["list_int", [number >> 31, number & (1 << 31) - 1]]
    return graph


def params_of(number, *values):
    return params_blob([("k0", f32(*values)), ("tvmgo_model_id", np.array(number))])


@pytest.fixture(scope="module")
def library_of(tmp_path_factory):
    """Return a function that makes a library with this number, or one that has no integer."""
    directory = tmp_path_factory.mktemp("model_id")

    def make(number):
        options = [] if number is None else [f"-DMODEL_ID={number}"]
        path = directory / f"{number}.so"
        return tvmgo.load_module(compile_library(SOURCE, path, *options))

    return make


def refused(file):
    message = f"the {file} of another export than the graph: expected the model id {ID:#018x}, got"
    return pytest.raises(tvmgo.TVMValueError, match=f"^{message} {OTHER:#018x}$")


@pytest.mark.parametrize("name", [CREATE, CREATE_DEBUG, CREATE_PROGRAM])
def test_library_of_another_export_is_refused(name, library_of):
    create(graph_of(ID), library=library_of(ID), name=name)
    with refused("library is"):
        create(graph_of(ID), library=library_of(OTHER), name=name)


def test_library_is_compared_before_its_functions_are_looked_up(library_of):
    graph = json.dumps(graph_of(ID)).replace("test_ge.add", "not_there")
    with refused("library is"):
        create(graph, library=library_of(OTHER))


def test_factory_compares_when_it_makes_an_executor(library_of):
    create_factory = tvmgo.get_global_function(CREATE_FACTORY)

    def factory(library, param):
        params = "tvmgo_model_id", tvmgo.array(np.array(param)), "k0", tvmgo.array(f32(1, 2))
        graph = json.dumps(graph_of(ID))
        return create_factory(graph, library_of(library), "default", *params)

    executor = factory(ID, ID)["default"](tvmgo.cpu(0))
    np.testing.assert_array_equal(run(executor, x=f32(1, 2))[0], f32(4, 16))
    with refused("library is"):
        factory(OTHER, ID)["default"](tvmgo.cpu(0))
    with refused("parameters are"):
        factory(ID, OTHER)["default"](tvmgo.cpu(0))


@pytest.mark.parametrize("name", [CREATE, CREATE_DEBUG])
def test_params_of_another_export_are_refused_and_change_nothing(name):
    module = create(graph_of(ID), name=name)
    module["load_params"](params_of(ID, 1, 2))
    for executor in (module, module["clone"]()):
        with refused("parameters are"):
            executor["load_params"](params_of(OTHER, 3, 4))
        np.testing.assert_array_equal(run(executor, x=f32(1, 2))[0], f32(4, 16))


def test_program_compares_params():
    program = create(graph_of(ID), name=CREATE_PROGRAM)
    program["load_params"](params_of(ID, 1, 2))
    with refused("parameters are"):
        program["load_params"](params_of(OTHER, 3, 4))
    np.testing.assert_array_equal(run(program["create_state"](), x=f32(1, 2))[0], f32(4, 16))


def test_params_of_another_export_are_named_before_what_else_is_wrong():
    wrong = params_blob([("k0", f32(1, 2, 3)), ("tvmgo_model_id", np.array(OTHER))])
    with refused("parameters are"):
        create(graph_of(ID))["load_params"](wrong)


@pytest.mark.parametrize(
    ("graph", "library", "params"),
    [
        (WORKED, OTHER, params_of(ID, 1, 2)),
        (graph_of(ID), None, params_blob([("k0", f32(1, 2))])),
        (graph_of(ID), None, params_of(ID, 1, 2)),
    ],
    ids=["graph", "library-and-params", "library"],
)
def test_files_without_a_number_fit_all_others(graph, library, params, library_of):
    module = create(graph, library=library_of(library))
    module["load_params"](params)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(4, 16))


def test_numbers_need_no_library():
    module = create(graph_of(ID))
    module["load_params"](params_of(ID, 1, 2))
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(4, 16))


def test_params_may_be_shared_between_exports():
    # Of two batch sizes, for one. Types and shapes are compared.
    first, second = create(graph_of(ID)), create(graph_of(OTHER))
    first["load_params"](params_of(ID, 1, 2))
    second["share_params"](first, params_of(ID, 1, 2))
    np.testing.assert_array_equal(run(second, x=f32(1, 2))[0], f32(4, 16))


def test_an_input_may_have_the_name():
    graph = copy.deepcopy(WORKED)
    graph["nodes"][0]["name"] = "tvmgo_model_id"
    module = create(graph_of(ID, graph))
    module["load_params"](params_of(ID, 1, 2))
    module["set_input"]("tvmgo_model_id", tvmgo.array(f32(1, 2)))
    np.testing.assert_array_equal(run(module)[0], f32(4, 16))


@pytest.mark.parametrize("value", [np.array(ID, "uint64"), np.array(1.5), np.zeros(0, "i8")])
def test_a_number_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match='parameter "tvmgo_model_id": expected int64'):
        create(graph_of(ID))["load_params"](params_blob([("tvmgo_model_id", value)]))


def test_parameters_of_several_graphs():
    for ids in ([ID, 7], [7, ID], [7, 8, ID]):
        create(graph_of(ID))["load_params"](params_blob([("tvmgo_model_id", np.array(ids))]))
    with pytest.raises(ValueError, match="the parameters are of another export"):
        create(graph_of(ID))["load_params"](params_blob([("tvmgo_model_id", np.array([7, 8]))]))


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (["list_int", [1]], r"tvmgo_model_id\[1\]: expected two numbers, got an array of length 1"),
        (["list_int", [1, -1]], r"tvmgo_model_id\[1\]\[1\]: expected an integer from 0 to 2147"),
        (["list_int", [2**31, 1]], r"tvmgo_model_id\[1\]\[0\]: expected an integer from 0 to 2147"),
        (["size_t", 1], r'tvmgo_model_id\[0\]: expected the type tag "list_int"'),
        (3, r"tvmgo_model_id: expected an array, got 3"),
    ],
)
def test_a_malformed_attribute_is_refused(attribute, message):
    graph = copy.deepcopy(WORKED)
    graph["attrs"]["tvmgo_model_id"] = attribute
    with pytest.raises(ValueError, match=message):
        create(graph)
