# SPDX-License-Identifier: Apache-2.0
"""Models of every kind across forks, in pools of processes, under signals, and at the end of a process.

docs/guide/threads_and_forks.md shows the matrix; its long rows are in ``soak_of_processes.py``.
"""

import signal
import subprocess
import sys
import textwrap

import pytest

from tests.helpers import run_python, search_path
from tests.libraries import compile_library
from tests.model.kinds import KINDS
from tests.model.life import ends_well, run_script, script

MARKS = {"vm": [pytest.mark.slow, pytest.mark.apache_tvm]}
EVERY_KIND = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=MARKS.get(kind, [])) for kind in KINDS]
)


# ---------------------------------------------------------------- forks


@EVERY_KIND
def test_a_child_has_a_working_model(kind, folder_of):
    code = """
    x, y = request(KIND, 5)
    binding = model.bind({"x": x})

    def work():
        check(1)
        binding.run()  # the parent's
        same({name: np.asarray(value) for name, value in binding.outputs.items()}, y)
        model.reload()
        check(2)
        model.close()

    in_child(work)  # before all runs
    check(3)
    in_child(work)
    model.warmup() if KIND != "vm" else None
    in_child(lambda: in_child(work))
    check(4)
    """
    ends_well(kind, folder_of(kind), code)


@EVERY_KIND
def test_a_fork_while_others_run(kind, folder_of):
    code = """
    with serving(check):
        for number in range(15):
            in_child(lambda: check(number))
    assert len(model._serving.states.states) <= 2  # one if requests never met
    """
    ends_well(kind, folder_of(kind), code)


@EVERY_KIND
def test_a_fork_while_others_load(kind, folder_of):
    code = """
    def work(number):
        with Model.load(FOLDER, concurrency=1) as other:
            check(number, other, [])
        model.reload()

    def in_the_child(number):
        check(number)
        work(number)

    with serving(work, 2):
        for number in range(8):
            in_child(lambda: in_the_child(number))
    """
    ends_well(kind, folder_of(kind), code)


@EVERY_KIND
def test_a_fork_while_requests_wait(kind, folder_of):
    """In the child others wait, for threads of its own."""
    code = """
    from tests.helpers import in_threads

    def ask(number):
        x, y = request(KIND, number)
        np.testing.assert_array_equal(model(x), y)

    def in_the_child(number):
        in_threads(lambda i: [ask(number + i) for _ in range(10)], 6)
        assert model.stats().running == model.stats().waiting == 0

    with serving(ask, 6):
        for number in range(15):
            in_child(lambda: in_the_child(number))
    """
    ends_well(kind, folder_of(kind), code)


def test_a_fork_while_the_runtime_is_loaded(folder_of):
    """By another thread, which no child has: it would keep the lock."""
    first = """
    import threading, time
    from tvmgo._native import locate

    begun = threading.Event()
    open_library = locate.open_library

    def slow(*arguments):
        begun.set()
        time.sleep(0.5)
        return open_library(*arguments)

    locate.open_library = slow
    """
    code = f"""
    import os, signal
    from tvmgo import Model

    folder = {str(folder_of("graph"))!r}
    thread = threading.Thread(target=Model.load, args=(folder,))
    thread.start()
    assert begun.wait(20)
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        Model.load(folder)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    """
    arguments = ("-W", "ignore::DeprecationWarning")
    done = run_python(textwrap.dedent(first) + textwrap.dedent(code), arguments=arguments)
    assert (done.returncode, done.stderr) == (0, "")


# Without the GIL from beginning to end, as the runtime does.
HOLD = """
#include <pthread.h>
#include <unistd.h>

void hold(pthread_mutex_t* mutex) {
  pthread_mutex_lock(mutex);
  sleep(1);
  pthread_mutex_unlock(mutex);
}
"""


