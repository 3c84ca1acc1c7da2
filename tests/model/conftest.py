# SPDX-License-Identifier: Apache-2.0
"""Folders with models whose operators are Python functions."""

import json
import shutil
import threading
import time

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graphs import document, op, var
from tests.model.kinds import save, save_sizes
from tvmgo._core import vm_builtins

PREFIX = "test_model."
COLUMNS = 3  # of models of several sizes


def kernel(function):
    """Make an operator of a function of arrays, the last of which is the output."""
    return lambda *arrays: function(*map(np.asarray, arrays))


class Operators:
    """Operators that a test can look into.

    Attributes
    ----------
    running, most : int
        How many `nap`s run now, and the most that did.
    inside : callable
        What `call` calls.
    """

    def __init__(self):
        self.running = self.most = 0
        self.inside = lambda: None
        self.gate = threading.Event()
        self._lock = threading.Lock()

    def add(self, x, w, out):
        out[...] = x + w

    def double(self, x, out):
        out[...] = x * 2

    def nap(self, x, out):
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.002)
        out[...] = -x
        with self._lock:
            self.running -= 1

    def wait(self, x, out):
        with self._lock:
            self.running += 1
        assert self.gate.wait(20)
        out[...] = x
        with self._lock:
            self.running -= 1

    def fail(self, x, out):
        if x.flat[0] > 0:
            raise ZeroDivisionError("positive")
        out[...] = x

    def call(self, x, out):
        self.inside()
        out[...] = x


@pytest.fixture(scope="module")
def operators():
    """Operators of graphs, under their names in the table of global functions."""
    operators = Operators()
    names = ("add", "double", "nap", "wait", "fail", "call")
    for name in names:
        tvmgo.register_function(kernel(getattr(operators, name)), PREFIX + name, override=True)
    yield operators
    for name in names:
        tvmgo.remove_global_function(PREFIX + name)


@pytest.fixture
def write(tmp_path, kernels_path, operators):
    """Return a function that writes a folder with library, graph and parameters."""

    def write(nodes, heads, params=None, name="model"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        shutil.copy(kernels_path, folder / "deploy.so")
        (folder / "deploy.json").write_text(json.dumps(document(nodes, heads)))
        (folder / "deploy.params").write_bytes(params_blob(list((params or {}).items())))
        return folder

    return write


@pytest.fixture
def write_one(write):
    """The same for a graph y = operator(x)."""

    def write_one(operator, shape=(2,), dtype="float32", **options):
        nodes = [var("x", shape, dtype), op(operator, ["x"], shape, dtype, name="y", prefix=PREFIX)]
        return write(nodes, ["y"], **options)

    return write_one


@pytest.fixture
def two_inputs(write):
    """A folder with y = (x + w) * 2 and z = x + w + k, k a parameter."""
    shape, dtype = (3,), "int64"
    nodes = [
        var("x", shape, dtype),
        var("k", shape, dtype),
        var("w", shape, dtype),
        op("add", ["x", "w"], shape, dtype, name="sum", prefix=PREFIX),
        op("double", ["sum"], shape, dtype, name="y", prefix=PREFIX),
        op("add", ["sum", "k"], shape, dtype, name="z", prefix=PREFIX),
    ]
    return write(nodes, ["y", "z"], {"k": np.array([10, 20, 30])})


@pytest.fixture
def write_sizes(tmp_path, kernels_path, operators):
    """Return a function that writes a folder with y = operator(x) for several numbers of rows."""

    def write_sizes(
        operator="double", sizes=(1, 4, 8), independent=True, columns=COLUMNS, params=None
    ):
        params = params or {}  # shapes by name: further arguments of the operator
        folder = tmp_path / "sizes"
        folder.mkdir(exist_ok=True)
        shutil.copy(kernels_path, folder / "deploy.so")

        def nodes(rows):
            shape = (rows, columns)
            return [
                var("x", shape),
                *(var(name, each) for name, each in params.items()),
                op(operator, ["x", *params], shape, name="y", prefix=PREFIX),
            ]

        save_sizes(folder, nodes, columns, sizes, independent)
        return folder

    return write_sizes


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Return a function that gives the folder of a model of some kind, the same each time."""
    place = tmp_path_factory.mktemp("kinds")
    tvmgo.Model  # what stays once it was used, by an export or a load
    vm_builtins.provide()

    def folder_of(kind):
        folder = place / kind
        return folder if folder.exists() else save(kind, folder)

    return folder_of
