# SPDX-License-Identifier: Apache-2.0
"""``graph``: the graph executor, with a graph of one addition."""

import json
import struct

import numpy as np

import tvmgo
from conformance import classifier
from conformance.catalogue import Gives, Raises, executes, improved
from conformance.outcome import TypeCode, attempt, error_of

SHAPE = [4]


def graph(function="myadd"):
    """Return the graph of x + y as JSON."""
    attributes = {"func_name": function, "num_inputs": "2", "num_outputs": "1", "flatten_data": "0"}
    return json.dumps(
        {
            "nodes": [
                {"op": "null", "name": "x", "inputs": []},
                {"op": "null", "name": "y", "inputs": []},
                {
                    "op": "tvm_op",
                    "name": "sum",
                    "inputs": [[0, 0, 0], [1, 0, 0]],
                    "attrs": attributes,
                },
            ],
            "arg_nodes": [0, 1],
            "heads": [[2, 0, 0]],
            "node_row_ptr": [0, 1, 2, 3],
            "attrs": {
                "dltype": ["list_str", ["float32"] * 3],
                "device_index": ["list_int", [classifier.CPU] * 3],
                "storage_id": ["list_int", [0, 1, 2]],
                "shape": ["list_shape", [SHAPE] * 3],
            },
        }
    )


def params(**arrays):
    """Return arrays in the form of a ``.params`` file."""
    parts = [struct.pack("<QQQ", classifier.PARAMS_MAGIC, 0, len(arrays))]
    for name in arrays:
        parts += [struct.pack("<Q", len(name)), name.encode()]
    parts.append(struct.pack("<Q", len(arrays)))
    for array in arrays.values():
        parts += [
            struct.pack("<QQii", classifier.TENSOR_MAGIC, 0, classifier.CPU, 0),
            struct.pack("<iBBH", array.ndim, classifier.FLOAT, classifier.BITS, classifier.LANES),
            struct.pack(f"<{array.ndim}q", *array.shape),
            struct.pack("<q", array.nbytes),
            array.astype("<f4").tobytes(),
        ]
    return b"".join(parts)


X = np.array([1, 2, 3, 4], np.float32)
Y = np.array([10, 20, 30, 40], np.float32)


def create(*args):
    """Return the result of ``tvm.graph_executor.create``."""
    return tvmgo.get_global_function("tvm.graph_executor.create").invoke(*args)


def executor(world, function="myadd"):
    """Return the executor as a module."""
    return create(graph(function), world.deploy, classifier.CPU, 0).as_module()


def ready(world):
    """Return an executor that has run."""
    module = executor(world)
    module["set_input"].invoke("x", tvmgo.array(X))
    module["load_params"].invoke(params(y=Y))
    module["run"].invoke()
    return module


@executes("graph.create")
def created(world, fact):
    return TypeCode(create(graph(), world.deploy, classifier.CPU, 0).type_code)


@executes("graph.run")
def run(world, fact):
    module, out = executor(world), tvmgo.empty(SHAPE)
    errors = [
        error_of(module["set_input"].invoke, "x", tvmgo.array(X)),
        error_of(module["load_params"].invoke, params(y=Y)),
        error_of(module["run"].invoke),
        error_of(module["get_output"].invoke, 0, out),
        error_of(out.as_slice),
    ]
    return {"e": errors, "out": out.as_slice()}


@executes("graph.get_num")
def numbers(world, fact):
    module = executor(world)
    return [module[name].invoke().as_int64() for name in ("get_num_outputs", "get_num_inputs")]


@executes("graph.get_output_returned")
def output_returned(world, fact):
    output = ready(world)["get_output"].invoke(0)
    assert output.as_array().numpy().tolist() == [11, 22, 33, 44]
    return {"tensor_info": world.kernel("tensor_info").invoke(output).as_int64()}


@executes("graph.missing_function")
def missing_function(world, fact):
    return executor(world).get_function("nosuch")


improved("graph.missing_function", Raises(KeyError, "nosuch"))


@executes("graph.set_input_wrong_name")
def unknown_input(world, fact):
    executor(world)["set_input"].invoke("nope", tvmgo.array(X))


improved(
    "graph.set_input_wrong_name",
    Raises(tvmgo.TVMError, "nope"),
    "An unknown input was ignored without a word, and the model ran on something else.",
)


@executes("graph.set_input_wrong_shape")
def input_of_other_shape(world, fact):
    executor(world)["set_input"].invoke("x", tvmgo.empty([5]))


@executes("graph.get_output_wrong_shape")
def output_of_other_shape(world, fact):
    ready(world)["get_output"].invoke(0, tvmgo.empty([5]))


@executes("graph.get_output_bad_index")
def output_out_of_range(world, fact):
    ready(world)["get_output"].invoke(3, tvmgo.empty(SHAPE))


@executes("graph.bad_params")
def broken_params(world, fact):
    executor(world)["load_params"].invoke(b"garbage")


@executes("graph.params_as_string")
def params_as_text(world, fact):
    module, out = ready(world), tvmgo.empty(SHAPE)
    observed = attempt(module["load_params"].invoke, params(y=-Y).decode("latin-1"))
    module["run"].invoke()
    module["get_output"].invoke(0, out)
    return (
        observed
        if observed.error is None
        else {
            "refused": isinstance(observed.error, (TypeError, tvmgo.TVMError)),
            "out_as_before": out.numpy(),
        }
    )


improved(
    "graph.params_as_string",
    Gives(
        {"refused": True, "out_as_before": [11, 22, 33, 44]},
        "refuses text in the place of bytes, and the parameters stay as they were",
    ),
)


@executes("graph.missing_op")
def missing_operator(world, fact):
    return executor(world, "nosuch")


@executes("graph.create_too_few")
def too_few_arguments(world, fact):
    return create(graph(), world.deploy)
