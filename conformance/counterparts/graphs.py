# SPDX-License-Identifier: Apache-2.0
"""``graph``: the graph executor, with a graph of one addition."""

import json

import numpy as np

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.outcome import TypeCode, attempt, error_of
from conformance.samples import classifier

SHAPE = [4]


def graph(function="myadd"):
    """Return the graph of x + y as JSON."""
    added = [("sum", function, [0, 1])]
    return json.dumps(classifier.graph_of(["x", "y"], added, [SHAPE] * 3, [0, 1, 2]))


X = np.array([1, 2, 3, 4], np.float32)
Y = np.array([10, 20, 30, 40], np.float32)


def create(*args):
    """Return the result of ``tvm.graph_executor.create``."""
    return tvmgo.get_global_function("tvm.graph_executor.create").invoke(*args)


def executor(function="myadd"):
    """Return the executor as a module."""
    return create(graph(function), library.deploy(), classifier.CPU, 0).as_module()


def ready():
    """Return an executor that has run."""
    module = executor()
    module["set_input"].invoke("x", tvmgo.array(X))
    module["load_params"].invoke(classifier.params({"y": Y}))
    module["run"].invoke()
    return module


@counterpart("graph.create")
def created():
    return TypeCode(create(graph(), library.deploy(), classifier.CPU, 0).type_code)


@counterpart("graph.run")
def run():
    module, out = executor(), tvmgo.empty(SHAPE)
    errors = [
        error_of(module["set_input"].invoke, "x", tvmgo.array(X)),
        error_of(module["load_params"].invoke, classifier.params({"y": Y})),
        error_of(module["run"].invoke),
        error_of(module["get_output"].invoke, 0, out),
        error_of(out.as_slice),
    ]
    return {"e": errors, "out": out.as_slice()}


@counterpart("graph.get_num")
def numbers():
    module = executor()
    return [module[name].invoke().as_int64() for name in ("get_num_outputs", "get_num_inputs")]


@counterpart("graph.get_output_returned")
def output_returned():
    output = ready()["get_output"].invoke(0)
    assert output.as_array().numpy().tolist() == [11, 22, 33, 44]
    return {"tensor_info": library.kernel("tensor_info").invoke(output).as_int64()}


@counterpart("graph.missing_function")
def missing_function():
    return executor().get_function("nosuch")


@counterpart("graph.set_input_wrong_name")
def unknown_input():
    executor()["set_input"].invoke("nope", tvmgo.array(X))


@counterpart("graph.set_input_wrong_shape")
def input_of_other_shape():
    executor()["set_input"].invoke("x", tvmgo.empty([5]))


@counterpart("graph.get_output_wrong_shape")
def output_of_other_shape():
    ready()["get_output"].invoke(0, tvmgo.empty([5]))


@counterpart("graph.get_output_bad_index")
def output_out_of_range():
    ready()["get_output"].invoke(3, tvmgo.empty(SHAPE))


@counterpart("graph.bad_params")
def broken_params():
    executor()["load_params"].invoke(b"garbage")


@counterpart("graph.params_as_string")
def params_as_text():
    module, out = ready(), tvmgo.empty(SHAPE)
    observed = attempt(module["load_params"].invoke, classifier.params({"y": -Y}).decode("latin-1"))
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


@counterpart("graph.missing_op")
def missing_operator():
    return executor("nosuch")


@counterpart("graph.create_too_few")
def too_few_arguments():
    return create(graph(), library.deploy())
