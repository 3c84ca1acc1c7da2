# SPDX-License-Identifier: Apache-2.0
"""Signals: handlers are as they were before the import; what comes in native code raises after it."""

import pytest

from tests.helpers import output_of, run_python

# Names `handlers`, which maps each signal to the address of its handler, as the system tells it.
HANDLERS = """
import ctypes, faulthandler, signal
libc = ctypes.CDLL(None, use_errno=True)
def handlers():
    found = {}
    for number in signal.valid_signals():
        action = (ctypes.c_void_p * 32)()
        assert libc.sigaction(int(number), None, action) == 0
        found[int(number)] = action[0]
    return found
"""


@pytest.mark.parametrize(
    "prepare",
    ["", "faulthandler.enable()", "signal.signal(signal.SIGSEGV, lambda *args: None)"],
    ids=["default", "faulthandler", "of the user"],
)
def test_import_leaves_every_signal_handler_as_it_was(prepare):
    code = f"""{HANDLERS}
{prepare}
before = handlers()
import tvmgo
print(handlers() == before, len(before) > 30)
tvmgo.list_global_functions()  # loads the runtime
tvmgo.get_global_function("tvm.contrib.sort.argsort")  # loads what lies beside it
print(handlers() == before, sorted(tvmgo._native.locate.libraries()))
"""
    assert output_of(code, env={"PYTHONFAULTHANDLER": ""}) == (
        "True True\nTrue ['tvm_ffi', 'tvm_runtime', 'tvm_runtime_extra']\n"
    )


def test_import_in_a_thread_leaves_every_signal_handler_as_it_was():
    code = f"""{HANDLERS}
import threading
before = handlers()
thread = threading.Thread(target=__import__, args=("tvmgo",))
thread.start(), thread.join()
print(handlers() == before)
"""
    assert output_of(code) == "True\n"


def test_faulthandler_shows_the_python_traceback_of_a_crash_after_the_import():
    done = run_python("""
        import faulthandler
        faulthandler.enable()
        import tvmgo
        def crashing():
            import ctypes
            ctypes.string_at(0)
        crashing()
    """)
    assert done.returncode == -11
    assert "Fatal Python error: Segmentation fault" in done.stderr
    assert "in crashing" in done.stderr


def test_signal_during_a_kernel_raises_after_it(kernels_path):
    assert (
        output_of(f"""
        import signal, threading, time, os
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        start = time.perf_counter()
        try:
            kernels["sleep_us"](600_000)
            time.sleep(1)
        except KeyboardInterrupt:
            print("interrupted", kernels["sum_ints"](1, 2))
    """)
        == "interrupted 3\n"
    )


def test_signal_during_a_callback_comes_out_as_keyboard_interrupt(kernels_path):
    assert (
        output_of(f"""
        import signal, threading, time, os
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            kernels["forward"](lambda: time.sleep(5))
        except KeyboardInterrupt:
            print("interrupted", kernels["sum_ints"](1, 2))
    """)
        == "interrupted 3\n"
    )


def test_signal_handler_that_raises_while_a_call_fails_wins(kernels_path):
    assert (
        output_of(f"""
        import signal, threading, time, os
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        def handler(number, frame):
            raise LookupError("from the handler")
        signal.signal(signal.SIGUSR1, handler)
        def fail():
            os.kill(os.getpid(), signal.SIGUSR1)
            raise ValueError("from the callback")
        try:
            kernels["forward"](fail)
        except (LookupError, ValueError) as error:
            print(kernels["sum_ints"](1, 2))
    """)
        == "3\n"
    )


@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("cpu", "number=10**9"),
        ("cpu", "number=1, repeat=10**9"),
        ("cpu", "number=1, repeat=1, min_repeat_ms=10**6"),
        ("cpu", "number=1, repeat=2, cooldown_interval_ms=10**6"),
        ("ext_dev", "number=10**9"),
    ],
)
def test_signal_ends_the_timing_of_a_function_at_once(kernels_path, device, options):
    assert (
        output_of(f"""
        import signal, threading, time, os
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        tvmgo.register_function(lambda: None, "device_api.ext_dev")
        tvmgo.register_function(lambda *args: None, "runtime.Device_StreamSync", override=True)
        timed = kernels.time_evaluator("sleep_us", {device!r}, {options})
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
        sent = []
        def send():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.3, send).start()
        try:
            timed(1000)
        except KeyboardInterrupt:
            late = time.perf_counter() - sent[0]
            print("interrupted", late < 3 or late, kernels["sum_ints"](1, 2))
    """)
        == "interrupted True 3\n"
    )


WAITING = """
    import json, os, signal, sys, threading, time
    import tvmgo
    from tests.graphs import document, op, var
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    entered, leave = threading.Event(), threading.Event()
    def kernel(x, out):
        entered.set()
        leave.wait(60)
    tvmgo.register_function(kernel, "test_ge.wait")
    nodes = [var("x"), op("wait", ["x"], name="y")]
    graph = tvmgo.graph_executor.create(json.dumps(document(nodes, ["y"])), None, tvmgo.cpu(0))
    thread = threading.Thread(target=graph)
    thread.start()
    entered.wait(60)
"""


def test_ctrl_c_ends_the_wait_for_a_turn():
    assert (
        output_of(f"""{WAITING}
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        graph()
    except KeyboardInterrupt:
        print("interrupted while the other runs:", thread.is_alive())
    leave.set()
    thread.join()
    print(len(graph()))
    """)
        == "interrupted while the other runs: True\n1\n"
    )


def test_waiting_thread_lets_others_run_and_the_process_end():
    assert (
        output_of(f"""{WAITING}
    before = time.process_time()
    waiting = threading.Thread(target=graph, daemon=True)
    waiting.start()
    count = 0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        time.sleep(0.01)
        count += 1
    print(count > 20, time.process_time() - before < 0.5)
    leave.set()
    thread.join()
    waiting.join()
    leave.clear(), entered.clear()
    for _ in range(3):
        threading.Thread(target=graph, daemon=True).start()
    entered.wait(60)
    """)
        == "True True\n"
    )
