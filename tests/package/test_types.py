# SPDX-License-Identifier: Apache-2.0
"""What type checkers know of what users type most."""

import os
import re
import subprocess
import sys

import pytest

PROGRAM = """\
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import tvmgo
import tvmgo.serving
from tvmgo.batch import Predictor
from tvmgo.compiler import Artifacts, Report, export
from tvmgo.graph_executor import GraphModule

Answer = dict[str, npt.NDArray[Any]]
image = np.zeros((1, 3), "float32")

library = tvmgo.load_module("deploy.so")
assert_type(library, tvmgo.Module)
assert_type(library["kernel"], tvmgo.Function)
assert_type(library["kernel"].invoke(image), tvmgo.Value)
assert_type(library["kernel"].invoke(image).as_array(), tvmgo.Array)
assert_type(library["kernel"].prepare(image), tvmgo.PreparedCall)
assert_type(library.imports, list[tvmgo.Module])

graph = tvmgo.graph_executor.create("{}", library, tvmgo.cpu(0))
assert_type(graph, GraphModule)
assert_type(graph.clone(), GraphModule)
assert_type(graph(x=image), list[tvmgo.Array])
assert_type(graph.get_output(0), tvmgo.Array)
assert_type(graph.get_output(0).numpy(), npt.NDArray[Any])
graph.get_output(0, image).argmax()
assert_type(graph.get_output("y", tvmgo.empty(3)), tvmgo.Array)
assert_type(graph.get_input("x"), tvmgo.Array | None)
assert_type(graph.get_num_outputs(), int)
assert_type(graph.get_input_info(), tuple[dict[str, tuple[int, ...]], dict[str, str]])
debug = tvmgo.debug_executor.create("{}", library, tvmgo.cpu(0))
assert_type(debug, tvmgo.debug_executor.GraphModuleDebug)
assert_type(debug.clone(), tvmgo.debug_executor.GraphModuleDebug)

with tvmgo.Model.load("deployed") as model, tvmgo.Batcher(model) as batcher:
    assert_type(model, tvmgo.Model)
    assert_type(batcher, tvmgo.Batcher)
    assert_type(model.run({"x": image}), Answer)
    assert_type(model.submit({"x": image}), Future[Answer])
    assert_type(batcher({"x": image}), Answer)
    assert_type(batcher.submit({"x": image}), Future[Answer])
    assert_type(model.inputs, tuple[tvmgo.TensorInfo, ...])
    assert_type(model.stats().latency, dict[str, float])
    assert_type(model.memory(), dict[str, int])
    assert_type(model.bind({"x": image}), tvmgo.Binding)
    with model.profile() as profile:
        assert_type(profile, tvmgo.Profile)


async def ask() -> None:
    assert_type(await model.run_async({"x": image}), Answer)


array = tvmgo.empty((2, 3), "float32")
assert_type(array, tvmgo.Array)
assert_type(array.shape, tuple[int, ...])
assert_type(array.dtype, tvmgo.DType)
assert_type(array.device, tvmgo.Device)
assert_type(array.numpy(), npt.NDArray[Any])
assert_type(array.copy_from(image), tvmgo.Array)
assert_type(array.copy_to(tvmgo.cpu()), tvmgo.Array)
assert_type(array.copy_to(bytearray(24)), bytearray)
array.copy_to(image).argmax()
assert_type(tvmgo.array([1, 2]), tvmgo.Array)
assert_type(tvmgo.from_dlpack(image), tvmgo.Array)
np.asarray(array)


@tvmgo.register_function("typed.add")
def add(x: int, y: int) -> int:
    return x + y


assert_type(add(1, 2), int)
assert_type(tvmgo.convert_function(add), tvmgo.Function)
assert_type(tvmgo.get_global_function("typed.add"), tvmgo.Function)
assert_type(tvmgo.list_global_functions(), list[str])

with tvmgo.num_threads(1):
    pass


@tvmgo.num_threads(1)
def alone(x: int) -> str:
    return str(x)


assert_type(alone(1), str)

artifacts = export("model.onnx", "deployed")
assert_type(artifacts, Artifacts)
assert_type(artifacts.library, Path)
assert_type(artifacts.report, Report)
assert_type(tvmgo.bundle("deployed", "net.tvmgo"), Path)
assert_type(tvmgo.doctor("deployed").problems, tuple[tvmgo.model.Check, ...])

with tvmgo.rpc.connect("board") as session:
    assert_type(session, tvmgo.rpc.Session)
    assert_type(session.array([1]), tvmgo.Array)
    assert_type(session.empty(3), tvmgo.Array)
    assert_type(session.load_module("deploy.so"), tvmgo.Module)
    assert_type(session.get_function("f"), tvmgo.Function)
    assert_type(session.download("file"), bytes)
    assert_type(session.cpu(), tvmgo.Device)
    assert_type(session.machine, dict[str, str] | None)

predictor = Predictor("net.tvmgo", {"x": ["age", "height"]})
assert_type(predictor.model, tvmgo.Model)
assert_type(predictor({"x": image}), dict[str, Any])
assert_type(predictor.rows, int)
"""

# Each line is one.
WRONG = """
assert_type(graph.get_output(0), int)
tvmgo.modle
tvmgo.model.Stat
tvmgo.batch.predcit
tvmgo.serving.Setings
"""

CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
}


def errors(checker: str, program: str, folder) -> list[str]:
    (folder / "program.py").write_text(program)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [*CHECKERS[checker], "program.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if " error: " in line or " - error: " in line]


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_types_of_what_users_type(checker, tmp_path):
    found = errors(checker, PROGRAM + WRONG, tmp_path)
    first = len((PROGRAM + "\n").splitlines()) + 1
    last = len((PROGRAM + WRONG).splitlines())
    assert [int(re.findall(r"program.py:(\d+):", line)[0]) for line in found] == [
        *range(first, last + 1)
    ]
