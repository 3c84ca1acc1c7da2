# SPDX-License-Identifier: Apache-2.0
"""Requests that find all states taken: who runs them, in which order, and what ends their wait."""

import contextvars
import gc
import os
import signal
import threading
import time
import traceback
import types
import weakref
from collections import Counter

import numpy as np
import pytest

import tvmgo
from tests.helpers import in_threads
from tests.model.conftest import PREFIX, kernel
from tvmgo import Model
from tvmgo._core import state_pool

RUNNER = "tvmgo-runner"


def runners():
    return [thread for thread in threading.enumerate() if thread.name == RUNNER]


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def does():
    """What the operator `do` does for an input that begins with a number."""
    works = {}

    def do(x, out):
        works.get(int(x[0]), lambda: None)()
        out[...] = x * 2

    tvmgo.register_function(kernel(do), PREFIX + "do", override=True)
    yield works
    tvmgo.remove_global_function(PREFIX + "do")


class Gate:
    """Work that goes on when it may."""

    def __init__(self):
        self.is_in = threading.Event()
        self.may_go = threading.Event()

    def __call__(self):
        self.is_in.set()
        assert self.may_go.wait(20)


class Asker(threading.Thread):
    """A thread that asks once."""

    def __init__(self, model, number, **options):
        super().__init__(daemon=True)
        self._ask = lambda: model([number, 1], **options)
        self.answer = self.error = None
        self.start()

    def run(self):
        try:
            self.answer = self._ask().tolist()
        except BaseException as error:
            self.error = error

    def end(self):
        self.join(20)
        assert not self.is_alive(), "it hangs"
        return self.answer if self.error is None else self.error


@pytest.fixture
def taken(write_one, does):
    """A model whose only state is in a run, a function that ends this, and who asked for it."""
    does[1000] = gate = Gate()
    with Model.load(write_one("do"), concurrency=1) as model:
        first = Asker(model, 1000)
        assert gate.is_in.wait(20)
        try:
            yield model, gate.may_go.set
        finally:
            gate.may_go.set()
            assert first.end() == [2000, 2]


def queue(model, number, **options):
    """Return a thread whose request is the last of those that wait."""
    before = model.stats().waiting
    asker = Asker(model, number, **options)
    wait_until(lambda: model.stats().waiting == before + 1)
    return asker


def test_as_many_threads_as_states_run_what_waits(write_one, does):
    names, most = Counter(), []

    def note():
        names[threading.current_thread().name] += 1
        most.append(len(runners()))
        time.sleep(0.002)

    does.update(dict.fromkeys(range(8), note))
    wait_until(lambda: not runners())  # of other tests
    with Model.load(write_one("do"), concurrency=2) as model:
        in_threads(lambda number: [model([number, 1]) for _ in range(20)], 8)
    assert names.total() == 160
    assert names[RUNNER] > 40, names  # all but the first, the last, and where a thread is slow
    assert max(most) <= 2
    wait_until(lambda: not runners())


def test_they_are_run_in_the_order_in_which_they_came(taken, does):
    model, let_go = taken
    order = []
    does.update({i: lambda i=i: order.append(i) for i in range(20)})
    askers = [queue(model, i) for i in range(20)]
    let_go()
    assert [asker.end() for asker in askers] == [[2 * i, 2] for i in range(20)]
    assert order == list(range(20))


def test_callers_that_find_a_state_run_their_requests_themselves(write_one, does):
    does[1] = lambda: names.append(threading.get_ident())
    names = []
    with Model.load(write_one("do"), concurrency=1) as model:
        for _ in range(3):
            model([1, 1])
    assert names == [threading.get_ident()] * 3


