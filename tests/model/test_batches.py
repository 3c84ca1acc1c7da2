# SPDX-License-Identifier: Apache-2.0
"""Models of several sizes: how rows are shared out, and requests that run together."""

import asyncio
import itertools
import threading
import time

import numpy as np
import pytest

import tvmgo
from tests.helpers import in_threads
from tests.model.conftest import COLUMNS
from tvmgo import Batcher, Model
from tvmgo.model import ModelClosedError, QueueFullError
from tvmgo.model.engines.batched import cheapest
from tvmgo.model.requests.batch_queue import BatchQueue, Entry


def rows_of(count, start=0):
    return (np.arange(count * COLUMNS, dtype="float32") + start).reshape(count, COLUMNS)


@pytest.mark.parametrize(
    "costs",
    [
        {1: 1.0, 8: 2.0, 32: 5.0},
        {1: 1.0, 8: 8.0, 32: 32.0},
        {1: 1.0, 8: 8.5, 32: 40.0},
        {2: 3.0, 3: 3.5, 7: 9.0},
        {5: 1.0},
    ],
)
def test_plans_are_the_cheapest_there_are(costs):
    def by_search(rows):
        most = [range(-(-rows // size) + 1) for size in costs]
        return min(
            sum(count * cost for count, cost in zip(counts, costs.values()))
            for counts in itertools.product(*most)
            if sum(count * size for count, size in zip(counts, costs)) >= rows
        )

    for rows in range(1, 41):
        plan = cheapest(costs, rows)
        assert sum(plan) >= rows > sum(plan) - plan[-1]
        assert sum(costs[size] for size in plan) == pytest.approx(by_search(rows))


def test_plans_of_many_rows_are_made_quickly():
    plan = cheapest({1: 1.0, 8: 2.0, 64: 10.0, 256: 30.0}, 1_000_003)
    assert sum(plan) >= 1_000_003
    assert plan.count(256) >= 3900


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 23, 100])
def test_any_number_of_rows(write_sizes, count):
    with Model.load(write_sizes()) as model:
        x = rows_of(count)
        np.testing.assert_array_equal(model(x), 2 * x)
        out = np.zeros_like(x)
        assert model(x, out=out) is out
        np.testing.assert_array_equal(out, 2 * x)
        assert model.inputs[0].shape == ("batch", COLUMNS)
        assert (model.batch_sizes, model.rows_independent) == ((1, 4, 8), True)


def aligned(array):
    memory = np.asarray(tvmgo.empty(array.shape, array.dtype))
    memory[...] = array
    return memory


def test_requests_that_must_not_be_copied(write_sizes):
    folder = write_sizes(sizes=(4, 8), columns=16)  # rows of 64 bytes
    x = aligned(np.arange(20 * 16, dtype="float32").reshape(20, 16))
    with Model.load(folder, copy="never") as model:
        out = aligned(np.zeros((20, 16), "float32"))
        for count in (4, 8, 12, 20):
            np.testing.assert_array_equal(model(x[:count]), 2 * x[:count])
            np.testing.assert_array_equal(model(x[:count], out=out[:count]), 2 * x[:count])
        with pytest.raises(
            ValueError, match='copy="never": expected a number of rows that 4 or 8 add up'
        ):
            model(x[:5])
        for wrong in (np.zeros((12, 17), "float32")[:, 1:], unaligned(x[:12])):
            with pytest.raises(ValueError, match="copy=\"never\": input 'x': rows 0 to"):
                model(wrong)
        out[...] = -1
        with pytest.raises(ValueError, match="copy=\"never\": output 'y': rows 0 to"):
            model(x[:12], out=unaligned(out)[:12])
        assert model.copies == 0 and (out == -1).all()
    with Model.load(folder) as model:
        assert model(x[:5]).shape == (5, 16) and model.copies > 0


def test_parts_of_a_request_that_begin_at_odd_addresses(write_sizes):
    x = aligned(rows_of(13))  # of 12 bytes: 8 rows are 96
    with Model.load(write_sizes(sizes=(1, 8)), copy="never") as model:
        assert model(x[:8]).tolist() == (2 * x[:8]).tolist()
        out = aligned(np.full((13, COLUMNS), -1, "float32"))
        with pytest.raises(ValueError, match="rows 8 to 9 run by themselves|rows 1 to 2 run by"):
            model(x, out=out)
        assert (out == -1).all()
    with Model.load(write_sizes(sizes=(1, 8))) as model:
        assert model(x).tolist() == (2 * x).tolist()
        assert model.copies > 0


def unaligned(array):
    memory = np.zeros(array.nbytes + 128, "uint8")
    start = -memory.ctypes.data % 64 + 4
    view = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def test_rows_that_depend_on_each_other_are_not_split(write_sizes):
    with Model.load(write_sizes(independent=False)) as model:
        np.testing.assert_array_equal(model(rows_of(4)), 2 * rows_of(4))
        with pytest.raises(ValueError, match="expected 1 or 4 or 8 rows.*got 5; its rows are not"):
            model(rows_of(5))
        with pytest.raises(ValueError, match="expected one whose rows are independent"):
            Batcher(model)


def test_no_rows_at_all(write_sizes):
    with Model.load(write_sizes()) as model:
        assert model(rows_of(0)).shape == (0, COLUMNS)


def test_binding_of_a_size(write_sizes):
    with Model.load(write_sizes()) as model:
        for count in (4, 5):
            x = rows_of(count)
            binding = model.bind({"x": x})
            binding.run()
            np.testing.assert_array_equal(np.asarray(binding.outputs["y"]), 2 * x)
            x[:] = 1
            binding.run()
            np.testing.assert_array_equal(np.asarray(binding.outputs["y"]), 2 * x)


def test_requests_run_together_and_answers_are_their_own(write_sizes):
    with Model.load(write_sizes("nap"), concurrency=2) as model, Batcher(model) as batcher:

        def work(number):
            for request in range(20):
                x = rows_of(1 + number % 3, 1000 * number + 10 * request)
                np.testing.assert_array_equal(batcher({"x": x})["y"], -x)

        in_threads(work, 16)
        assert batcher.max_batch == 8
        assert model.stats().requests < 16 * 20


def test_a_batch_waits_for_others_as_long_as_may_be(write_sizes):
    with Model.load(write_sizes()) as model, Batcher(model, max_delay=20) as batcher:
        futures = [batcher.submit({"x": rows_of(1, i)}) for i in range(8)]  # full: it runs at once
        for i, future in enumerate(futures):
            np.testing.assert_array_equal(future.result(10)["y"], 2 * rows_of(1, i))
        late = batcher.submit({"x": rows_of(1)})
        time.sleep(0.05)
        assert not late.done()
    np.testing.assert_array_equal(late.result(0)["y"], 2 * rows_of(1))


def test_a_request_of_more_rows_than_a_batch(write_sizes):
    with Model.load(write_sizes()) as model, Batcher(model, max_delay=0) as batcher:
        np.testing.assert_array_equal(batcher({"x": rows_of(30)})["y"], 2 * rows_of(30))


def test_an_error_is_that_of_its_own_request(write_sizes):
    with Model.load(write_sizes("fail"), concurrency=1) as model, Batcher(model) as batcher:
        rows = [-1, 1, -2, 2]
        futures = [batcher.submit({"x": np.full((1, COLUMNS), row, "float32")}) for row in rows]
        # `fail` looks at the first row of a run, so a merged run may hide those that are not.
        for row, future in zip(rows, futures):
            if row < 0:
                assert future.result(20)["y"].tolist() == [[row] * COLUMNS]
        with pytest.raises(ZeroDivisionError):
            batcher({"x": np.ones((1, COLUMNS), "float32")})
        with pytest.raises(ValueError, match="input 'x'"):
            batcher({"x": np.ones((1, COLUMNS + 1), "float32")})
        with pytest.raises(KeyError, match="no input 'z'"):
            batcher({"z": rows_of(1)})


def test_full_queue_cancellation_and_await(write_sizes, operators):
    operators.gate.clear()
    with Model.load(write_sizes("wait"), concurrency=1) as model:
        with Batcher(model, max_delay=0, capacity=3) as batcher:
            first = batcher.submit({"x": rows_of(1)})
            while operators.running == 0:
                time.sleep(0.001)
            waiting = [batcher.submit({"x": rows_of(1, i)}) for i in range(3)]
            with pytest.raises(QueueFullError, match="3 requests wait already"):
                batcher.submit({"x": rows_of(1)})
            assert waiting[1].cancel()
            operators.gate.set()
            assert first.result(20)["y"].tolist() == rows_of(1).tolist()
            assert waiting[2].result(20)["y"].tolist() == rows_of(1, 2).tolist()

            async def main():
                return await asyncio.gather(
                    *(batcher.run_async({"x": rows_of(1, i)}) for i in range(3))
                )

            for i, answer in enumerate(asyncio.run(main())):
                assert answer["y"].tolist() == rows_of(1, i).tolist()
        with pytest.raises(ModelClosedError):
            batcher({"x": rows_of(1)})


def test_arguments_that_make_no_sense(write_sizes, two_inputs):
    with Model.load(write_sizes()) as model:
        for arguments, kind in (
            ({"max_batch": 0}, ValueError),
            ({"capacity": 0}, ValueError),
            ({"max_delay": -1}, ValueError),
            ({"max_delay": float("inf")}, ValueError),
            ({"max_delay": "1"}, TypeError),
        ):
            with pytest.raises(kind, match=next(iter(arguments))) as caught:
                Batcher(model, **arguments)
            assert isinstance(caught.value, tvmgo.TVMError)
        with Batcher(model) as batcher:
            for inputs in (None, 3, [rows_of(1)], np.zeros(0)):
                with pytest.raises(tvmgo.TVMTypeError, match="inputs: expected a mapping, got"):
                    batcher.submit(inputs)
        with pytest.raises(TypeError, match="model: expected a Model"):
            Batcher("model")
    with Model.load(two_inputs) as model, pytest.raises(ValueError, match="rows are independent"):
        Batcher(model)


def test_threads_end_with_the_batcher(write_sizes):
    before = threading.active_count()
    with Model.load(write_sizes()) as model, Batcher(model) as batcher:
        batcher({"x": rows_of(1)})
        assert threading.active_count() == before + 1  # one is enough for one client
    assert threading.active_count() == before


def test_all_threads_end_while_one_gathers():
    running, go = threading.Semaphore(0), threading.Semaphore(0)

    def run(batch):
        running.release()
        assert go.acquire(timeout=20)
        return [{} for _ in batch]

    queue = BatchQueue(run, threads=2, max_batch=2, max_delay=20, capacity=10)
    for _ in range(2):  # a thread each
        queue.add(Entry([], rows=2))
        assert running.acquire(timeout=20)
    for _ in range(3):
        go.release()
    end = time.monotonic() + 20
    while len(queue._idle) < 2 and time.monotonic() < end:
        time.sleep(0.001)
    last = Entry([], rows=1)
    queue.add(last)  # one thread gathers, the other has nothing to do
    closing = threading.Thread(target=queue.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    assert last.wait() == {}


def test_warmup_runs_every_size(write_sizes):
    with Model.load(write_sizes(sizes=(1, 4)), concurrency=2) as model:
        model.warmup()
        states = model._serving.states.states
        assert [sorted(state._states) for state in states] == [[1, 4], [1, 4]]
        assert model._serving.engine._costs.keys() == {1, 4}  # before others need the CPUs


def test_threads_end_with_a_batcher_that_is_not_closed(write_sizes):
    before = threading.active_count()
    with Model.load(write_sizes()) as model:
        batcher = Batcher(model, max_delay=20)
        late = batcher.submit({"x": rows_of(1)})
        assert threading.active_count() == before + 1
        del batcher
        assert late.result(20)["y"].tolist() == (2 * rows_of(1)).tolist()  # not after 20 s
        end = time.monotonic() + 20
        while threading.active_count() > before and time.monotonic() < end:
            time.sleep(0.001)
        assert threading.active_count() == before
