# SPDX-License-Identifier: Apache-2.0
"""A client and a server of tvmgo's: files, functions, arrays, graphs, times."""

import gc
import json
import sys
import threading

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.libraries import compile_library
from tests.rpc.conftest import KEY, eventually, load
from tvmgo import graph_executor
from tvmgo._core.handle import answer_here, release_deferred
from tvmgo._native.elf_outline import machine_of
from tvmgo.rpc import connect
from tvmgo.rpc.machines import check_library, own_machine

X, K = np.array([1.0, -3.0], "float32"), np.array([0.5, 2.0], "float32")


def test_files_go_there_and_back(session):
    contents = bytes(range(256)) * 40000  # more than one piece
    calls = []
    session.upload(contents, "folder/file", progress=lambda *both: calls.append(both))
    assert session.download("folder/file") == contents
    assert calls[0] == (0, len(contents)) and calls[-1] == (len(contents),) * 2
    assert [done for done, _ in calls] == sorted({done for done, _ in calls}) and len(calls) == 4
    session.upload(b"short", "folder/file")
    assert session.download("folder/file") == b"short"
    session.upload(b"", "empty")
    assert session.download("empty") == b""
    session.remove("empty")
    with pytest.raises(tvmgo.TVMRPCError, match="empty"):
        session.download("empty")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/../../b"])
def test_no_file_outside_of_the_folder(session, name):
    with pytest.raises(tvmgo.TVMRPCError, match="session's folder"):
        session.upload(b"x", name)
    with pytest.raises(tvmgo.TVMRPCError, match="session's folder"):
        session.download(name)


def test_arrays_live_there(session):
    values = np.arange(24, dtype="int16").reshape(2, 3, 4)
    array = session.array(values)
    assert array.device == session.device("cpu") == session.cpu() and array.device.is_remote
    assert not tvmgo.cpu().is_remote
    assert np.array_equal(array.numpy(), values)
    other = session.empty(values.shape, "int16")
    other.copy_from(array)
    assert np.array_equal(other.numpy(), values)
    assert str(array.device) == "remote[0]-cpu:0"
    with pytest.raises((ValueError, TypeError)):
        array.copy_from(np.zeros(3, "int16"))


def test_functions_run_there(session, library):
    remote = load(session, library)
    out = session.empty(2)
    remote["add"](session.array(X), session.array(K), out)
    assert out.numpy().tolist() == (X + K).tolist()
    assert remote["nap"](3) == 3
    with pytest.raises(tvmgo.TVMRPCError, match="the kernel fails"):
        remote["fail"]()
    assert remote["nap"](4) == 4  # goes on
    with pytest.raises(KeyError):
        remote["absent"]
    with pytest.raises(KeyError, match="absent"):
        session.get_function("absent")
    with pytest.raises(tvmgo.TVMError, match="local device"):
        remote["add"](tvmgo.array(X), tvmgo.array(K), out)


def test_a_graph_runs_there_as_here(session, graph, library):
    remote = load(session, library)
    there = graph_executor.create(graph, remote, session.cpu())
    here = graph_executor.create(graph, tvmgo.load_module(library), tvmgo.cpu())
    for module in (there, here):
        module.load_params(params_blob([("k0", K)]))
        module.set_input("x", X.astype("float64"))
        module.run()
    expected = here.get_output(0).numpy()
    assert expected.tolist() == ((X + K) ** 2).tolist()
    assert there.get_output(0).device.is_remote
    assert np.array_equal(there.get_output(0).numpy(), expected)
    out = np.empty(2, "float32")
    assert there.get_output(0, out) is out and np.array_equal(out, expected)
    assert np.array_equal(there.get_output(0, tvmgo.empty(2)).numpy(), expected)
    assert there.get_input_info() == here.get_input_info()
    assert there.get_output_info() == here.get_output_info()
    assert there.get_num_inputs() == 2 and there.get_input("nothing") is None
    (first,) = there({"x": X + 1})
    (second,) = there.clone()(x=session.array(X))
    assert first.numpy().tolist() == ((X + 1 + K) ** 2).tolist()
    assert second.numpy().tolist() == expected.tolist()
    with pytest.raises(tvmgo.TVMRPCError, match="nothing"):
        there.set_input("nothing", X)
    with pytest.raises(tvmgo.TVMRPCError, match="input .x.*5"):
        there.set_input("x", np.zeros(5, "float32"))
    with pytest.raises(NotImplementedError, match="lent"):
        there.set_input_zero_copy("x", X)
    with pytest.raises(NotImplementedError, match="lent"):
        there.set_output_zero_copy(0, X)


