# SPDX-License-Identifier: Apache-2.0
"""Threads: the GIL is given away while native code runs, and many threads may call at once."""

import os
import sys
import threading
import time

import numpy as np
import pytest

import tvmgo
from tests.helpers import in_threads, output_of

THREADS = 8


class Ticker:
    """A thread that counts as long as it gets the GIL."""

    def __enter__(self):
        self.ticks, self.stop = 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.stop:
            self.ticks += 1
            time.sleep(0.001)

    def __exit__(self, *exception):
        self.stop = True
        self.thread.join()


# ---------------------------------------------------------------- the GIL


@pytest.mark.parametrize(
    "call",
    [
        lambda k: k["sleep_us"](300_000),
        lambda k: k["sleep_us"].invoke(300_000),
        lambda k: k["forward"](k["sleep_us"], 300_000),
        lambda k: k["forward_in_new_thread"](k["sleep_us"], 300_000),
        lambda k: tvmgo.convert_function(lambda: k["sleep_us"](300_000))(),
        lambda k: k["sleep_us"](*[300_000]),
        lambda k: k["forward"](k["sleep_us"], tvmgo.Value(300_000)),
    ],
    ids=["call", "invoke", "nested", "other thread", "callback", "spread", "value"],
)
def test_gil_is_released_while_a_kernel_runs(kernels, call):
    with Ticker() as ticker:
        before = ticker.ticks
        call(kernels)
        assert ticker.ticks - before >= 30  # of about 250


def test_gil_is_released_while_a_kernel_with_misaligned_arrays_runs(kernels):
    def sleep(*arrays):
        time.sleep(0)
        kernels["sleep_us"](300_000)

    with Ticker() as ticker:
        before = ticker.ticks
        kernels["forward"](sleep, np.zeros(10, np.float32)[1:])
        assert ticker.ticks - before >= 30


def test_gil_is_kept_where_the_user_says_so(kernels):
    function = kernels["sleep_us"]
    assert function.release_gil is True
    function.release_gil = False
    assert function.release_gil is False
    with Ticker() as ticker:
        before = ticker.ticks
        function(300_000)
        function.prepare(300_000)()
        assert ticker.ticks - before <= 5  # between the calls


def test_gil_policy_is_that_of_one_function_object(kernels):
    function = kernels["sleep_us"]
    function.release_gil = False
    assert kernels["sleep_us"].release_gil is True


@pytest.mark.parametrize("release", [True, False])
def test_callbacks_run_with_the_gil_under_either_policy(kernels, release):
    forward = kernels["forward"]
    forward.release_gil = release
    assert forward(lambda x: [x, threading.get_ident()], 1) == [1, threading.get_ident()]
    assert forward(forward, forward, lambda: "deep") == "deep"


@pytest.mark.parametrize("repeats", [1, 3])
def test_callback_in_a_thread_of_native_code_runs_each_time(kernels, repeats):
    answers = [
        kernels["forward_in_new_thread"](lambda: threading.get_ident()) for _ in range(repeats)
    ]
    assert threading.get_ident() not in answers


def test_gil_is_released_while_a_library_is_loaded(generation_path):
    path = generation_path(78, "-D_DEFAULT_SOURCE", "-DNAP_US=300000")
    with Ticker() as ticker:
        before = ticker.ticks
        assert tvmgo.load_module(path)["generation"]() == 78
        assert ticker.ticks - before >= 30


def test_gil_is_released_during_a_long_copy():
    source = np.zeros(64 << 20, np.uint8)
    target = tvmgo.empty(64 << 20, "uint8")
    with Ticker() as ticker:
        before, start = ticker.ticks, time.perf_counter()
        while time.perf_counter() - start < 0.5:
            target.copy_from(source)
        assert ticker.ticks - before >= 30


def test_two_sleeping_kernels_sleep_at_the_same_time(kernels):
    start = time.perf_counter()
    in_threads(lambda number: kernels["sleep_us"](300_000), 4)
    assert time.perf_counter() - start < 0.9  # one after the other: 1.2


def test_callback_may_wait_for_another_thread_that_calls(kernels):
    answers = []

    def wait():
        thread = threading.Thread(target=lambda: answers.append(kernels["sum_ints"](1, 2)))
        thread.start()
        thread.join(20)
        return answers[0]

    assert kernels["forward"](wait) == 3


def test_dropping_a_function_while_other_threads_run_does_not_deadlock(kernels):
    def work(number):
        for _ in range(200):
            kernels["keep" if number == 0 else "nargs"](lambda: None)
            if number == 0:
                kernels["drop_in_new_thread"]()
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


# ---------------------------------------------------------------- foreign threads


def test_callback_from_a_foreign_thread_works(kernels):
    seen = []
    answer = kernels["forward_in_new_thread"](
        lambda x: (seen.append(threading.get_ident()), x + 1)[1], 5
    )
    assert answer == 6
    assert seen != [threading.get_ident()]


def test_callback_from_a_foreign_thread_may_call_back_again(kernels):
    forward = kernels["forward_in_new_thread"]

    def descend(n):
        return n if n == 5 else forward(descend, n + 1)

    assert descend(0) == 5


@pytest.mark.parametrize(
    "x", ["a longer text", b"longer bytes", [1, "two"], {"a": 1}, 2**70], ids=repr
)
def test_callback_from_a_foreign_thread_passes_objects(kernels, x):
    assert kernels["forward_in_new_thread"](lambda x: x, x) == x