@pytest.mark.slow
@pytest.mark.apache_tvm
def test_a_fork_while_a_machine_takes_or_frees_memory(folder_of, tmp_path):
    """The runtime has a mutex for it, which another thread has here for longer than usual."""
    (tmp_path / "hold.c").write_text(HOLD)
    compile_library(tmp_path / "hold.c", tmp_path / "hold.so")
    code = f"""
    import ctypes

    here = ctypes.CDLL(None)
    find = here._ZN3tvm7runtime6memory13MemoryManager6GlobalEv
    find.restype = ctypes.c_void_p
    mutex = ctypes.c_void_p(find())
    thread = threading.Thread(target=ctypes.CDLL({str(tmp_path / "hold.so")!r}).hold, args=(mutex,))
    thread.start()
    while here.pthread_mutex_trylock(mutex) == 0:
        here.pthread_mutex_unlock(mutex)
        time.sleep(0.01)
    in_child(lambda: check(1))
    check(2)
    thread.join()
    """
    ends_well("vm", folder_of("vm"), code)


@pytest.mark.slow
@pytest.mark.apache_tvm
def test_a_fork_while_others_look_up_functions_of_machines(folder_of):
    code = """
    machine = tvmgo.load_module(FOLDER + "/deploy.so")["vm_load_executable"]()

    def work(number):
        for _ in range(5):
            machine["vm_initialization"]

    with serving(work):
        for number in range(200):
            in_child(lambda: work(number))
    """
    ends_well("vm", folder_of("vm"), code)


@pytest.mark.parametrize("kind", ["graph", "batched"])
def test_requests_of_the_parent_end_in_the_child(kind, folder_of):
    """With an error: nobody there answers them. What was answered before is there."""
    code = """
    from concurrent.futures import wait

    ask = batchers[0].submit if batchers else lambda inputs: model.submit(inputs, timeout=60)
    x, y = request(KIND, 1)
    before = ask({"x": x})
    same(before.result(20), y)
    states = [model._serving.states.take() for _ in range(2)]  # nobody is answered for now
    futures = [ask({"x": x}) for _ in range(10)]
    assert futures[7].cancel()
    told = []
    for future in futures:
        future.add_done_callback(told.append)
    told.clear()

    def work():
        same(before.result(20), y)
        assert len(wait(futures, 20).done) == 10
        for number, future in enumerate(futures):
            kind = concurrent.futures.CancelledError if number == 7 else tvmgo.TVMError
            try:
                future.result(20)
            except kind as error:
                assert number == 7 or "forked" in str(error)
            else:
                raise AssertionError
        assert told == []
        check(2)
        assert model.stats().queued == 0

    in_child(work)
    for state in states:
        model._serving.states.give(state)
    for number, future in enumerate(futures):
        if number != 7:
            same(future.result(20), y)
    """
    ends_well(kind, folder_of(kind), code)


# ---------------------------------------------------------------- pools of processes

POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def ask(model, number):
    check(number, model, [])
    return os.getpid(), model.stats().requests

def begin(given):
    global mine
    mine = given

def ask_mine(number):
    return ask(mine, number)

def loaded_once(answers):
    "Of each process the answers count on: it has one model all the time."
    counts = {}
    for process, count in answers:
        assert count > counts.get(process, 0), answers
        counts[process] = count
    assert os.getpid() not in counts and counts
"""


@EVERY_KIND
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(kind, method, folder_of, tmp_path):
    end = """
    if __name__ == "__main__":
        check(1)
        context = multiprocessing.get_context(METHOD)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            loaded_once(pool.map(ask, [model] * 20, range(20)))
        with context.Pool(2, begin, (model,)) as pool:
            loaded_once(pool.map(ask_mine, range(20)))
        process = context.Process(target=ask, args=(model, 5))
        process.start()
        process.join()
        assert process.exitcode == 0
        check(2)
    """
    file = tmp_path / "script.py"
    file.write_text(
        f"METHOD = {method!r}\n" + script(kind, folder_of(kind), POOLS) + textwrap.dedent(end)
    )
    done = subprocess.run(
        [sys.executable, file],
        env={"PYTHONPATH": search_path(), "TVM_NUM_THREADS": "2", "PYTHONFAULTHANDLER": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---------------------------------------------------------------- the end

ENDS = {
    "nothing": "",
    "closed": "model.close()",
    "exit": "sys.exit(0)",
    "requests in the queue": """
answered = []
for number in range(300):
    model.submit(inputs).add_done_callback(answered.append)
