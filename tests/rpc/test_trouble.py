# SPDX-License-Identifier: Apache-2.0
"""Peers that vanish, stall, crash or speak another language: errors, in time, that say so."""

import os
import signal
import socket
import struct
import threading
import time

import numpy as np
import pytest

import tvmgo
from tests.helpers import run_python
from tests.rpc.broken import converse, greet
from tests.rpc.conftest import KEY, eventually, load
from tests.rpc.peers import tvmgo_server
from tests.rpc.proxy import Proxy
from tvmgo.rpc import connect, wire


def within(seconds, call):
    """Run `call`, which must not take longer."""
    begin = time.monotonic()
    try:
        return call()
    finally:
        assert time.monotonic() - begin < seconds


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = sock.getsockname()
    with pytest.raises(tvmgo.TVMRPCError, match="cannot be reached"):
        connect(*address, timeout=5)


def test_somebody_who_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        with pytest.raises(tvmgo.TVMRPCTimeoutError, match="no answer .* within 0.3 s") as error:
            within(3, lambda: connect(*sock.getsockname()[:2], timeout=0.3))
        assert isinstance(error.value, TimeoutError)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no RPC server of TVM"),
        (b"", "did not accept the connection"),
        (struct.pack("<i", wire.MISMATCH), "another key"),
        (struct.pack("<ii", wire.MAGIC, -1), "key of -1 bytes"),
        (struct.pack("<ii", wire.MAGIC, 1 << 30), "key of 1073741824 bytes"),
        # What TVM 0.20 and older answer to the first packet.
        (
            wire.greeting("server:") + wire.framed(struct.pack("<iii", wire.RETURN, 1, 4)),
            "TVM 0.20",
        ),
        (wire.greeting("server:") + struct.pack("<Q", 1 << 60), "a packet of 1152921504606846976"),
        (wire.greeting("server:") + wire.framed(b"\xff" * 40), "which no server sends"),
        (wire.greeting("server:") + b"half", "closed the connection"),
    ],
    ids=lambda x: x[:20].hex() if isinstance(x, bytes) else x,
)
def test_somebody_else(answer, words):
    def serve():
        peer, _ = listener.accept()
        with peer:
            peer.recv(1000)
            peer.sendall(answer)
            if len(answer) > 30:
                peer.recv(1000)
                time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(tvmgo.TVMRPCError, match=words):
            within(5, lambda: connect(*listener.getsockname()[:2], timeout=2))
        thread.join()


def test_a_call_that_takes_too_long(server, library):
    with connect(*server.address, KEY, timeout=20) as session:
        remote = load(session, library)
        session.timeout = 0.3
        with pytest.raises(tvmgo.TVMRPCTimeoutError, match=r"no answer .* within 0.3 s"):
            within(3, lambda: remote["nap"](60000))
        assert session.closed
        with pytest.raises(tvmgo.TVMRPCError, match="no answer"):
            within(1, lambda: remote["nap"](1))
        del remote
    assert eventually(lambda: not server.children(), 15)


def test_a_session_whose_time_is_over(server, library):
    with connect(*server.address, KEY, timeout=20, session_timeout=1) as session:
        remote = load(session, library)
        with pytest.raises(tvmgo.TVMRPCTimeoutError, match="time is over"):
            within(5, lambda: remote["nap"](60000))


def test_an_idle_session_ends(library):
    peer = tvmgo_server("--timeout", "0.5")
    try:
        with connect(*peer.address, timeout=20) as session:
            assert eventually(lambda: not peer.children() and not peer.files())
            assert eventually(lambda: session.closed)
            with pytest.raises(tvmgo.TVMRPCError, match=r"silent for 0.5 s"):
                session.upload(b"", "x")
    finally:
        peer.close()


def test_a_crash_there_is_an_error_here(server, library):
    with connect(*server.address, KEY, timeout=20) as session:
        remote = load(session, library)
        with pytest.raises(tvmgo.TVMRPCError, match="process ended by signal SIGABRT"):
            within(5, remote["crash"])
        del remote
    with connect(*server.address, KEY, timeout=20) as session:
        assert load(session, library)["nap"](1) == 1
    assert eventually(lambda: not server.children() and not server.files())


def test_a_server_that_is_killed(library):
    peer = tvmgo_server()
    with connect(*peer.address, timeout=20) as session:
        remote = load(session, library)
        killer = threading.Timer(0.3, lambda: [os.kill(int(c), 9) for c in peer.children()])
        killer.start()
        with pytest.raises(tvmgo.TVMRPCError, match="SIGKILL"):
            within(5, lambda: remote["nap"](60000))
        killer.join()
        del remote
    peer.close()


