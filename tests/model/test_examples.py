# SPDX-License-Identifier: Apache-2.0
"""The examples around a Model: they run, and keep what they promise."""

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import pipeline
from tests.helpers import search_path
from tvmgo import Model

EXAMPLES = Path(pipeline.__file__).parent


@pytest.fixture
def folder(write):
    from tests.graphs import op, var

    nodes = [var("x", (4,)), var("k", (4,)), op("myadd", ["x", "k"], (4,), name="y", prefix="")]
    return write(nodes, ["y"], {"k": np.array([0, 0, 5, 0], "float32")})


def run_example(name, *arguments):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        env={"PYTHONPATH": search_path(), "PYTHONWARNINGS": "error"},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_pipeline_as_a_script(folder):
    assert "100 requests answered" in run_example("pipeline.py", folder)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_process_pool_as_a_script(folder, method):
    output = run_example("process_pool.py", folder, 30, "--method", method)
    assert "30 answers" in output
    assert f"{[2] * 30}" in output  # what is added is largest there


async def numbered(count, taken):
    for number in range(count):
        taken.append(number)
        yield {"x": np.full(4, number, "float32")}


def test_pipeline_takes_no_more_than_it_gets_done(folder):
    taken, stored = [], []

    async def store(number, inputs, outputs):
        await asyncio.sleep(0.001)
        # Both queues, a request at each worker, one at the reader.
        assert len(taken) - len(stored) <= 2 * pipeline.WAITING + 3 + 2
        stored.append(number)
        np.testing.assert_array_equal(outputs["y"], inputs["x"] + [0, 0, 5, 0])

    with Model.load(folder) as model:
        count = asyncio.run(pipeline.pipeline(model, numbered(200, taken), store, workers=3))
    assert count == 200 and sorted(stored) == list(range(200))


@pytest.mark.parametrize("place", ["store", "read", "model"])
def test_pipeline_ends_with_the_first_error(folder, place):
    async def requests():
        yield {"x": np.zeros(4, "float32")}
        if place == "read":
            raise ZeroDivisionError
        while True:
            yield {"x": np.zeros(4 if place == "store" else 5, "float32")}

    async def store(number, inputs, outputs):
        if place == "store" and number == 7:
            raise ZeroDivisionError

    async def whole(model):
        kind = ValueError if place == "model" else ZeroDivisionError
        with pytest.raises(kind):
            await asyncio.wait_for(pipeline.pipeline(model, requests(), store, workers=2), 20)
        assert len(asyncio.all_tasks()) == 1

    with Model.load(folder) as model:
        asyncio.run(whole(model))
        assert model.stats().queued == 0


def test_pipeline_is_cancelled(folder):
    async def store(number, inputs, outputs):
        await asyncio.sleep(3600)

    async def whole(model):
        task = asyncio.create_task(pipeline.pipeline(model, numbered(10**9, []), store, workers=4))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    with Model.load(folder) as model:
        asyncio.run(whole(model))
        assert model.stats().queued == 0
