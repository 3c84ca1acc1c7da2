# SPDX-License-Identifier: Apache-2.0
"""Executors made from small graphs, whose kernels are Python callbacks, and what goes in and out."""

import json

import numpy as np

import tvmgo
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, device_index, document, op, var

CREATE = "tvm.graph_executor.create"
CREATE_DEBUG = "tvm.graph_executor_debug.create"
OLD_CREATE_DEBUG = "tvm.graph_runtime_debug.create"
EXT_DEV = 12  # a device type whose memory the fixture `fake_runtime` provides


# ---------------------------------------------------------------- kernels


def write(out, values):
    np.asarray(out)[...] = values


KERNELS = {
    "add": lambda x, y, out: write(out, np.asarray(x) + np.asarray(y)),
    "square": lambda x, out: write(out, np.square(np.asarray(x))),
    "negate": lambda x, out: write(out, -np.asarray(x)),
    "positive": lambda x, out: write(out, np.asarray(x) > 0),
    "where": lambda c, x, y, out: write(out, np.where(c, x, y)),
    "min_max": lambda x, low, high: (
        write(low, np.asarray(x).min()),
        write(high, np.asarray(x).max()),
    ),
    "tick": lambda: None,
    "chatty": lambda x, out: write(out, np.asarray(x)) or "a result nobody reads, on the heap",
}


# ---------------------------------------------------------------- executors


def create(graph, *devices, library=None, name=CREATE):
    """An executor of a graph, as text or as a document, on (device type, device id) pairs."""
    text = graph if isinstance(graph, str) else json.dumps(graph)
    return tvmgo.get_global_function(name)(text, library, *(devices or (1, 0)))


def make(nodes, heads):
    return create(document(nodes, heads))


def create_debug(graph, *devices, name=CREATE_DEBUG):
    return create(graph, *devices, name=name)


def worked(name=CREATE):
    """The executor of the worked example with its parameters."""
    module = create(WORKED_GRAPH, name=name)
    module["load_params"](WORKED_PARAMS)
    return module


def worked_debug(name=CREATE_DEBUG):
    """The same that shows what lies between, for x = [1, 2]."""
    module = worked(name)
    module["set_input"]("x", lent(1, 2))
    return module


def chain():
    """x -> negate -> square, the smallest graph with an inner entry."""
    return make([var("x"), op("negate", ["x"], name="n"), op("square", ["n"], name="s")], ["s"])


def device_graph():
    """The document of x on the CPU and p on EXT_DEV, both copied to the other side."""
    nodes = [
        var("x"),
        var("p"),
        op("__copy", ["x"], name="sent"),
        op("__copy", ["p"], name="fetched"),
        op("__copy", ["sent"], name="echo"),
    ]
    attrs = device_index(1, EXT_DEV, EXT_DEV, 1, 1)
    return document(nodes, ["sent", "fetched", "echo"], **attrs)


def run(module, **inputs):
    """Set inputs, run, and return the outputs as ndarrays."""
    for name, value in inputs.items():
        module["set_input"](name, tvmgo.array(value))
    module["run"]()
    return [module["get_output"](i).numpy() for i in range(module["get_num_outputs"]())]


# ---------------------------------------------------------------- tensors to lend


def lent(*values, shape=None, dtype="float32"):
    """A tensor of these numbers that an executor can use where it lies."""
    return tvmgo.array(np.array(values, dtype).reshape(shape or (len(values),)))


def aligned_row(offset=0, step=1):
    """Two numbers, `step` apart, which lie `offset` numbers behind an aligned address."""
    memory = np.asarray(tvmgo.empty((64,)))
    return memory[offset : offset + 2 * step : step]
