# SPDX-License-Identifier: Apache-2.0
"""A process ends silently, whatever of ours is still alive."""

import json

import pytest

from tests.graphs import document, op, var
from tests.helpers import output_of, run_python

SETUP = """
    import numpy as np
    import tvmgo
    kernels = tvmgo.load_module({path!r})
"""

ALIVE = {
    "nothing": "",
    "array": "array = tvmgo.array([1, 2, 3])",
    "NumPy view": "view = np.asarray(tvmgo.array([1, 2, 3]))",
    "memoryview": "view = memoryview(tvmgo.array([1, 2, 3]))",
    "shared ndarray": "shared = tvmgo.from_dlpack(np.zeros(3))",
    "NumPy from dlpack": "view = np.from_dlpack(tvmgo.array([1, 2, 3]))",
    "capsule": "capsule = tvmgo.array([1, 2]).__dlpack__(); "
    "other = tvmgo.array([1]).__dlpack__(max_version=(1, 0))",
    "byte array": "data = tvmgo.ByteArray(bytearray(10))",
    "function": "function = kernels['nargs']",
    "callback": "function = tvmgo.convert_function(lambda: None)",
    "registered callback": "tvmgo.register_function(lambda: None, 'mine')",
    "registered method": "class C:\n        def m(self): pass\n"
    "    tvmgo.register_function(C().m, 'mine')",
    "kept callback": "kernels['keep'](lambda: None)",
    "kept callback with state": "big = np.zeros(1000); kernels['keep'](lambda: big.sum())",
    "value": "values = [tvmgo.Value(x) for x in (1, 'a longer text', [np.zeros(3)], lambda: None)]",
    "list of a callback": "value = tvmgo.Value([lambda: None])",
    "cycle": "d = {}; d['f'] = tvmgo.convert_function(lambda: d); d['f']()",
    "cycle through a value": "d = {}; d['v'] = tvmgo.Value([lambda: d])",
    "exception": """
    def fail(): raise ValueError
    try: kernels['forward'](fail)
    except ValueError as error: kept = error""",
    "error left behind": "kernels['leave_an_error']()",
    "error left behind by Python": "kernels['call_then_byte_sum'](lambda: 1 / 0, b'')",
    "finalizer that calls": """
    class C:
        def __init__(self): self.f = kernels['sum_ints']
        def __del__(self): assert self.f(1, 2) == 3
    c = C()""",
    "finalizer that makes": """
    class C:
        def __del__(self, tvmgo=tvmgo): tvmgo.convert_function(lambda: None)(); tvmgo.empty(3)
    c = C()""",
    "module in sys": "import sys; "
    "sys.kept = (kernels, tvmgo.empty(3), tvmgo.convert_function(lambda: None))",
    "atexit that calls": "import atexit; atexit.register(kernels['sum_ints'], 1, 2)",
    "extra library": "tvmgo.get_global_function('tvm.contrib.sort.argsort')",
    "graph executor": "create = tvmgo.get_global_function('tvm.graph_executor.create')",
    "tvm_ffi": "import tvm_ffi; t = tvm_ffi.convert(lambda x: x)(tvmgo.empty(3)); "
    "f = tvmgo.convert_function(lambda x: x)(tvm_ffi.convert(print))",
    "thread that ended": "import threading; "
    "t = threading.Thread(target=kernels['forward'], args=(lambda: None,)); "
    "t.start(); t.join()",
    "foreign thread that ended": "kernels['forward_in_new_thread'](lambda: None)",
    "garbage": "import gc; gc.disable(); d = {}; d['f'] = tvmgo.convert_function(lambda: d); del d",
}


@pytest.mark.parametrize("alive", ALIVE)
def test_exit_is_silent_while_something_is_alive(kernels_path, alive):
    assert (
        output_of(
            SETUP.format(path=str(kernels_path)) + "    " + ALIVE[alive] + "\n    print('end')"
        )
        == "end\n"
    )


