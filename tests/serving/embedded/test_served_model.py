# SPDX-License-Identifier: Apache-2.0
"""The class that users of KServe take, in this process. Triton's client cannot be in it: both define the same messages."""

import asyncio
import contextlib
import pickle
import threading
import time

import kserve
import pytest
from kserve.errors import InvalidInput, ModelNotReady

from tests.model import exact
from tests.serving.server import MODELS
from tvmgo.model import QueueFullError
from tvmgo.serving import ServedModel, Settings
from tvmgo.serving.statuses import answer_error


@pytest.fixture
def model():
    model = ServedModel("exact", MODELS / "exact", Settings(timeout=0.2))
    yield model
    model.stop()
    join_closing()


def join_closing():
    for thread in threading.enumerate():  # what was served is closed by a thread
        if thread.name == "tvmgo-close":
            thread.join()


def request(**changes):
    x = exact.rows(7)
    tensor = kserve.InferInput("x", [1, 16], "FP32", x.reshape(-1).tolist())
    return kserve.InferRequest("exact", [tensor], **changes)


def test_class_in_a_server_of_the_users_own(model):
    with pytest.raises(ModelNotReady):
        asyncio.run(model.predict(request()))
    assert model.load() and model.ready
    answer = asyncio.run(model.predict(request(request_id="7")))
    document, _ = answer.to_rest()
    assert document["outputs"][0]["data"] == exact.answers(exact.rows(7))[0].tolist()
    with pytest.raises(InvalidInput, match="version 2"):
        asyncio.run(model.predict({"instances": []}))
    model.stop()
    assert not model.ready
    with pytest.raises(ModelNotReady):
        asyncio.run(model.predict(request()))


class Derived(ServedModel):
    """What a user makes of it."""


@pytest.mark.parametrize("loaded", [False, True])
def test_workers_get_it_as_it_is(loaded):
    model = Derived("exact", MODELS / "exact", Settings(timeout=7))
    if loaded:
        model.load()
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is Derived and again.ready == loaded
    assert (again.name, again.path, again.settings) == (model.name, model.path, model.settings)
    if loaded:
        answer = asyncio.run(again.predict(request()))
        assert (answer.outputs[0].data == exact.answers(exact.rows(7))).all()
    model.stop()
    again.stop()
    join_closing()


@pytest.mark.parametrize(
    "error, status",
    [(QueueFullError("full"), 503), (TimeoutError("late"), 504), (ModelNotReady("m"), 503)],
)
def test_errors_of_the_server(model, monkeypatch, error, status):
    def submit(inputs):
        raise error

    model.load()
    monkeypatch.setattr(model.loaded, "submit", submit)
    with pytest.raises(type(error)) as caught:
        asyncio.run(model.predict(request()))
    answer = asyncio.run(answer_error(None, caught.value))
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)


def test_who_is_cancelled_leaves_the_queue(model):
    model.load()

    async def cancelled():
        task = asyncio.ensure_future(model.predict(request()))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    end = time.monotonic() + 10
    while model.loaded.queued and time.monotonic() < end:
        time.sleep(0.01)
    assert model.loaded.queued == 0
