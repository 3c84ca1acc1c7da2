# SPDX-License-Identifier: Apache-2.0
"""A model as classic libraries embed it, and running it."""

import json

import numpy as np

import tvmgo
from tests.blobs import executor_factory, with_library
from tests.graphs import squared_sum

GRAPH = json.dumps(squared_sum("kadd", "ksquare", names=("add", "square"), prefix=""))
PARAMS = {
    "n1": np.array(7, "int64"),
    "k0": np.array([1.5, -2.0], "float32"),
    "flags": np.array([True, False, True]),
}
CONSTANTS = {"c0": np.array([1, 2], "int32"), "c1": np.array([True, False])}
FACTORY = with_library("GraphExecutorFactory", executor_factory(GRAPH, PARAMS))


def run(executor, x=(1, 2)):
    """Return the output for `x` as a list."""
    executor["set_input"]("x", tvmgo.array(np.array(x, "float32")))
    executor["run"]()
    return np.asarray(executor["get_output"](0)).tolist()
