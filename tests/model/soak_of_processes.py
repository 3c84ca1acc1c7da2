# SPDX-License-Identifier: Apache-2.0
"""The long rows of the matrix in docs/guide/threads_and_forks.md.

``python -m tests.model.soak_of_processes [times]`` loads and closes a model of each kind 10,000 times, has
10,000 threads run parallel kernels, and forks 500 times during runs and during loads; nothing may grow.
"""

import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from tests.helpers import resident_bytes
from tests.model.kinds import KINDS, request, save
from tests.model.life import ends_well
from tvmgo import Model


def counts():
    """Return how many threads, and descriptors, the system has for this process."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def more_than(before):
    return any(now > then for now, then in zip(counts(), before))


def stays_as_it_is(work, times, allowed):
    """Call ``work(number)`` that often after a tenth of it; threads, descriptors and memory stay."""
    for number in range(times // 10):
        work(number)
    gc.collect()
    before, memory = counts(), resident_bytes()
    for number in range(times):
        work(number)
    gc.collect()
    end = time.monotonic() + 10
    # Threads take a moment to end; one of before may have ended, such as that of deadlines.
    while more_than(before) and time.monotonic() < end:
        time.sleep(0.01)
    assert not more_than(before), (counts(), before)
    grown = resident_bytes() - memory
    assert grown < allowed, f"{grown} bytes more after {times} times"


def loads_leave_nothing(kind, folder, times, allowed):
    def load(number):
        x, y = request(kind, number % 1000)
        with Model.load(folder, concurrency=2, threads=2) as model:
            np.testing.assert_array_equal(model(x), y)
            if number % 10 == 0:
                [answer] = model.submit({"x": x}).result(20).values()
                np.testing.assert_array_equal(answer, y)

    stays_as_it_is(load, times, allowed)


def threads_leave_nothing(kind, model, times, allowed):
    def ask(number):
        x, y = request(kind, number % 1000)
        np.testing.assert_array_equal(model(x), y)

    def start(number):
        threads = [threading.Thread(target=ask, args=(number + i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    stays_as_it_is(start, times // 4, allowed)


SOAK = """
from tests.model.soak_of_processes import loads_leave_nothing, threads_leave_nothing

def load(number):
    x, y = request(KIND, number)
    with Model.load(FOLDER, concurrency=1) as other:
        np.testing.assert_array_equal(other(x), y)

for work in (check, load):
    for _ in range({forks} // 100 + 1):
        with serving(work):
            for number in range(50):
                in_child(lambda: work(number))
threads_leave_nothing(KIND, model, {times}, 2 << 20)
for each in (*batchers, model):
    each.close()
loads_leave_nothing(KIND, FOLDER, {times}, 2 << 20)
"""


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as place:
        for kind in KINDS:
            folder = save(kind, Path(place, kind))
            start = time.monotonic()
            ends_well(kind, folder, SOAK.format(times=times, forks=times // 10), timeout=3600)
            print(
                f"{kind}: {times:,} loads, {times:,} threads, {times // 10:,} forks during runs and loads, "
                f"nothing left, {time.monotonic() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
