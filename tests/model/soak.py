# SPDX-License-Identifier: Apache-2.0
"""One Model, busy for minutes: no wrong answer, and memory, threads and descriptors stay as they are.

``python -m tests.model.soak [--seconds 600]``. Threads call, bind, submit, await, batch, cancel, ask wrongly and
load the model a second time, while another puts a different network in its place again and again. After a fifth of the time
all has its size, and grows no more. With MALLOC_ARENA_MAX=2, as `make soak` sets it: glibc gives threads up to eight
arenas a CPU, each of which slowly comes to hold as much free memory as its threads ever needed at a time.
"""

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import itertools
import os
import pickle
import random
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import in_threads, resident_bytes
from tests.model import exact
from tvmgo import Batcher, Model
from tvmgo.compiler import export
from tvmgo.model import QueueFullError

HANGS = 300  # seconds over time, with which a busy machine has nothing to do
LEGS, SETTLED = 10, 2  # of the whole time, after which all threads have ended
GROWTH = 1.01, 2e6  # of memory that is no leak yet
SIGNS = (1, -1)  # of the two networks that take turns


class Soak:
    """The model, and what threads do with it; each method once, over and over again."""

    def __init__(self, folder):
        self.folder = folder
        for sign in SIGNS:
            exact.save_network(folder / "exact.onnx", sign)
            export(folder / "exact.onnx", folder / f"network{sign}", batch=(1, 8, 32))
        self.signs = itertools.cycle(SIGNS)
        self.exchange()
        self.model = Model.load(folder / "served", concurrency=2)
        self.batcher = Batcher(self.model, max_delay=0.001)
        self.numbers = itertools.count()
        self.counts = Counter()

    def close(self):
        self.batcher.close()
        self.model.close()

    def exchange(self):
        """Put the other network in place of this one, in one step."""
        new = self.folder / "new"
        new.symlink_to(self.folder / f"network{next(self.signs)}")
        new.replace(self.folder / "served")

    def question(self, most=40):
        """Return rows that nobody asked for before, and what may come out."""
        count = random.randint(1, most)
        x = exact.rows(next(self.numbers) * 40, count)
        return x.astype("float32"), exact.answers(x)

    def check(self, y, expected):
        """See that all rows are answered rightly by one of the networks."""
        y = np.asarray(y)
        assert any(np.array_equal(y, sign * expected) for sign in SIGNS), (y, expected)

    # What threads do.

    def call(self):
        x, expected = self.question()
        kind = random.randrange(4)
        if kind == 0:
            self.check(self.model(x), expected)
        elif kind == 1:
            y = np.empty(expected.shape, "float32")
            assert self.model(x=x, out=y) is y
            self.check(y, expected)
        elif kind == 2:
            self.check(self.model.run({"x": x.astype("float64")})["y"], expected)
        else:
            self.check(self.model(np.repeat(x, 2, axis=0)[::2]), expected)

    def bind(self):
        x, expected = self.question()
        binding = self.model.bind({"x": x})
        for _ in range(20):
            binding.run()
            (y,) = binding.outputs.values()
            self.check(y, expected)
            x[...] = np.roll(x, 1, axis=0)
            expected = np.roll(expected, 1, axis=0)

    def submit(self):
        asked = [self.question() for _ in range(20)]
        futures = [self.model.submit({"x": x}, timeout=60) for x, _ in asked]
        for future in futures[::3]:
            future.cancel()
        for future, (_, expected) in zip(futures, asked):
            with contextlib.suppress(CancelledError):
                self.check(future.result()["y"], expected)

    def wait_async(self):
        async def ask(serve, x, expected):
            self.check((await serve({"x": x}))["y"], expected)

        async def ask_all():
            serves = itertools.cycle((self.model.run_async, self.batcher.run_async))
            asked = [asyncio.create_task(ask(next(serves), *self.question(8))) for _ in range(30)]
            await asyncio.sleep(random.random() * 0.003)
            for task in asked[::4]:
                task.cancel()
            for result in await asyncio.gather(*asked, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError), result

        asyncio.run(ask_all())

    def batch(self):
        x, expected = self.question(8)
        self.check(self.batcher({"x": x})["y"], expected)

    def give_up(self):
        x, _ = self.question()
        with contextlib.suppress(TimeoutError):
            self.model.submit({"x": x}, timeout=1e-4).result()
        with contextlib.suppress(CancelledError):
            future = self.batcher.submit({"x": x[:1]})
            future.cancel()
            future.result()

    def ask_wrongly(self):
        x, _ = self.question()
        for value, error in (
            ({"z": x}, KeyError),
            ({}, TypeError),
            ({"x": x[:, :3]}, ValueError),
            ({"x": x[None]}, ValueError),
            ({"x": x.astype("complex64")}, TypeError),
        ):
            for serve in (self.model, self.model.run, self.batcher, self.model.bind):
                with pytest.raises(error):
                    serve(value)
        with pytest.raises(QueueFullError), Batcher(self.model, capacity=1, max_delay=9) as full:
            for _ in range(2):
                full.submit({"x": x[:1]})

    def look(self):
        assert self.model.stats().failed == 0
        assert self.model.memory()["parameters"] > 0
        assert "served" in repr(self.model)
        x, expected = self.question()
        with Model.load(self.folder / "served", threads=1) as another:
            another.warmup()
            self.check(another(x), expected)
        with contextlib.suppress(ValueError):  # exchanged meanwhile
            self.check(pickle.loads(pickle.dumps(self.model))(x), expected)
        time.sleep(0.05)

    def reload(self):
        self.exchange()
        self.model.reload()
        time.sleep(0.2)

    def run(self, seconds):
        """Do all of it for so long."""
        work = [self.call] * 3 + [self.batch] * 4
        work += [self.bind, self.submit, self.wait_async, self.give_up, self.ask_wrongly]
        work += [self.look, self.reload]
        end = threading.Event()
        timer = threading.Timer(seconds, end.set)
        timer.start()

        def repeat(number):
            try:
                while not end.is_set():
                    work[number]()
                    self.counts[work[number].__name__] += 1
            except BaseException:
                end.set()
                raise

        in_threads(repeat, len(work))
        timer.cancel()
        timer.join()


def measured():
    """Return bytes of memory, threads, and descriptors of this process, when nobody waits for a turn."""
    while any(thread.name == "tvmgo-runner" for thread in threading.enumerate()):
        time.sleep(0.1)
    gc.collect()
    return resident_bytes(), threading.active_count(), len(os.listdir("/proc/self/fd"))


def soak(seconds):
    """Return what is to be told; raises if something is wrong or has grown."""
    with tempfile.TemporaryDirectory() as folder:
        work = Soak(Path(folder))
        with contextlib.closing(work):
            seen = []
            for leg in range(LEGS):
                faulthandler.dump_traceback_later(seconds / LEGS + HANGS, exit=True)
                work.run(seconds / LEGS)
                seen.append(measured())
                memory, *counts = seen[-1]
                print(f"  {leg + 1}/{LEGS}: {memory / 1e6:.1f} MB, {counts}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    (before, *counts), (after, *counts_after) = seen[SETTLED - 1], seen[-1]
    factor, more = GROWTH
    assert after <= before * factor + more, (before, after)
    assert counts == counts_after
    return f"{seconds:g} s: {dict(work.counts)}, all right"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    print(soak(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