def test_operators_see_the_callers_context(taken, does):
    model, let_go = taken
    variable = contextvars.ContextVar("variable")
    seen = {}

    def ask(values):
        variable.set(f"of {values[0]}")
        return model(values)

    def look(number):
        seen[number] = variable.get(), threading.current_thread().name

    does.update({i: lambda i=i: look(i) for i in range(3)})
    askers = [Asker(ask, i) for i in range(3)]
    wait_until(lambda: model.stats().waiting == 3)
    let_go()
    assert [asker.end() for asker in askers] == [[2 * i, 2] for i in range(3)]
    assert seen == {i: (f"of {i}", RUNNER) for i in range(3)}


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_error_is_its_callers_alone(taken, does, kind):
    model, let_go = taken

    def break_off():
        raise kind("of this one")

    does[5] = break_off
    askers = [queue(model, number) for number in (1, 5, 2)]
    let_go()
    answers = [asker.end() for asker in askers]
    assert answers[0] == [2, 2]
    assert answers[2] == [4, 2]
    error = answers[1]
    assert type(error) is kind
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[0] == "run"  # the caller's
    assert names[-1] == "break_off"
    assert model.stats().failed == 1


def test_an_error_is_in_no_cycle(taken, does):
    model, let_go = taken

    class OurError(Exception):
        pass

    def break_off():
        raise OurError

    does[5] = break_off
    died = threading.Event()

    def ask():
        try:
            model([5, 5])
        except OurError as error:
            weakref.finalize(error, died.set)

    gc.collect()
    gc.disable()
    try:
        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: model.stats().waiting == 1)
        let_go()
        thread.join(20)
        assert died.wait(5)
    finally:
        gc.enable()


def test_a_thread_that_rests_keeps_no_model(write_one, does):
    does[1000] = gate = Gate()
    model = Model.load(write_one("do"), concurrency=1)
    first = Asker(model, 1000)
    assert gate.is_in.wait(20)
    second = queue(model, 1)
    gate.may_go.set()
    assert (first.end(), second.end()) == ([2000, 2], [2, 2])
    del first, second
    wait_until(lambda: model.stats().running == 0)
    left = weakref.ref(model._serving.engine)
    assert runners()
    model.close()
    assert left() is None


