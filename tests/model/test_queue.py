# SPDX-License-Identifier: Apache-2.0
"""Requests that are submitted, and awaited."""

import asyncio
import concurrent.futures
import gc
import time
import weakref

import numpy as np
import pytest

from tvmgo import Model
from tvmgo.model import QueueFullError
from tvmgo.model.requests.request import LEAST_CLEARED, deadlines
from tvmgo.model.requests.request_queue import CAPACITY

X = {"x": np.array([1.0, 2.0], "float32")}


@pytest.fixture
def held(write_one, operators):
    """A model whose only state is in a run that waits for `operators.gate`."""
    operators.gate.clear()
    with Model.load(write_one("wait"), concurrency=1) as model:
        first = model.submit(X)
        while operators.running == 0:
            time.sleep(0.001)
        try:
            yield model
        finally:
            operators.gate.set()
            first.result(20)


def test_submitted_requests_are_answered_in_order(write_one):
    with Model.load(write_one("double"), concurrency=1) as model:
        futures = [model.submit({"x": [i, -i]}) for i in range(200)]
        answers = [future.result(20)["y"].tolist() for future in futures]
        assert answers == [[2 * i, -2 * i] for i in range(200)]


def test_errors_go_to_their_own_request(write_one):
    with Model.load(write_one("fail")) as model:
        bad, good, wrong = (model.submit({"x": x}) for x in ([1, 1], [-1, 1], [1]))
        with pytest.raises(ZeroDivisionError):
            bad.result(20)
        with pytest.raises(ValueError, match="input 'x'"):
            wrong.result(20)
        assert good.result(20)["y"].tolist() == [-1, 1]


def test_a_full_queue_is_an_error(held, operators):
    futures = [held.submit(X) for _ in range(CAPACITY)]
    with pytest.raises(QueueFullError, match="1024 requests wait already"):
        held.submit(X)
    assert held.stats().queued == CAPACITY
    assert futures[0].cancel()
    futures[0] = held.submit(X)
    operators.gate.set()
    assert all(future.result(20)["y"].tolist() == [1, 2] for future in futures)
    assert held.stats().queued == 0


def test_cancellation_before_the_start(held, operators):
    one, two = held.submit(X), held.submit(X)
    assert one.cancel()
    operators.gate.set()
    assert two.result(20)["y"].tolist() == [1, 2]
    with pytest.raises(concurrent.futures.CancelledError):
        one.result(20)
    assert held.stats().requests == 2


def test_a_request_that_does_not_begin_in_time(held):
    late = held.submit(X, timeout=0.05)
    patient = held.submit(X, timeout=30)
    with pytest.raises(TimeoutError, match="has not begun within 0.05 s"):
        late.result(20)
    assert not patient.done()
    assert held.stats().queued == 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [(0, ValueError), (-1, ValueError), (float("inf"), ValueError), ("1", TypeError)],
)
def test_timeouts_that_are_none(held, value, kind):
    with pytest.raises(kind, match="timeout: expected"):
        held.submit(X, timeout=value)


def test_awaited_requests_let_the_loop_go_on(held, operators):
    async def main():
        task = asyncio.create_task(held.run_async(X))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not task.done()
        operators.gate.set()
        return await task

    assert asyncio.run(main())["y"].tolist() == [1, 2]


def test_awaiting_a_place_in_the_queue(held, operators):
    async def main():
        tasks = [asyncio.create_task(held.run_async(X)) for _ in range(CAPACITY + 50)]
        await asyncio.sleep(0.05)
        assert held.stats().queued == CAPACITY
        operators.gate.set()
        return await asyncio.gather(*tasks)

    answers = asyncio.run(main())
    assert len(answers) == CAPACITY + 50
    assert all(answer["y"].tolist() == [1, 2] for answer in answers)
    assert held.stats().queued == 0


def test_awaiting_a_place_ends_in_time(held):
    async def main():
        futures = [held.submit(X) for _ in range(CAPACITY)]
        with pytest.raises(TimeoutError):
            await held.run_async(X, timeout=0.05)
        waits = asyncio.create_task(held.run_async(X))
        await asyncio.sleep(0.02)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        for future in futures:
            future.cancel()

    asyncio.run(main())
    assert held.stats().queued == 0


def test_a_cancelled_task_takes_its_request_along(held):
    async def main():
        task = asyncio.create_task(held.run_async(X))
        await asyncio.sleep(0.02)
        assert held.stats().queued == 1
        task.cancel()
        await asyncio.sleep(0.02)
        assert held.stats().queued == 0

    asyncio.run(main())


def test_close_answers_what_is_there(write_one):
    model = Model.load(write_one("nap"), concurrency=2)
    futures = [model.submit({"x": [i, i]}) for i in range(40)]
    model.close()
    assert [future.result(0)["y"][0] for future in futures] == [-i for i in range(40)]


def gone(known):
    """Whether an object ends soon, without the garbage collector."""
    end = time.monotonic() + 5
    while known() is not None and time.monotonic() < end:
        time.sleep(0.001)
    return known() is None


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_what_is_answered_is_not_kept(write_one):
    with Model.load(write_one("double")) as model:
        x = np.full(2, -1, "float32")
        future = model.submit({"x": x}, timeout=1000)
        known = [weakref.ref(x), weakref.ref(future.result()["y"])]
        del x, future
        assert all(map(gone, known))


@pytest.mark.usefixtures("no_collector")
def test_what_is_cancelled_is_not_kept(held):
    x = np.zeros(2, "float32")
    future = held.submit({"x": x}, timeout=1000)
    late = held.submit({"x": x}, timeout=0.01)
    known = weakref.ref(x)
    del x
    assert future.cancel()
    with pytest.raises(TimeoutError):
        late.result()
    assert gone(known)


def test_deadlines_are_not_kept_until_their_time(held, operators):
    operators.gate.set()
    for _ in range(500):
        held.submit(X, timeout=1000).result()
    assert len(deadlines._heap) <= 2 * LEAST_CLEARED


def test_a_deadline_of_a_request_after_a_later_one(held):
    """The thread that watches for a minute is told of what ends before."""
    late = held.submit(X, timeout=60)
    time.sleep(0.02)
    soon = held.submit(X, timeout=0.05)
    with pytest.raises(TimeoutError):
        soon.result(20)
    assert not late.done()


def test_an_interrupted_submit_leaves_its_place(held, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.ThreadPoolExecutor, "submit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        held.submit(X)
    assert held.stats().queued == 0