def test_the_server_takes_its_sessions_along(library):
    peer = tvmgo_server()
    with connect(*peer.address, timeout=20) as session:
        remote = load(session, library)
        (child,) = peer.children()
        peer.process.send_signal(signal.SIGTERM)
        assert peer.process.wait(10) == 130
        assert not os.path.exists(f"/proc/{child}")
        assert not peer.files()
        with pytest.raises(tvmgo.TVMRPCError, match="closed the connection"):
            within(5, lambda: remote["nap"](1))
        del remote
    peer.close()


def send_and_fetch(address, timeout):
    with connect(*address, KEY, timeout=timeout) as session:
        session.array(np.zeros(1000)).numpy()


@pytest.mark.parametrize("stall_after", [4, 30, 100, 1000])
def test_a_network_that_stalls(server, stall_after):
    with (
        Proxy(server.address, stall_after=stall_after) as proxy,
        pytest.raises(tvmgo.TVMRPCTimeoutError),
    ):
        within(5, lambda: send_and_fetch(proxy.address, 0.5))


@pytest.mark.parametrize("cut_after", [0, 4, 30, 100, 1000])
def test_a_network_that_cuts(server, cut_after):
    with Proxy(server.address, cut_after=cut_after) as proxy, pytest.raises(tvmgo.TVMRPCError):
        within(5, lambda: send_and_fetch(proxy.address, 10))
    assert eventually(lambda: not server.children(), 15)


def test_a_client_that_vanishes_while_a_kernel_runs(server, library):
    code = f"""
        import os, threading, tvmgo.rpc
        session = tvmgo.rpc.connect(*{server.address!r}, {KEY!r})
        session.upload({str(library)!r})
        threading.Timer(0.3, os._exit, [3]).start()
        session.load_module("remote.so")["nap"](600000)
    """
    assert run_python(code).returncode == 3
    assert eventually(lambda: not server.children() and not server.files(), 15)


def test_ctrl_c_ends_a_wait_and_no_answer_is_mistaken(server, library):
    code = f"""
        import os, signal, threading, time, tvmgo.rpc
        signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs this may ignore it
        session = tvmgo.rpc.connect(*{server.address!r}, {KEY!r})
        session.upload({str(library)!r})
        remote = session.load_module("remote.so")
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        begin = time.monotonic()
        try:
            remote["nap"](4000)
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - begin < 3)
        WAIT
        try:
            print(remote["nap"](1))
        except tvmgo.TVMRPCError as error:
            print("interrupted" in str(error))
    """
    for wait in ("", "time.sleep(4.5)"):  # the answer has not come, or it has
        done = run_python(code.replace("WAIT", wait))
        assert (done.stdout.split(), done.stderr) == (["interrupted", "True", "True"], "")


def test_a_process_ends_with_open_sessions(server):
    code = f"""
        import tvmgo.rpc
        session = tvmgo.rpc.connect(*{server.address!r}, {KEY!r})
        array = session.array([1, 2])
        function = session.get_function("tvm.rpc.server.download")
    """
    done = run_python(code, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_leaves_its_parents_session_alone(server):
    code = f"""
        import os, tvmgo.rpc
        session = tvmgo.rpc.connect(*{server.address!r}, {KEY!r}, timeout=10)
        array = session.array([1, 2])
        child = os.fork()
        if child == 0:
            try:
                array.numpy()
            except tvmgo.TVMError:
                del array
                os._exit(7)
            os._exit(8)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), array.numpy().sum())
    """
    done = run_python(code, timeout=20)
    assert (done.stdout.split(), done.stderr) == (["7", "3"], "")


def test_sessions_wait_for_their_turn(library):
    peer = tvmgo_server("--sessions", "1")
    try:
        first = connect(*peer.address, timeout=20)
        with pytest.raises(tvmgo.TVMRPCTimeoutError):
            connect(*peer.address, timeout=0.5)
        threading.Timer(0.5, first.close).start()
        with connect(*peer.address, timeout=20) as second:
            second.upload(b"x", "x")
    finally:
        peer.close()


def test_a_slow_loris_keeps_nobody_out(server):
    held = [greet(server.address, b"\x71") for _ in range(600)]  # a byte of the magic number
    with connect(*server.address, KEY, timeout=20) as session:
        session.upload(b"x", "x")
    for sock in held:
        sock.close()
    assert eventually(lambda: not server.children())


def test_a_thousand_broken_conversations(server, library):
    before = server.descriptors()
    for seed in range(1000):
        converse(server.address, KEY, seed)
    assert eventually(lambda: not server.children() and not server.files(), 20)
    assert eventually(lambda: server.descriptors() <= before)
    with connect(*server.address, KEY, timeout=20) as session:
        assert load(session, library)["nap"](1) == 1