def test_without_threads_those_who_wait_run_their_requests(taken, does, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise RuntimeError("can't start new thread")

    model, let_go = taken
    wait_until(lambda: not runners())
    without = types.SimpleNamespace(Lock=threading.Lock, Thread=refuse)
    monkeypatch.setattr(state_pool, "threading", without)
    names = []
    does.update(dict.fromkeys(range(9), lambda: names.append(threading.current_thread().name)))
    askers = [queue(model, i) for i in range(9)]
    let_go()
    assert [asker.end() for asker in askers] == [[2 * i, 2] for i in range(9)]
    assert names == [asker.name for asker in askers]


def test_all_states_are_had_in_turn(taken):
    """By a warm-up, between requests."""
    model, let_go = taken
    first = queue(model, 1)
    done = []
    warmup = threading.Thread(target=lambda: done.append(model.warmup()))
    warmup.start()
    wait_until(lambda: model.stats().waiting == 2)
    last = queue(model, 2)
    let_go()
    warmup.join(20)
    assert (first.end(), done, last.end()) == ([2, 2], [None], [4, 2])


# ---------------------------------------------------------------- interrupted


class Interrupted(BaseException):
    pass


@pytest.fixture
def interrupt_when():
    """Have this thread, the main one, interrupted so often, when something is so."""

    def interrupt(*_):
        raise Interrupted

    def start(condition, times=1):
        def send():
            wait_until(condition)
            for _ in range(times):
                time.sleep(0.05)
                os.kill(os.getpid(), signal.SIGUSR1)

        sender = threading.Thread(target=send)
        sender.start()
        senders.append(sender)

    senders = []
    before = signal.signal(signal.SIGUSR1, interrupt)
    yield start
    for sender in senders:
        sender.join()
    signal.signal(signal.SIGUSR1, before)


def test_an_interrupted_wait_takes_the_request_out_of_the_queue(taken, does, interrupt_when):
    model, let_go = taken
    does[5] = lambda: ran.append(5)
    ran = []
    others = [queue(model, 1)]
    interrupt_when(lambda: model.stats().waiting == 2)
    with pytest.raises(Interrupted):
        model([5, 5])
    assert model.stats().waiting == 1
    others.append(queue(model, 2))
    let_go()
    assert [other.end() for other in others] == [[2, 2], [4, 2]]
    assert ran == []


@pytest.mark.parametrize("times", [1, 3])
def test_an_interrupted_wait_ends_when_the_run_has(taken, does, interrupt_when, times):
    """It writes into the caller's array until then."""
    model, let_go = taken
    steps = []

    def run():
        assert threading.current_thread().name == RUNNER
        interrupt_when(lambda: True, times)
        time.sleep(0.05 * times + 0.2)
        steps.append("run")

    def let_go_then():
        wait_until(lambda: model.stats().waiting == 1)
        let_go()

    does[5] = run
    out = np.zeros(2, "float32")
    threading.Thread(target=let_go_then).start()
    with pytest.raises(Interrupted):
        model(np.array([5, 5], "float32"), out=out)
    steps.append("raised")
    assert steps == ["run", "raised"]
    assert out.tolist() == [10, 10]
    assert model([1, 1]).tolist() == [2, 2]


# ---------------------------------------------------------------- waits for oneself


def test_a_request_in_a_runner_that_waits_for_itself(taken, does):
    model, let_go = taken
    does[5] = lambda: model([1, 1])
    asker = queue(model, 5)
    let_go()
    assert isinstance(asker.end(), tvmgo.TVMBusyError)
    assert model([1, 1]).tolist() == [2, 2]


def test_who_is_being_run_waits_for_that_run_alone(write_one, does):
    """Not for any state of the model that runs it, which another request may have."""
    does[1], does[2], in_two = Gate(), Gate(), []
    with (
        Model.load(write_one("do", name="one"), concurrency=2) as one,
        Model.load(write_one("do", name="two"), concurrency=1) as two,
    ):
        first, second = Asker(one, 1), Asker(one, 2)
        assert does[1].is_in.wait(20)
        assert does[2].is_in.wait(20)
        does[3] = lambda: one([4, 0])
        does[4] = lambda: in_two.append(
            two([5, 0])
        )  # has no end: the state of `two` waits for this
        third = Asker(two, 3)
        wait_until(lambda: one.stats().waiting == 1)
        does[1].may_go.set()
        assert isinstance(third.end(), tvmgo.TVMBusyError)
        assert second.is_alive()
        assert in_two == []
        does[2].may_go.set()
        assert (first.end(), second.end()) == ([2, 2], [4, 2])
        assert two([5, 0]).tolist() == [10, 0]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_models_whose_operators_call_each_other(write_one, does, concurrency):
    """From many threads: each call has its answer or an error, and none hangs."""
    answers = Counter()
    options = {"concurrency": concurrency}
    with (
        Model.load(write_one("do", name="one"), **options) as one,
        Model.load(write_one("do", name="two"), **options) as two,
    ):
        # What an input of so much does: a chain through both models.
        for depth in range(1, 4):
            does[10 + depth] = lambda depth=depth: two([20 + depth - 1, 0])
            does[20 + depth] = lambda depth=depth: one([10 + depth - 1, 0])

        def work(number):
            model, base = ((one, 10), (two, 20))[number % 2]
            for i in range(60):
                depth = (number + i) % 4
                try:
                    assert model([base + depth, 7]).tolist() == [2 * (base + depth), 14]
                    answers["right"] += 1
                except tvmgo.TVMBusyError:
                    answers["busy"] += 1

        askers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(6)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(60)
            assert not asker.is_alive(), "it hangs"
        assert answers.total() == 360
        assert answers["right"] >= 90  # those of no depth have no reason to fail
        for model in (one, two):
            assert model([1, 1]).tolist() == [2, 2]
            assert model.stats().running == model.stats().waiting == 0
