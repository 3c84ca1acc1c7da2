# SPDX-License-Identifier: Apache-2.0
"""``conc``: goroutines, which are threads here."""

import gc
import threading
import time
from collections import Counter

import numpy as np

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback
from conformance.outcome import attempt

THREADS = 8


def in_threads(work):
    """Run ``work(thread, count)`` in eight threads and add up what they count."""
    counts = [Counter() for _ in range(THREADS)]
    failures = []

    def run(thread):
        try:
            work(thread, counts[thread])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=[i]) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return dict(sum(counts, Counter()))


def verdict(right):
    """Return the word under which the recording program counted."""
    return "correct" if right else "wrong"


@counterpart("conc.own_callback", alone=True)
def own_callbacks():
    def work(thread, count):
        for i in range(2000):
            function = callback(lambda i=i: thread * 10_000 + i)
            count[verdict(function.invoke().as_int64() == thread * 10_000 + i)] += 1

    return in_threads(work)


@counterpart(
    "conc.string_result",
    "conc.string_result.yield",
    "conc.string_result.locked",
    "conc.string_result.yield.locked",
    alone=True,
)
def string_results(fact):
    # A thread is what a goroutine locked to its thread is; there are no others here.
    yields = "yield" in fact.case
    echo = callback(lambda value: value.as_str())

    def work(thread, count):
        for i in range(3000 if yields else 5000):
            text = f"thread {thread} call {i}"
            value = echo.invoke(text)
            if yields:
                time.sleep(0)
            count[verdict(value.as_str() == text)] += 1

    return in_threads(work)


@counterpart("conc.load_missing", "conc.load_missing.locked", alone=True)
def missing_files():
    def work(thread, count):
        name = f"nosuch_{thread}.so"
        for _ in range(300):
            text = str(attempt(tvmgo.load_module, name).error)
            count["own text" if name in text else "another text" if text else "empty text"] += 1

    return in_threads(work)


@counterpart("conc.arrays", alone=True)
def arrays():
    myadd = library.kernel("myadd")

    def work(thread, count):
        for i in range(1000):
            x, y, out = (tvmgo.empty([4]) for _ in range(3))
            x.copy_from(np.full(4, thread, np.float32))
            y.copy_from(np.full(4, i, np.float32))
            myadd.invoke(x, y, out)
            count[verdict((out.as_slice() == thread + i).all())] += 1

    return in_threads(work)


@counterpart("conc.register", alone=True)
def registrations():
    before = set(tvmgo.list_global_functions())

    def work(thread, count):
        for i in range(200):
            tvmgo.register_function(lambda: 1, f"conc.{thread}.{i}")
            count["registered"] += 1

    try:
        counts = in_threads(work)
    finally:
        added = set(tvmgo.list_global_functions()) - before
        for name in added:
            tvmgo.remove_global_function(name)
    return {**counts, "listed": len(added)}


@counterpart("conc.callback.gc_on", "conc.callback.gc_on.pinned_control", alone=True)
def callbacks_under_collection():
    functions = [callback(lambda value, i=i: value.as_int64() + i) for i in range(THREADS)]

    def work(thread, count):
        for i in range(2000):
            if i % 500 == 0:
                gc.collect()
                assert [bytearray(1000) for _ in range(100)]
            count[verdict(functions[thread].invoke(i).as_int64() == thread + i)] += 1

    return in_threads(work)


@counterpart("conc.serial_load_missing", "conc.serial_error_text", alone=True)
def serial_failures(fact):
    kernel = library.kernel("err_msg")
    count = Counter()
    for i in range(3000):
        if fact.case == "serial_load_missing":
            own = f"nosuch_{i}.so"
            observed = attempt(tvmgo.load_module, own)
        else:
            own = "deliberate failure from C"
            observed = attempt(kernel.invoke)
        count["own text" if own in str(observed.error) else "another text"] += 1
    return dict(count)