for batcher in batchers:
    batcher.submit(inputs).add_done_callback(answered.append)
import atexit
print(300 + len(batchers), flush=True)
# Registered before the batchers' own, so called after it.
at_the_end.append(lambda: print(len(answered), flush=True))
""",
    "daemons inside calls": """
for work in [model] * 3:
    threading.Thread(target=lambda: [model(x) for _ in iter(int, 1)], daemon=True).start()
def repeat(ask):
    try:
        while True:
            ask()
    except tvmgo.TVMError:  # no requests are taken at the end
        pass
for ask in (lambda: model.submit(inputs).result(), *(lambda: each(inputs) for each in batchers)):
    threading.Thread(target=repeat, args=[ask], daemon=True).start()
binding = model.bind(inputs)
threading.Thread(target=lambda: [binding.run() for _ in iter(int, 1)], daemon=True).start()
time.sleep(0.05)
""",
    "a loop in a daemon": """
async def forever():
    try:
        while True:
            await model.run_async(inputs)
    except tvmgo.TVMError:  # no requests are taken at the end
        pass
threading.Thread(target=lambda: asyncio.run(forever()), daemon=True).start()
time.sleep(0.05)
""",
    "an error": "raise SystemExit(0) from ZeroDivisionError()",
}


@EVERY_KIND
@pytest.mark.parametrize("end", ENDS, ids=[name.replace(" ", "-") for name in ENDS])
def test_a_process_ends(kind, end, folder_of):
    code = f"x, y = request(KIND, 3)\ninputs = {{'x': x}}\ncheck(1)\n{ENDS[end]}"
    first = "import atexit\nat_the_end = []\natexit.register(lambda: [f() for f in at_the_end])\n"
    done = run_script(kind, folder_of(kind), code, first=first)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert len(set(done.stdout.split())) <= 1  # as many answers as requests


@EVERY_KIND
def test_ctrl_c_with_requests_in_flight(kind, folder_of):
    code = """
    x, y = request(KIND, 3)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupted = 0
    with serving(check, 2):
        for _ in range(10):
            try:
                threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
                while True:
                    np.testing.assert_array_equal(model(x), y)
                    same(model.submit({"x": x}).result(20), y)
            except KeyboardInterrupt:
                interrupted += 1
    assert interrupted == 10
    while model.stats().running or model.stats().queued:  # the last one that was submitted
        time.sleep(0.01)
    check(4)
    """
    ends_well(kind, folder_of(kind), code)


def test_ctrl_c_ends_a_wait_for_a_state(folder_of):
    code = """
    x, y = request(KIND, 3)
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
        assert time.monotonic() - start < 0.9
    holder.join()
    check(1)
    """
    ends_well("graph", folder_of("graph"), code)


@EVERY_KIND
@pytest.mark.parametrize("others", [0, 3])
def test_ctrl_c_at_any_moment_loses_no_state(kind, others, folder_of):
    """Neither where a state is free, nor where others wait for one, too."""
    code = """
    class Interrupted(BaseException):
        pass

    def interrupt(*_):
        raise Interrupted

    x, y = request(KIND, 3)
    model(x)
    signal.signal(signal.SIGALRM, interrupt)
    pauses = np.random.default_rng(0).uniform(20e-6, 200e-6, 1500).tolist()
    interrupted = 0
    with serving(lambda number: model(x), others):
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
    assert interrupted > 500, interrupted
    assert model.stats().running == 0 and len(model._serving.states.states) <= 2
    check(4)
    """
    ends_well(kind, folder_of(kind), code, first=f"others = {others}\n")


@EVERY_KIND
@pytest.mark.parametrize("handler", ["default", "exit"])
def test_sigterm_with_requests_in_flight(kind, handler, folder_of):
    code = f"""
    if {handler == "exit"}:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    def ask():
        try:
            while True:
                check(1)
        except (tvmgo.TVMError, RuntimeError):  # no requests are taken at the end
            pass
    for _ in range(3):
        threading.Thread(target=ask, daemon=True).start()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    x, y = request(KIND, 3)
    while True:
        model(x)
    """
    done = run_script(kind, folder_of(kind), code)
    assert done.returncode == (7 if handler == "exit" else -signal.SIGTERM), done.stderr
    assert done.stderr == ""


def test_live_callbacks_at_exit(folder_of):
    """Operators, and an error that carries an exception, outlive everything."""
    code = """
    import json, pathlib, shutil
    from tests.graphs import document, op, var

    folder = pathlib.Path("called")
    shutil.copytree(FOLDER, folder)
    nodes = [var("x", (2,)), op("callback", ["x"], (2,), name="y", prefix="test_life.")]
    (folder / "deploy.json").write_text(json.dumps(document(nodes, ["y"])))
    (folder / "deploy.params").unlink()

    @tvmgo.register_function("test_life.callback")
    def callback(x, out):
        if np.asarray(x)[0] < 0:
            raise ZeroDivisionError
        np.asarray(out)[...] = np.asarray(x) * 2

    called = Model.load(folder, concurrency=2)
    assert called([1, 2]).tolist() == [2, 4]
    kept = []
    try:
        called([-1, 2])
    except ZeroDivisionError as error:
        kept.append(error)
    binding = called.bind({"x": np.ones(2, "float32")})
    for _ in range(2):
        threading.Thread(target=lambda: [called([1, 2]) for _ in iter(int, 1)], daemon=True).start()
    for _ in range(100):
        called.submit({"x": [3, 4]})
    """
    ends_well("graph", folder_of("graph"), code)


# ---------------------------------------------------------------- many of them


@pytest.mark.slow
@pytest.mark.apache_tvm
def test_models_of_all_kinds_at_once(folder_of):
    """With one pool of threads for the kernels of all."""
    code = f"""
    folders = { ({kind: str(folder_of(kind)) for kind in KINDS})!r}
    models = {{kind: Model.load(folder, concurrency=2, threads=2) for kind, folder in folders.items()}}
    kinds = list(models)

    def work(number):
        kind = kinds[number % len(kinds)]
        x, y = request(kind, number)
        np.testing.assert_array_equal(models[kind](x), y)
        same(models[kind].submit({{"x": x}}).result(20), y)

    with serving(work, 6):
        time.sleep(2)
    requests = [each.stats().requests for each in models.values()]
    assert min(requests) > 20, requests
    """
    ends_well("graph", folder_of("graph"), code)


@EVERY_KIND
def test_loads_leave_nothing_behind(kind, folder_of):
    code = """
    from tests.model.soak_of_processes import loads_leave_nothing
    model.close()
    loads_leave_nothing(KIND, FOLDER, 300, 2 << 20)
    """
    ends_well(kind, folder_of(kind), code)


@pytest.mark.slow
@pytest.mark.apache_tvm
def test_requests_of_many_sizes_leave_nothing_behind(folder_of):
    """TVM's pool of memory for the virtual machine keeps what each size has taken."""
    code = """
    from tests.helpers import resident_bytes
    sizes = np.random.default_rng(0).integers(100_000, 200_000, 110).tolist()
    for number, size in enumerate(sizes):
        if number == 10:
            before = resident_bytes()
        x = np.ones((size, 3), "float32")
        assert (model(x) == 2).all()
    grown = resident_bytes() - before
    assert grown < 50 << 20, grown
    """
    ends_well("vm", folder_of("vm"), code)


@EVERY_KIND
def test_models_that_are_not_closed_leave_nothing_behind(kind, folder_of):
    code = """
    import gc
    def use():
        other = Model.load(FOLDER, concurrency=2)
        check(1, other, [Batcher(other)] if batchers else [])
        same(other.submit({"x": request(KIND, 2)[0]}, timeout=0.5).result(20), request(KIND, 2)[1])

    check(1)
    before = threading.active_count()
    for _ in range(10):
        use()
    end = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
    assert threading.active_count() == before, threading.enumerate()
    """
    ends_well(kind, folder_of(kind), code)


@EVERY_KIND
def test_short_lived_threads_leave_nothing_behind(kind, folder_of):
    code = """
    from tests.model.soak_of_processes import threads_leave_nothing
    threads_leave_nothing(KIND, model, 500, 1 << 20)
    """
    ends_well(kind, folder_of(kind), code)
