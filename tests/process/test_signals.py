# SPDX-License-Identifier: Apache-2.0
"""Signals that come while native code runs raise when it has ended."""

from tests.helpers import output_of


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
