# SPDX-License-Identifier: Apache-2.0
"""Models across forks, in pools of processes, and at the end of a process."""

import sys
import textwrap

import numpy as np
import pytest

from tests.graphs import op, var
from tests.helpers import output_of, run_python

# A function named y of the folder's library, so that any process has it: y = x + k.
SETUP = """
import faulthandler, os, signal, sys, threading, time, traceback, warnings
import numpy as np
import numpy.testing  # not while another thread forks: a child has no part of an import
from tvmgo import Model
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads
model = Model.load({folder!r}, concurrency=2)
x = np.arange(4, dtype="float32")

def check(model, x=x):
    np.testing.assert_array_equal(model(x), x + 10)
    assert model.submit({{"x": x}}).result(20)["y"].tolist() == (x + 10).tolist()

def in_child(work):
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(30, exit=True)
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture
def setup(write):
    nodes = [var("x", (4,)), var("k", (4,)), op("myadd", ["x", "k"], (4,), name="y", prefix="")]
    folder = write(nodes, ["y"], {"k": np.full(4, 10, "float32")})
    return SETUP.format(folder=str(folder))


@pytest.mark.parametrize(
    "before",
    ["", "check(model)", "model.warmup()", "b = model.bind({'x': x}); b.run()"],
    ids=["at once", "after runs", "warm", "bound"],
)
def test_a_child_has_a_working_model(setup, before):
    assert output_of(f"{setup}\n{before}\nin_child(lambda: check(model))\ncheck(model)") == ""


def test_a_fork_while_others_run(setup):
    code = """
    done = threading.Event()

    def serve(number):
        x = np.full(4, number, "float32")
        while not done.is_set():
            check(model, x)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        in_child(lambda: check(model))
    done.set()
    for thread in threads:
        thread.join()
    assert len(model._serving.states.states) == 2
    """
    assert output_of(setup + textwrap.dedent(code)) == ""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(setup, method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        setup
        + f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def serve(model, number):
    x = np.full(4, number, "float32")
    check(model, x)
    return os.getpid()

if __name__ == "__main__":
    check(model)
    context = multiprocessing.get_context({method!r})
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        workers = set(pool.map(serve, [model] * 20, range(20)))
    assert os.getpid() not in workers
"""
    )
    code = f"import subprocess; subprocess.run([{sys.executable!r}, {str(script)!r}], check=True)"
    assert output_of(code) == ""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "model.close()",
        "[model.submit({'x': x}) for _ in range(500)]",
        "threading.Thread(target=lambda: [model(x) for _ in iter(int, 1)], daemon=True).start()",
        "sys.exit(0)",
    ],
    ids=["loaded", "closed", "requests in the queue", "a daemon inside a call", "exit"],
)
def test_a_process_ends(setup, end):
    done = run_python(f"{setup}\ncheck(model)\n{end}")
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_a_wait_for_a_state(setup):
    code = """
    states = [model._serving.states.take() for _ in range(2)]
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    def hold():
        for state in states:
            state.owner = threading.get_ident()
        time.sleep(1)
        for state in states:
            model._serving.states.give(state)
    holder = threading.Thread(target=hold)
    holder.start()
    start = time.monotonic()
    try:
        while True:  # the signal may come before the wait
            model(x)
    except KeyboardInterrupt:
        print(time.monotonic() - start < 0.9)
    holder.join()
    check(model)
    """
    assert output_of(setup + textwrap.dedent(code)) == "True\n"


def test_ctrl_c_at_any_moment_loses_no_state(setup):
    code = """
    model = Model.load(model._arguments["path"], concurrency=2)

    class Interrupted(BaseException):
        pass

    def interrupt(*_):
        raise Interrupted

    signal.signal(signal.SIGALRM, interrupt)
    pauses = np.random.default_rng(0).uniform(20e-6, 200e-6, 3000).tolist()
    interrupted = 0
    for pause in pauses:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, pause)
                for _ in range(100):
                    model(x)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupted:
            interrupted += 1
    assert interrupted > 1000, interrupted
    assert model._serving.running == 0 and len(model._serving.states.states) <= 2
    check(model)
    """
    assert output_of(setup + textwrap.dedent(code)) == ""


def test_a_thousand_loads_leave_nothing_behind(setup):
    code = """
    folder = model._arguments["path"]
    model.close()

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    def load(times):
        for _ in range(times):
            with Model.load(folder) as model:
                check(model)

    load(100)
    before, threads, files = resident(), threading.active_count(), len(os.listdir("/proc/self/fd"))
    load(900)
    assert resident() - before < 2 << 20, resident() - before
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files
    """
    assert output_of(setup + textwrap.dedent(code)) == ""
