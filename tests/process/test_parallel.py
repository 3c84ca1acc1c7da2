# SPDX-License-Identifier: Apache-2.0
"""Parallel kernels: the process's pool of threads, its limits, errors, forks and its end."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

import tvmgo
from tests.helpers import CHECKOUT, output_of, run_python
from tests.libraries import compile_library

THREADS = 4

PRELUDE = """
    import os, sys, threading, time, warnings
    import numpy as np
    import tvmgo

    # Forking beside threads is what is tested; Python 3.12 and later warn of it.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

    kernels = tvmgo.load_module({path!r})
    truth = np.arange(1000) ** 2

    def zeros():
        return tvmgo.array(np.zeros(1000, "int64"))

    def fill(tasks=0):
        out = zeros()
        seen = kernels["fill"](out, tasks)
        assert (np.asarray(out) == truth).all()
        return seen

    def message(name, *args):
        try:
            kernels[name](*args)
        except Exception as error:
            return f"{{type(error).__name__}}: {{error}}"
        return "nothing was raised"

    def thread_names():
        for _ in range(1000):  # Python's threads take a moment to end after they are joined
            try:
                tasks = os.listdir("/proc/self/task")
                names = [open(f"/proc/self/task/{{task}}/comm").read().strip() for task in tasks]
            except OSError:
                continue
            if len(names) - names.count("tvmgo-worker") == threading.active_count():
                break
            time.sleep(0.001)
        return names

    def num_workers():
        return thread_names().count("tvmgo-worker")

    def in_threads(work, count):
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    class Child:
        def __init__(self, work, timeout=60):
            self.deadline = time.monotonic() + timeout
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    work()
                except BaseException as error:
                    print(repr(error), file=sys.stderr, flush=True)
                    os._exit(1)
                os._exit(0)

        def join(self):
            while True:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    assert status == 0, status
                    return
                if time.monotonic() > self.deadline:
                    os.kill(self.pid, 9)
                    raise AssertionError("the child hangs")
                time.sleep(0.0005)
