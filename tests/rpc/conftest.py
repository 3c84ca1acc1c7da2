# SPDX-License-Identifier: Apache-2.0
"""Servers, a session, and what is uploaded."""

import json
import time
from pathlib import Path

import pytest

import tvmgo.rpc  # noqa: F401, its classes stay
from tests.graphs import squared_sum
from tests.libraries import compile_library
from tests.rpc.peers import stock_server, tvmgo_server
from tvmgo.rpc import connect

KEY = "sesame"


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """A library with a graph's operators, and functions that behave badly."""
    target = tmp_path_factory.mktemp("rpc") / "remote.so"
    return compile_library(Path(__file__).parent / "kernels.c", target)


@pytest.fixture(scope="session")
def graph():
    """The text of a graph: y = (x + k0) squared."""
    return json.dumps(squared_sum("add", "square", prefix=""))


@pytest.fixture(scope="module")
def server():
    peer = tvmgo_server("--key", KEY)
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def stock():
    peer = stock_server(KEY)
    yield peer
    peer.close()


@pytest.fixture
def session(server):
    with connect(*server.address, KEY, timeout=20) as session:
        yield session


def load(session, library):
    """The library, loaded on the other side."""
    session.upload(library)
    return session.load_module("remote.so")


def eventually(holds, seconds=10):
    """Whether something holds before some seconds are over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False