def test_library_and_device_are_of_one_machine(session, graph, library):
    remote = load(session, library)
    for module, device in (
        (remote, tvmgo.cpu()),
        (tvmgo.load_module(library), session.cpu()),
    ):
        with pytest.raises(TypeError, match="both of one session"):
            graph_executor.create(graph, module, device)


def test_times_are_taken_there(session, graph, library):
    remote = load(session, library)
    times = remote.time_evaluator("nap", session.cpu(), number=1, repeat=3)(20)
    assert len(times.results) == 3 and times.min >= 0.02
    module = graph_executor.create(graph, remote, session.cpu())
    assert module.benchmark(session.cpu(), number=2, repeat=2, x=X).mean > 0


def test_what_the_server_tells(session):
    assert session.machine["machine"] == machine_of(sys.executable)
    assert session.machine["tvmgo"] == tvmgo.__version__


def test_a_library_for_another_machine_is_not_sent(session, library, tmp_path):
    contents = bytearray(library.read_bytes())
    contents[18:20] = (183).to_bytes(2, "little")
    (tmp_path / "arm.so").write_bytes(contents)
    with pytest.raises(ValueError, match="arm.so.*AArch64.*x86-64"):
        session.upload(tmp_path / "arm.so")
    assert session.get_function("tvm.rpc.server.listdir")(".") == ""


def test_a_library_for_a_better_processor_is_not_sent(tmp_path):
    source = tmp_path / "new.c"
    source.write_text('const char tvmgo_cpu_features[] = "sse2,avx512f";\n')
    new = compile_library(source, tmp_path / "new.so")
    asked = []
    with pytest.raises(ValueError, match="processors with avx512f, which there lacks"):
        check_library(str(new), own_machine(), lambda f: asked.append(f) or "avx512f", "there")
    assert asked == ["sse2,avx512f"]
    check_library(str(new), own_machine(), lambda f: "", "there")


def threads_of_sessions():
    return {thread for thread in threading.enumerate() if thread.name == "tvmgo-rpc"}


def test_nothing_is_left_of_a_session(server, library):
    assert eventually(lambda: not server.children() and not server.files())  # of tests before
    before, threads = server.descriptors(), threads_of_sessions()
    with connect(*server.address, KEY) as session:
        session.upload(library)
        module = session.load_module("remote.so")
        array = session.array(X)
        assert len(server.children()) == 1 and len(server.files()) == 1
    assert session.closed
    for use in (lambda: module["nap"](1), lambda: session.upload(b"", "x"), array.numpy):
        with pytest.raises(tvmgo.TVMRPCError, match="session is closed"):
            use()
    assert eventually(lambda: not server.children() and not server.files())
    assert eventually(lambda: server.descriptors() == before)
    del session, module, array, use
    gc.collect()
    assert eventually(lambda: not threads_of_sessions() - threads)


def test_devices_of_no_open_session_are_refused(server):
    stream = tvmgo.get_global_function("runtime.Device_StreamCreate")  # would end the process
    for device in (tvmgo.Device(129, 0), tvmgo.Device(128 * 1000 + 1, 0)):
        assert not device.exists
        for use in (lambda: tvmgo.empty([4], device=device), device.sync, lambda: stream(device)):
            with pytest.raises(tvmgo.TVMError, match="device: there is no open session for remote"):
                use()
    with connect(*server.address, KEY) as session:
        device = session.device("cpu")
        assert device.exists and tvmgo.empty([4], device=device).shape == (4,)
    assert not device.exists
    with pytest.raises(tvmgo.TVMError, match="device: there is no open session for remote"):
        tvmgo.empty([4], device=device)


