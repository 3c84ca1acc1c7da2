# SPDX-License-Identifier: Apache-2.0
"""What scripts of other processes begin with: a model of some kind, and what it must do."""

import textwrap

from tests.helpers import run_python

SETUP = """
import asyncio, concurrent.futures, faulthandler, os, signal, sys, threading, time, traceback, warnings
import numpy as np
import numpy.testing  # not while another thread forks: a child has no part of an import
import tvmgo
from tests.model.kinds import request
from tvmgo import Batcher, Model
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads
faulthandler.register(signal.SIGALRM, chain=True)  # a child that hangs says where, and ends
KIND, FOLDER = {kind!r}, {folder!r}
model = Model.load(FOLDER, concurrency=2, threads=2)
batchers = [Batcher(model)] if KIND == "batched" else []

def same(answer, y):
    [got] = answer.values()
    np.testing.assert_array_equal(got, y)

def check(number, model=model, batchers=batchers):
    "Every way to ask."
    x, y = request(KIND, number)
    inputs = {{"x": x}}
    np.testing.assert_array_equal(model(x), y)
    binding = model.bind(inputs)
    binding.run()
    same({{name: np.asarray(value) for name, value in binding.outputs.items()}}, y)
    same(model.submit(inputs).result(20), y)
    same(asyncio.run(model.run_async(inputs, timeout=20)), y)
    for batcher in batchers:
        same(batcher.submit(inputs).result(20), y)

def in_child(work):
    "Run it in a forked child, which must end well."
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status

def serving(work, count=4):
    "A context in which threads repeat work(number), with other numbers."
    import contextlib

    @contextlib.contextmanager
    def context():
        done, errors = threading.Event(), []
        def repeat(number):
            try:
                while not done.is_set():
                    work(number)
                    number = (number + 17) % 1000
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=repeat, args=(100 * i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            done.set()
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]
    return context()
"""


def script(kind, folder, code):
    return SETUP.format(kind=kind, folder=str(folder)) + textwrap.dedent(code)


def run_script(kind, folder, code, first="", **options):
    """Run code after `first` and `SETUP` in a fresh interpreter, with two threads for kernels."""
    env = {"TVM_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1", **options.pop("env", {})}
    return run_python(first + script(kind, folder, code), env=env, **options)


def ends_well(kind, folder, code, **options):
    """The same; it must end silently."""
    done = run_script(kind, folder, code, **options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (
        f"exit code {done.returncode}, stdout {done.stdout!r}\n{done.stderr}"
    )
