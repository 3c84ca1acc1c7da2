# SPDX-License-Identifier: Apache-2.0
"""tvmgo gives what the old runtimes gave, bit for bit; `make old-artifacts` builds what it takes."""

import ctypes
import functools
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tvmgo import debug_executor, graph_executor

BUILT = Path(os.environ.get("TVMGO_OLD_ARTIFACTS", ".cache/old-artifacts"))
CPU = tvmgo.cpu(0)


def cases(*kinds):
    """Return the artifacts of these kinds, each as a parameter named by compiler and case."""
    found = []
    for path in sorted(BUILT.glob("*/*/case.json")):
        about = json.loads(path.read_text())
        if about["kind"] in kinds:
            name = f"{path.parent.parent.name}-{path.parent.name}"
            found.append(pytest.param(path.parent, about, id=name))
    return found


graphs = pytest.mark.parametrize("folder, about", cases("trio", "system", "factory"))


@functools.cache
def data_of(folder):
    with np.load(folder / "data.npz") as data:
        return dict(data)


def dtype_name(dtype):
    return {"uint1": "bool"}.get(str(dtype), str(dtype))


def seen(array):
    """Return element type, shape and bytes of an array of tvmgo."""
    return dtype_name(array.dtype), list(array.shape), array.numpy().tobytes()


@functools.cache
def open_system_library(path):
    """Functions register themselves when the library is opened, by whomever."""
    return ctypes.CDLL(str(path))


def executor(folder, about, debug=False):
    """Return the artifact's executor with parameters and inputs."""
    if about["kind"] == "system":
        open_system_library(folder / about["library"])
        loaded = tvmgo.get_global_function("tvmgo.classic_system_library")()
    else:
        loaded = tvmgo.load_module(folder / about["library"])
    if about["kind"] == "factory" and debug:
        graph = debug_executor.GraphModuleDebug(loaded["debug_create"](about["name"], CPU))
    elif about["kind"] == "factory":
        graph = graph_executor.GraphModule(loaded[about["name"]](CPU))
    else:
        create = debug_executor.create if debug else graph_executor.create
        graph = create((folder / "deploy.json").read_text(), loaded, CPU)
    if (folder / "deploy.params").exists():
        graph.load_params((folder / "deploy.params").read_bytes())
    for name in about["inputs"]:
        graph.set_input(name, data_of(folder)["input " + name])
    return graph


def test_something_was_built():
    assert cases("trio"), f"nothing in {BUILT}; `make old-artifacts` builds and tests"


@pytest.mark.parametrize("folder, about", cases("failed"))
def test_compiler_succeeded(folder, about):
    pytest.fail(about["why"])


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
@graphs
def test_outputs(folder, about, debug):
    graph = executor(folder, about, debug)
    for _ in range(2):  # the second run finds memory that the first has used
        graph.run()
        assert graph.get_num_outputs() == len(about["outputs"])
        for i, (dtype, shape) in enumerate(about["outputs"]):
            wanted = dtype_name(dtype), shape, data_of(folder)[f"output {i}"].tobytes()
            assert seen(graph.get_output(i)) == wanted


@graphs
def test_outputs_of_all_operators(folder, about):
    graph = executor(folder, about, debug=True)
    for node, number, dtype, shape, digest in about["nodes"]:
        graph.execute_node(node)
        found_dtype, found_shape, elements = seen(graph.get_node_output(node, number))
        found = found_dtype, found_shape, hashlib.sha256(elements).hexdigest()
        assert found == (dtype_name(dtype), shape, digest), f"node {node}, output {number}"


@pytest.fixture
def double():
    """The global function that the case `callback` calls."""

    def f(x, out, text, number):
        assert (text, number) == ("text", 7)
        np.asarray(out)[...] = np.asarray(x) * 2

    tvmgo.register_function(f, "tests.old.double")
    yield
    tvmgo.remove_global_function("tests.old.double")


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("folder, about", cases("functions"))
def test_functions(folder, about):
    loaded, data = tvmgo.load_module(folder / about["library"]), data_of(folder)
    for number, call in enumerate(about["calls"]):
        arguments = [
            tvmgo.array(data[f"call {number} before {i}"]) if "array" in each else each["value"]
            for i, each in enumerate(call["arguments"])
        ]
        assert loaded[call["name"]](*arguments) == call["result"]
        for i, argument in enumerate(arguments):
            if isinstance(argument, tvmgo.Array):
                wanted = data[f"call {number} after {i}"].tobytes()
                assert argument.numpy().tobytes() == wanted


@pytest.mark.parametrize("folder, about", cases("refused"))
def test_what_is_not_run_says_what_it_is(folder, about):
    with pytest.raises(tvmgo.TVMError, match=about["message"]):
        tvmgo.load_module(folder / about["library"])