def test_callback_from_a_foreign_thread_passes_arrays(kernels):
    source = np.zeros(4)

    def fill(x):
        np.asarray(x)[:] = 5

    kernels["forward_in_new_thread"](fill, source)
    assert source.tolist() == [5, 5, 5, 5]


def test_callback_from_many_foreign_threads_works(kernels):
    forward, total = kernels["forward_in_new_thread"], []
    in_threads(lambda number: [forward(total.append, number) for _ in range(100)], THREADS)
    assert sum(total) == 100 * sum(range(THREADS))


# ---------------------------------------------------------------- many callers


def test_threads_call_one_kernel(kernels):
    call = kernels["sum_ints"]

    def work(number):
        return all(call(number, i) == number + i for i in range(5000))

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_call_one_callback():
    function = tvmgo.convert_function(lambda x, y: x + y)

    def work(number):
        return all(function(number, i) == number + i for i in range(3000))

    assert in_threads(work, THREADS) == [True] * THREADS


@pytest.mark.parametrize(
    "make, read",
    [
        (
            lambda k, number, i: k["echo"].invoke(f"a text of thread {number}, call {i}"),
            lambda v: v.as_str(),
        ),
        (
            lambda k, number, i: k["echo"].invoke(b"bytes %d %d, longer than seven" % (number, i)),
            lambda v: v.as_bytes(),
        ),
    ],
    ids=["str", "bytes"],
)
def test_threads_read_their_own_results(kernels, make, read):
    def work(number):
        for i in range(2000):
            value = make(kernels, number, i)
            other = make(kernels, number, -i)
            if str(number) not in str(read(value)) or (read(other) == read(value) and i):
                return False
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_add_arrays(kernels):
    def work(number):
        x = tvmgo.array(np.full(100, number, np.float32))
        out = tvmgo.empty(100)
        for i in range(1000):
            kernels["myadd"](x, x, out)
            if out.numpy()[99] != 2 * number:
                return False
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_catch_their_own_errors(kernels):
    def work(number):
        for i in range(1000):
            try:
                kernels["fail"]("ValueError", f"thread {number}, call {i}")
            except ValueError as error:
                if str(error) != f"thread {number}, call {i}":
                    return str(error)
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_catch_their_own_exceptions(kernels):
    def work(number):
        for i in range(500):
            exception = KeyError(number, i)

            def fail():
                raise exception

            try:
                kernels["forward"](fail)
            except KeyError as error:
                if error is not exception:
                    return False
            exception.__traceback__ = None
            del fail
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_register_and_remove():
    def work(number):
        for i in range(200):
            name = f"tests.threads.{number}.{i}"
            tvmgo.register_function(lambda number=number: number, name)
            if tvmgo.get_global_function(name)() != number:
                return False
            tvmgo.remove_global_function(name)
        return True

    assert in_threads(work, THREADS) == [True] * THREADS
    assert not [name for name in tvmgo.list_global_functions() if name.startswith("tests.threads.")]


def test_threads_register_one_name_and_one_wins(global_name):
    def work(number):
        try:
            tvmgo.register_function(lambda: number, global_name)
            return True
        except tvmgo.TVMError:
            return False

    assert sorted(in_threads(work, THREADS)) == [False] * (THREADS - 1) + [True]


def test_threads_list_while_names_change(global_name):
    def work(number):
        for i in range(50):
            if number:
                names = tvmgo.list_global_functions()
                if "ffi.Array" not in names or names != sorted(names):
                    return False
            else:
                tvmgo.register_function(lambda: None, global_name, override=True)
                tvmgo.remove_global_function(global_name)
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_make_and_drop_everything(kernels):
    """Counting what is alive must not lose an update."""

    def work(number):
        for i in range(500):
            array = tvmgo.array(np.arange(3))
            value = tvmgo.Value([array, "a longer text", lambda: number])
            kernels["echo"](value)
            kernels["forward_in_new_thread" if i % 50 == 0 else "forward"](lambda x: x, value)
        return True

    assert in_threads(work, THREADS) == [True] * THREADS


def test_threads_load_modules(kernels_path):
    assert in_threads(
        lambda number: [tvmgo.load_module(kernels_path)["sum_ints"](number, 1) for _ in range(50)],
        THREADS,
    ) == [[number + 1] * 50 for number in range(THREADS)]


def test_thread_switches_in_the_middle_of_calls_do_no_harm(kernels):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        function = tvmgo.convert_function(lambda *args: kernels["echo"](args))
        assert (
            in_threads(
                lambda number: all(
                    function(number, "a longer text", i) == [number, "a longer text", i]
                    for i in range(500)
                ),
                THREADS,
            )
            == [True] * THREADS
        )
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_who_makes_a_fork_wait_may_drop_a_library(kernels_path):
    """A fork waits for whoever loads something, and whoever drops a library for the fork."""
    code = f"""
    import os, threading, time, warnings
    import tvmgo
    from tvmgo._native.forks import importing, loading

    def drop_under(lock):
        module = tvmgo.load_module({str(kernels_path)!r})
        with lock:
            held.set()
            forks.wait()
            time.sleep(0.1)  # the fork has come as far as it can
            del module

    warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads
    held, forks = threading.Event(), threading.Event()
    os.register_at_fork(before=forks.set)  # the first thing that a fork does
    for lock in (loading, importing):
        held.clear(), forks.clear()
        thread = threading.Thread(target=drop_under, args=(lock,))
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            os._exit(0)
        print(os.waitpid(child, 0)[1])
        thread.join()
    """
    assert output_of(code, timeout=20) == "0\n0\n"
