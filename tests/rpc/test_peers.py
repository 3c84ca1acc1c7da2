# SPDX-License-Identifier: Apache-2.0
"""Clients and servers of apache-tvm with ours, over loopback, a bad network, and two namespaces."""

import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tvmgo
from tests.helpers import CHECKOUT, output_of, search_path
from tests.rpc.conftest import KEY, load
from tests.rpc.peers import stock_client, stock_server, tvmgo_server
from tests.rpc.proxy import Proxy
from tvmgo import graph_executor
from tvmgo.rpc import connect

X, K = np.array([1.0, -3.0], "float32"), np.array([0.5, 2.0], "float32")
TVM_0_19 = CHECKOUT / ".cache" / "tvm-0.19" / "bin" / "python"
CALLS = """
remote.upload(library)
print(len(remote.download("remote.so")))
module = remote.load_module("remote.so")
x, k, out = (tvm.runtime.tensor(np.array(v, "float32"), remote.cpu()) for v in ([1, -3], [0.5, 2], [0, 0]))
module["add"](x, k, out)
print(*out.numpy())
print(module["nap"](7))
print(module.time_evaluator("nap", remote.cpu(), number=1, repeat=2)(10).mean >= 0.01)
try:
    module["fail"]()
except Exception as error:
    print("fails" in str(error))
"""


@pytest.mark.apache_tvm
def test_their_client_with_our_server(server, library):
    said = stock_client(server.address, CALLS, KEY, library)
    assert said == [str(library.stat().st_size), "1.5", "-1.0", "7", "True", "True"]


@pytest.mark.apache_tvm
def test_our_client_with_their_server(stock, library, graph):
    with connect(*stock.address, KEY, timeout=20) as session:
        assert session.machine is None
        remote = load(session, library)
        assert len(session.download("remote.so")) == library.stat().st_size
        out = session.empty(2)
        remote["add"](session.array(X), session.array(K), out)
        assert out.numpy().tolist() == (X + K).tolist()
        assert remote.time_evaluator("nap", session.cpu(), number=1, repeat=2)(10).mean >= 0.01
        with pytest.raises(tvmgo.TVMRPCError, match="fails"):
            remote["fail"]()
        with pytest.raises(NotImplementedError, match="has no graph executor"):
            graph_executor.create(graph, remote, session.cpu())


@pytest.mark.apache_tvm
def test_their_client_learns_of_a_wrong_key(server):
    with pytest.raises(AssertionError, match="cannot find server that matches key"):
        stock_client(server.address, "", "wrong")


@pytest.mark.apache_tvm
def test_our_client_learns_of_a_wrong_key(stock):
    with pytest.raises(tvmgo.TVMRPCError, match="another key than 'wrong'"):
        connect(*stock.address, "wrong", timeout=20)


@pytest.mark.skipif(not TVM_0_19.exists(), reason="no TVM 0.19 under .cache")
def test_tvm_0_19_cannot_take_part_and_finds_out_at_once(server):
    client = f"from tvm import rpc; rpc.connect(*{server.address!r}, {KEY!r})"
    done = subprocess.run([TVM_0_19, "-c", client], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "pending_request_bytes_" in done.stderr
    peer = stock_server(KEY, python=[TVM_0_19], env={"PYTHONPATH": ""})
    with pytest.raises(tvmgo.TVMRPCError, match="TVM 0.20 and older"):
        connect(*peer.address, KEY, timeout=20)
    peer.close()


@pytest.mark.parametrize("options", [{"piece": 7}, {"delay": 0.01}], ids=str)
def test_a_slow_network_changes_nothing(server, library, options):
    with (
        Proxy(server.address, **options) as proxy,
        connect(*proxy.address, KEY, timeout=20) as session,
    ):
        remote = load(session, library)
        assert remote["nap"](1) == 1
        values = np.arange(1000, dtype="float64")
        assert np.array_equal(session.array(values).numpy(), values)


def can_make_namespaces():
    return (
        os.geteuid() == 0
        and shutil.which("ip") is not None
        and subprocess.run(["ip", "netns", "list"], capture_output=True).returncode == 0
    )


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


@pytest.fixture
def namespaces():
    """Two network namespaces, 10.99.99.1 and 10.99.99.2; how to run something in each."""
    names = [f"tvmgo{os.getpid()}{end}" for end in "ab"]
    made = []
    try:
        for name in names:
            if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
                pytest.skip("no network namespaces can be made here")
            made.append(name)
        links = [f"v{os.getpid() % 10**6}{end}" for end in "ab"]
        ip(f"link add {links[0]} netns {names[0]} type veth peer name {links[1]} netns {names[1]}")
        for number, (name, link) in enumerate(zip(names, links), 1):
            ip(f"-n {name} addr add 10.99.99.{number}/24 dev {link}")
            ip(f"-n {name} link set {link} up")
            ip(f"-n {name} link set lo up")
        yield [("ip", "netns", "exec", name) for name in names]
    finally:
        for name in made:
            ip(f"netns del {name}")


@pytest.mark.skipif(not can_make_namespaces(), reason="no network namespaces can be made here")
def test_between_two_namespaces(namespaces):
    peer = tvmgo_server("--host", "10.99.99.1", prefix=namespaces[0])
    code = f"""
        import tvmgo.rpc
        with tvmgo.rpc.connect("10.99.99.1", {peer.address[1]}, timeout=20) as session:
            session.upload(b"far", "file")
            print(session.download("file").decode(), session.array([1, 2]).numpy().sum())
    """
    try:
        assert run_in(namespaces[1], code).split() == ["far", "3"]
    finally:
        peer.close()


def run_in(prefix, code):
    done = subprocess.run(
        [*prefix, sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": search_path()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_neither_needs_tvm(server):
    code = f"""
        import sys, tvmgo.rpc, tvmgo.rpc.server.listener
        with tvmgo.rpc.connect(*{server.address!r}, {KEY!r}) as session:
            print("tvm" in sys.modules, "numpy" in sys.modules)
    """
    assert output_of(code).split() == ["False", "False"]