"""


def script(path, code):
    return textwrap.dedent(PRELUDE).format(path=str(path)) + textwrap.dedent(code)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    source = CHECKOUT / "tests" / "kernels" / "parallel.c"
    return compile_library(source, tmp_path_factory.mktemp("parallel") / "parallel.so")


@pytest.fixture
def run(path):
    """Return a function that runs code in a process with a pool of 4, after the prelude."""

    def run_code(code, threads=THREADS, **options):
        # NumPy's own threads are none of the ones counted.
        env = {"TVM_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
        return output_of(script(path, code), env=env, **options)

    return run_code


# ---------------------------------------------------------------- results and numbers


def test_tasks_do_what_one_would(run):
    run("""
    for tasks in (0, 1, 2, 3, 4):
        assert fill(tasks) == (tasks or 4)
    for tasks, size in ((0, 1), (0, 3), (3, 5), (4, 1000), (2, 999)):
        out = tvmgo.array(np.zeros(size, "int64"))
        kernels["fill"](out, tasks)
        assert (np.asarray(out) == np.arange(size) ** 2).all()
    """)


def test_tasks_meet_at_barriers(run):
    run("""
    def expected(tasks, rounds):
        now, total = 0, 0
        for _ in range(rounds):
            now = (1 + tasks * now) % 1000003
        return now

    for tasks in (0, 1, 2, 3, 4):
        for rounds in (1, 2, 501):
            out = zeros()
            seen = kernels["barrier"](out, tasks, rounds)
            at = seen if rounds % 2 else 0
            assert np.asarray(out)[at : at + seen].tolist() == [expected(seen, rounds)] * seen
    """)


def test_tasks_run_at_the_same_time(run):
    run("""
    start = time.perf_counter()
    assert kernels["sleep_us"](300_000) == 4
    assert time.perf_counter() - start < 0.9  # one after the other: 1.2
    """)


def test_more_tasks_than_threads_are_refused(run):
    run("""
    assert "workers=4 request=5" in message("fill", zeros(), 5)
    assert "num_task: expected 0 or more, got -1" in message("fill", zeros(), -1)
    assert fill() == 4
    """)


@pytest.mark.parametrize("threads", ["1", "0", "nonsense"])
def test_a_pool_of_one_runs_everything_alone(run, threads):
    run(
        """
    assert [fill(tasks) for tasks in (0, 1, 2, 9)] == [1, 1, 1, 1]
    assert num_workers() == 0
    """,
        threads=threads,
    )


def test_pool_has_the_size_of_omp_num_threads_then_of_the_cpus_allowed(path):
    count = "print(fill())"
    assert output_of(script(path, count), env={"OMP_NUM_THREADS": "3"}) == "3\n"
    bind = """
        os.environ.pop("OMP_NUM_THREADS", None)
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(allowed)[:{}])
    """
    for cpus in range(1, len(os.sched_getaffinity(0)) + 1):
        code = textwrap.dedent(bind).format(cpus) + count
        assert output_of(script(path, code)) == f"{cpus}\n"


def test_nested_launches_run_in_their_task(run):
    run("""
    out = zeros()
    assert kernels["nested"](out, 0, 0) == 4
    assert (np.asarray(out) == 4 * truth).all()
    assert kernels["nested"](zeros(), 0, 1) == 4
    assert "Cannot launch parallel job inside worker" in message("nested", zeros(), 0, 2)
    assert "Cannot launch parallel job inside worker" in message("nested", zeros(), 1, 2)
    assert fill() == 4
    """)


# ---------------------------------------------------------------- limits


def test_num_threads_limits_the_thread(run):
    run("""
    num_threads = tvmgo.get_global_function("runtime.NumThreads")
    with tvmgo.num_threads(2):
        assert (fill(), num_threads()) == (2, 2)
        assert num_workers() == 1
        assert "workers=2 request=3" in message("fill", zeros(), 3)
        with tvmgo.num_threads(9):
            assert fill() == 4
        with tvmgo.num_threads(1):
            assert (fill(), fill(3), num_threads()) == (1, 1, 1)
        assert fill() == 2
        others = []
        in_threads(lambda: others.append(fill()), 1)
        assert others == [4]
    assert (fill(), num_threads()) == (4, 4)
    try:
        with tvmgo.num_threads(1):
            1 / 0
    except ZeroDivisionError:
        assert fill() == 4

    @tvmgo.num_threads(3)
    def decorated():
        return fill()
    assert decorated() == 3 and fill() == 4
    """)


@pytest.mark.parametrize(
    "count, error", [(0, ValueError), (-1, ValueError), (2**31, ValueError), (1.0, TypeError),
                     ("2", TypeError), (True, TypeError), (None, TypeError)],
)  # fmt: skip
def test_num_threads_refuses(count, error):
    with pytest.raises(error, match="count: expected"), tvmgo.num_threads(count):
        pass


def test_config_threadpool_limits_the_process(run):
    run("""
    config = tvmgo.get_global_func("runtime.config_threadpool")
    for mode in (1, -1, -2, -3):
        config(mode, 2)
        seen = [fill()]
        in_threads(lambda: seen.append(fill()), 1)
        assert seen == [2, 2]
    config(1, 99)
    assert fill() == 4
    config(-2, 0, ["0", "1", "5"])
    assert fill() == 3
    config(-2, 2, ["0", "1", "5"])
    assert fill() == 2
    with tvmgo.num_threads(3):
        assert fill() == 2
    for wrong in ((1,), (1, -1), (1, 2, 3), (1, 2, [], 4), ("1", 2)):
        try:
            config(*wrong)
        except (TypeError, ValueError):
            assert fill() == 2
        else:
            raise AssertionError(wrong)
    config(1, 0)
    assert fill() == 4
    """)


# ---------------------------------------------------------------- errors and callbacks


def test_error_of_a_task_reaches_the_caller(run):
    run("""
    for failing in range(4):
        for way in (0, 2):
            assert message("fail", 0, failing, way) == f"TVMKeyError: task {failing} said why"
        assert message("fail", 0, failing, 1).endswith("failed without an error message (code -7)")
        assert fill() == 4
    assert message("fail", 0, -1, 0).endswith(" said why")
    with tvmgo.num_threads(1):
        assert message("fail", 0, 0, 0) == "TVMKeyError: task 0 said why"
    assert message("sleep_us", 0) == "nothing was raised"
    """)


def test_tasks_call_back_into_python(run):
    run("""
    seen = []
    assert kernels["call"](lambda *args: seen.append((threading.get_ident(), args)), 0) == 4
    assert sorted(args for _, args in seen) == [(i, 4) for i in range(4)]
    assert 1 <= len({thread for thread, _ in seen}) <= 4

    for failing in range(4):
        error = LookupError(failing)
        def fail(task, tasks):
            if task == failing:
                raise error
        try:
            kernels["call"](fail, 0)
        except LookupError as caught:
            assert caught is error
        else:
            raise AssertionError

    inner = []
    kernels["call"](lambda *args: inner.append(fill()), 0)
    assert inner == [1] * 4
    """)


# ---------------------------------------------------------------- many callers


def test_many_threads_share_one_pool(run):
    run("""
    problems, seen = [], set()
    def work():
        try:
            for i in range(300):
                seen.add(fill())
                assert fill(1 + i % 4) == 1 + i % 4  # waits for the pool
                out = zeros()
                tasks = kernels["barrier"](out, (0, 3)[i % 2], 2)
                assert np.asarray(out)[:tasks].tolist() == [1 + tasks] * tasks
                with tvmgo.num_threads(2):
                    assert fill() <= 2
        except Exception as error:
            problems.append(repr(error))
    in_threads(work, 8)
    assert problems == []
    assert seen <= {1, 4}
    assert num_workers() == 3 and len(thread_names()) == 4
    """)


def test_whoever_finds_the_pool_taken_runs_alone(run):
    run("""
    inside, leave, seen = threading.Event(), threading.Event(), []
    def hold(*args):
        inside.set()
        leave.wait(20)
    holder = threading.Thread(target=lambda: kernels["call"](hold, 0))
    holder.start()
    inside.wait(20)
    assert [fill(), fill()] == [1, 1]
    waiting = threading.Thread(target=lambda: seen.append(fill(2)))
    waiting.start()
    waiting.join(0.1)
    assert seen == []
    leave.set()
    holder.join()
    waiting.join()
    assert seen == [2] and fill() == 4
    """)


def test_both_generations_share_one_pool(run, tmp_path):
    classic = compile_library(
        CHECKOUT / "tests" / "classic" / "sources" / "every.c", tmp_path / "classic.so"
    )
    run(f"""
    classic = tvmgo.load_module({str(classic)!r})
    out = tvmgo.empty((1000,), "float32")
    for _ in range(100):
        assert classic["parallel_fill"](out) == 4 and fill() == 4
    assert np.asarray(out).tolist() == list(range(1000))
    assert num_workers() == 3
    """)


@pytest.mark.slow
def test_short_lived_threads_leave_nothing_behind(run):
    """Half of them at the same time as others."""
    run("""
    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    def burst(count):
        for _ in range(count // 10):
            in_threads(fill, 1)
            in_threads(fill, 1)
            in_threads(fill, 8)
    burst(1000)
    before = resident()
    burst(9000)
    assert num_workers() == 3 and len(thread_names()) == 4
    assert resident() - before < 2 << 20
    """)


# ---------------------------------------------------------------- forks

FORKS = """
    def child():
        assert num_workers() == 0  # before the first kernel there
        assert fill() == 4
        assert num_workers() == 3
        out = zeros()
        assert kernels["barrier"](out, 0, 2) == 4

    def grandparent():
        child()
        Child(child).join()
"""


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_children_have_a_pool_of_their_own(run, count):
    run(
        FORKS
        + f"""
    Child(grandparent).join()  # before the first kernel
    assert num_workers() == 0
    fill()
    stop = threading.Event()
    def keep_busy():
        while not stop.is_set():
            fill()
            kernels["barrier"](zeros(), 3, 20)
    threads = [threading.Thread(target=keep_busy) for _ in range(2)]
    for i in range({count}):
        if i == {count} // 3:  # from here on while kernels run
            for thread in threads:
                thread.start()
        Child(child if i % 10 else grandparent).join()
    stop.set()
    for thread in threads:
        thread.join()
    assert fill() == 4 and num_workers() == 3
    """,
        timeout=600,
    )


def test_fork_within_a_task(run):
    """The child has one of the tasks: where that is the caller's, its kernel ends with an error."""
    run("""
    parent = os.getpid()
    def fork(task, tasks):
        if task != forking:
            return
        pid = os.fork()
        if pid == 0:
            children.append(fill())  # within a task: alone
        else:
            children.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    for forking in (0, 0, 1, 3):
        children = []
        try:
            kernels["call"](fork, 0)
            assert os.getpid() == parent
        except tvmgo.TVMError as error:
            assert os.getpid() != parent and "forked within a parallel kernel" in str(error)
            assert children == [1] and fill() == 4  # outside: on a pool of its own
            os._exit(0)
        assert children == [0]
        assert fill() == 4
    """)


def test_a_child_reads_the_size_anew(run):
    run("""
    assert fill() == 4
    def child():
        os.environ["TVM_NUM_THREADS"] = "2"
        assert fill() == 2
    Child(child).join()
    assert fill() == 4
    """)


# ---------------------------------------------------------------- the end, and other runtimes


@pytest.mark.parametrize("end", ["pass", "sys.exit(0)", "os._exit(0)"])
def test_process_ends_with_idle_workers(run, end):
    run(f"fill()\n{end}")


def test_process_ends_while_kernels_run(run):
    run("""
    threading.Thread(target=lambda: kernels["sleep_us"](10_000_000), daemon=True).start()
    def loop():
        while True:
            fill()
            kernels["call"](lambda *args: None, 0)
    for _ in range(3):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(0.2)
    """)


def test_library_with_openmp_can_be_closed_at_any_time(tmp_path):
    """Its threads look for work for a while after the last kernel."""
    source = tmp_path / "openmp.c"
    source.write_text("""
        #include <tvm/ffi/c_api.h>
        int __tvm_ffi_count(void* self, const TVMFFIAny* args, int32_t n, TVMFFIAny* result) {
          int64_t count = 0;
          #pragma omp parallel num_threads(2) reduction(+ : count)
          ++count;
          result->type_index = kTVMFFIInt;
          result->v_int64 = count;
          return 0;
        }
    """)
    try:
        library = compile_library(source, tmp_path / "openmp.so", "-fopenmp")
    except subprocess.CalledProcessError:
        pytest.skip("the compiler has no OpenMP")
    output_of(f"""
        import time, tvmgo
        for _ in range(50):
            assert tvmgo.load_module({str(library)!r})["count"]() == 2
        time.sleep(0.1)
    """)


@pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")
def test_library_has_its_own_variables_where_another_was_opened_for_all(path, tmp_path):
    """With RTLD_GLOBAL the system gives a library's variables to all libraries opened after it."""
    copies = [shutil.copy(path, tmp_path / f"{number}.so") for number in range(2)]
    output_of(f"""
        import ctypes, os, tvmgo
        others = ctypes.CDLL({str(copies[0])!r}, os.RTLD_GLOBAL)
        launch = ctypes.c_void_p.in_dll(others, "__TVMBackendParallelLaunch")
        for path in ({str(path)!r}, {str(copies[1])!r}):
            for _ in range(2):
                module = tvmgo.load_module(path)
                assert module["fill"](tvmgo.empty((100,), "int64"), 1) == 1
        assert launch.value is None
    """)


ORDERS = {
    "tvm first": "import tvm, tvmgo",
    "tvmgo first": "import tvmgo, tvm",
    "tvm after a kernel": "import tvmgo; tvmgo.load_module(path)['fill'](tvmgo.empty((9,), 'int64'), 0); import tvm",
    "a kernel of tvm first": "import tvm, numpy; theirs = tvm.runtime.load_module(path); "
    "theirs['fill'](tvm.runtime.tensor(numpy.zeros(9, 'int64')), 0); import tvmgo",
}


@pytest.mark.apache_tvm
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_tvm_in_the_same_process(path, order):
    done = run_python(
        f"""
        path = {str(path)!r}
        {order}
        import numpy as np
        ours, theirs = tvmgo.load_module(path), tvm.runtime.load_module(path)
        for _ in range(100):
            for fill, make in ((ours["fill"], tvmgo.array), (theirs["fill"], tvm.runtime.tensor)):
                out = make(np.zeros(100, "int64"))
                assert fill(out, 0) == 3
                assert (out.numpy() == np.arange(100) ** 2).all()
            ours["barrier"](tvmgo.array(np.zeros(100, "int64")), 0, 20)
        """,
        env={"TVM_NUM_THREADS": "3"},
    )
    assert done.returncode == 0, done.stderr