def test_sessions_are_separate(server):
    with connect(*server.address, KEY) as one, connect(*server.address, KEY) as other:
        one.upload(b"1", "file")
        with pytest.raises(tvmgo.TVMRPCError):
            other.download("file")
        assert one.cpu() != other.cpu()
        array = one.array(X)
        assert (other.array(array).numpy() == X).all()
        with pytest.raises(ValueError, match="device: expected one of this session, got remote"):
            other.array(X, one.cpu())
        with pytest.raises(tvmgo.TVMError):
            other.get_function("tvm.rpc.server.remove")(array)


@pytest.mark.parametrize(
    ("use", "kind", "text"),
    [
        (lambda session: session.get_function([]), TypeError, "name: expected a str, got list"),
        (lambda session: session.upload(None), TypeError, "data: expected a path or bytes, got No"),
        (lambda session: session.upload(b"", 3), TypeError, "target: expected a str, got int"),
        (lambda session: session.upload(b"", "x", progress=3), TypeError, "progress: expected a"),
        (lambda session: session.download(3), TypeError, "path: expected a str, got int"),
        (lambda session: session.remove(None), TypeError, "path: expected a str, got NoneType"),
        (lambda session: session.load_module(b"x"), TypeError, "path: expected a str, got bytes"),
        (lambda session: session.device(-1), ValueError, "device: expected a kind of device"),
        (lambda session: session.empty("2"), TypeError, "shape: expected ints, got str"),
        (lambda session: setattr(session, "timeout", None), TypeError, "timeout: expected a num"),
    ],
)
def test_arguments_that_make_no_sense(session, use, kind, text):
    with pytest.raises(kind, match=text) as caught:
        use(session)
    assert isinstance(caught.value, tvmgo.TVMError)
    assert session.empty(2).shape == (2,)


def test_a_closed_session_says_so(server):
    session = connect(*server.address, KEY)
    session.close()
    for use in (session.cpu, lambda: session.empty(2), lambda: session.array(X)):
        with pytest.raises(tvmgo.TVMRPCError, match="the session is closed"):
            use()


def test_threads_take_turns(session, library):
    remote = load(session, library)
    results = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(remote["nap"](n))) for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(1, 9))


def test_a_thread_that_answers_frees_nothing_on_other_machines(session):
    """Else garbage collection in it would have it wait for itself."""
    values = [session.array(X), session.get_function("tvm.rpc.server.listdir")]
    session._functions.clear()
    asked = []

    def release():
        answer_here(True)
        before = session._bridge.requests
        values.clear()
        asked.append(session._bridge.requests - before)
        answer_here(False)

    thread = threading.Thread(target=release)
    thread.start()
    thread.join(10)
    assert asked == [0]
    before = session._bridge.requests
    release_deferred()
    assert session._bridge.requests - before == 2


def test_the_command_says_where_it_listens(server):
    assert server.address[0] == "127.0.0.1" and server.address[1] > 0
    assert json.dumps(server.address)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (dict(key="two words"), ValueError, "key"),
        (dict(key=3), TypeError, "key"),
        (dict(port=0), ValueError, "port"),
        (dict(port="1"), TypeError, "port"),
        (dict(timeout=0), ValueError, "timeout"),
        (dict(timeout="1"), TypeError, "timeout"),
        (dict(session_timeout=-1), ValueError, "session_timeout"),
        (dict(host=1), TypeError, "host"),
        (dict(host="127.0.0.1:9090"), ValueError, "host: .*port"),
    ],
)
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        connect(**{"host": "127.0.0.1", **arguments})
