# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of graph executors: kernels, and what only native code can do."""

from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.graph.executors import KERNELS, create_debug, write
from tests.graphs import KERNELS_PREFIX, document, op, var
from tests.libraries import compile_library

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture(scope="module", autouse=True)
def registered_kernels():
    for name, kernel in KERNELS.items():
        tvmgo.register_function(kernel, KERNELS_PREFIX + name, override=True)
    yield
    for name in KERNELS:
        tvmgo.remove_global_function(KERNELS_PREFIX + name)


@pytest.fixture
def kernel():
    """Registers one more kernel under a name of its own for the length of a test."""
    names = []

    def register(function):
        names.append(f"special{len(names)}")
        tvmgo.register_function(function, KERNELS_PREFIX + names[-1], override=True)
        return names[-1]

    yield register
    for name in names:
        tvmgo.remove_global_function(KERNELS_PREFIX + name)


@pytest.fixture
def counting(kernel):
    """Makes a debug executor of three operators a, b, c in a chain, and the list of their calls."""

    def make():
        calls, nodes = [], [var("x")]
        for name in "abc":
            count = kernel(
                lambda x, out, name=name: (calls.append(name), write(out, np.asarray(x) + 1))
            )
            nodes.append(op(count, [nodes[-1]["name"]], name=name))
        return create_debug(document(nodes, ["c"])), calls

    return make


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The library made of sources/native.c."""
    return tvmgo.load_module(
        compile_library(SOURCES / "native.c", tmp_path_factory.mktemp("native") / "native.so")
    )


@pytest.fixture
def fake_runtime(native):
    """Puts memory and copies of the extension device in place of libtvm_runtime's."""
    replaced = {
        "runtime.TVMTensorAllocWithScope": "allocate",
        "runtime.TVMTensorCopyFromTo": "copy",
    }
    originals = {name: tvmgo.get_global_function(name) for name in replaced}
    for name, function in replaced.items():
        tvmgo.register_function(native[function], name, override=True)
    yield
    for name, function in originals.items():
        tvmgo.register_function(function, name, override=True)


@pytest.fixture(scope="module")
def linked_path(tmp_path_factory):
    target = tmp_path_factory.mktemp("linked") / "linked.so"
    return compile_library(SOURCES / "linked.c", target)


@pytest.fixture(scope="module")
def linked(linked_path):
    return tvmgo.load_module(linked_path)
