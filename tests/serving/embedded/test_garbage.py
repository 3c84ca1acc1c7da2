# SPDX-License-Identifier: Apache-2.0
"""Collections of garbage while a process serves: every request waits for them."""

import asyncio
import gc
import signal
import weakref

import pytest
from kserve.protocol.rest.server import RESTServer

from tests.serving.embedded.test_served_model import join_closing, request
from tests.serving.server import MODELS
from tvmgo.serving import ServedModel, Settings
from tvmgo.serving.processes import Server


@pytest.fixture
def visited(monkeypatch):
    """Whether collections visit what was there before, by the time that KServe's server is asked to serve."""
    before, seen = [[]], []

    def look():
        seen.append(any(each is before for each in gc.get_objects()))

    async def start(_):
        look()

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(RESTServer, "start", start)
    monkeypatch.setattr(RESTServer, "run", lambda *_: look())
    look()
    yield seen
    gc.unfreeze()


def test_the_server_and_its_workers_leave_out_what_they_have_loaded(visited):
    server = Server({}, Settings(grpc_port=0), 1)
    asyncio.run(server.run())
    gc.unfreeze()
    server._rest.run()
    assert visited == [True, False, False]


def test_a_model_that_is_replaced_goes_without_a_collection():
    model = ServedModel("exact", MODELS / "exact", Settings())
    model.load()
    asyncio.run(model.predict(request()))
    old = weakref.ref(model.loaded.model)
    gc.disable()
    try:
        model.load()
        join_closing()
        assert old() is None
    finally:
        gc.enable()
        model.stop()
        join_closing()