def test_exit_is_silent_with_everything_alive_in_a_debug_interpreter(kernels_path):
    everything = "".join(
        f"\n    {code.strip()}"
        for name, code in ALIVE.items()
        if name not in ("kept callback", "registered method", "registered callback")
    )
    assert (
        output_of(
            SETUP.format(path=str(kernels_path)) + everything + "\n    print('end')",
            arguments=["-X", "dev", "-W", "error"],
        )
        == "end\n"
    )


@pytest.mark.parametrize(
    "end, code",
    [
        ("raise SystemExit(3)", 3),
        ("import sys; sys.exit(4)", 4),
        ("import os; os._exit(5)", 5),
        ("kernels['forward'](lambda: exit(6))", 6),
    ],
    ids=["SystemExit", "sys.exit", "os._exit", "in a callback"],
)
def test_exit_code_is_the_programs(kernels_path, end, code):
    done = run_python(
        SETUP.format(path=str(kernels_path))
        + f"    tvmgo.register_function(print, 'mine')\n    {end}"
    )
    assert (done.returncode, done.stderr) == (code, "")


def test_exit_by_an_uncaught_callback_exception_shows_it_once(kernels_path):
    done = run_python(
        SETUP.format(path=str(kernels_path))
        + """
    def culprit():
        raise LookupError("the reason")
    kernels["forward"](culprit)
    """
    )
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.endswith("LookupError: the reason\n")
    assert "in culprit" in done.stderr


DAEMONS = {
    "kernel": "kernels['sleep_us'](50)",
    "long kernel": "kernels['sleep_us'](10_000_000)",
    "callback": "function(1)",
    "callback through a kernel": "kernels['forward'](function, 1)",
    "sleeping callback": "sleeping()",
    "sleeping callback through a kernel": "kernels['forward'](sleeping)",
    "callback from a foreign thread": "kernels['forward_in_new_thread'](function, 1)",
    "failing callback": "caught(failing)",
    "arrays": "tvmgo.array([1, 2]).numpy()",
    "copies": "big.copy_from(other)",
}


@pytest.mark.parametrize("work", DAEMONS)
def test_exit_is_silent_while_daemon_threads_call(kernels_path, work):
    assert (
        output_of(
            SETUP.format(path=str(kernels_path))
            + f"""
    import threading, time
    function = tvmgo.convert_function(lambda x: x + 1)
    sleeping = tvmgo.convert_function(lambda: time.sleep(0.15))
    failing = tvmgo.convert_function(lambda: [][1])
    big, other = tvmgo.empty(1 << 20), tvmgo.empty(1 << 20)
    def caught(f):
        try: f()
        except IndexError: pass
    def loop():
        while True:
            {DAEMONS[work]}
    for _ in range(3):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(0.1)
    print('end')
    """
        )
        == "end\n"
    )


def test_exit_is_silent_while_daemon_threads_drop_what_was_lent(kernels_path):
    """Arrays go inside destructors in C++, from which no thread may be ended."""
    inputs = [f"x{i}" for i in range(50)]
    nodes = [*(var(name, (1,)) for name in inputs), op("main", inputs, (1,), prefix="")]
    assert (
        output_of(
            SETUP.format(path=str(kernels_path))
            + f"""
    import threading, time
    graph = {json.dumps(document(nodes, ["main"]))!r}
    array = np.zeros(1, "float32")
    def loop():
        while True:
            executor = tvmgo.graph_executor.create(graph, kernels, tvmgo.cpu())
            for name in {inputs}:
                executor.set_input_zero_copy(name, array.view())
    for _ in range(3):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(0.1)
    print('end')
    """
        )
        == "end\n"
    )


def test_exit_waits_for_no_kernel_of_a_daemon_thread(kernels_path):
    output_of(
        SETUP.format(path=str(kernels_path))
        + """
    import threading, time
    threading.Thread(target=kernels["sleep_us"], args=(500_000_000,), daemon=True).start()
    time.sleep(0.1)
    """,
        timeout=20,
    )


def test_import_and_exit_in_many_processes_at_once_works():
    assert (
        output_of("""
        import subprocess, sys
        children = [subprocess.Popen([sys.executable, "-c", "import tvmgo; tvmgo.empty(3)"])
                    for _ in range(6)]
        print([child.wait() for child in children])
    """)
        == "[0, 0, 0, 0, 0, 0]\n"
    )
