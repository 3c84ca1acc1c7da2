# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: the count of live runtime resources, and the library of test kernels."""

import gc
from pathlib import Path

import pytest

import tvmgo
from tests.libraries import compile_library
from tvmgo.model.inspection import examination  # noqa: F401, holds functions from its import on

KERNELS = Path(__file__).parent / "kernels"


def pytest_collection_modifyitems(items):
    """Tests have the same names in every run, so that two runs can be compared."""
    unstable = [item.nodeid for item in items if " at 0x" in item.name]
    assert not unstable, f"parameters whose names hold an address: {unstable}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture(autouse=True)
def live_objects(request):
    """Every test leaves as many runtime resources as it found."""
    before = tvmgo.live_objects()
    yield before
    if getattr(request.node, "failed", True):
        return  # the traceback keeps the test's objects; one report is enough
    if tvmgo.live_objects() != before:  # collecting takes longer than most tests
        gc.collect()
    after = tvmgo.live_objects()
    if request.session.testsfailed:  # what a failed test left behind may have gone during this one
        after = {kind: max(count, before[kind]) for kind, count in after.items()}
    assert after == before


@pytest.fixture(scope="session")
def kernels_path(tmp_path_factory):
    """The path of the library made of kernels/kernels.c."""
    return compile_library(KERNELS / "kernels.c", tmp_path_factory.mktemp("kernels") / "kernels.so")


@pytest.fixture(scope="session")
def kernels(kernels_path):
    """The test kernels as a module."""
    return tvmgo.load_module(kernels_path)


@pytest.fixture(scope="session")
def generation_path(tmp_path_factory):
    """Return a function that compiles a library whose function `generation` returns a number."""
    directory = tmp_path_factory.mktemp("generations")

    def compile_generation(number, *options):
        target = directory / f"generation{number}.so"
        if not target.exists():
            compile_library(KERNELS / "generation.c", target, f"-DGENERATION={number}", *options)
        return target

    return compile_generation


@pytest.fixture
def global_name():
    """Return a name for a global function that is removed after the test if it is there."""
    name = "tests.temporary"
    yield name
    if name in tvmgo.list_global_functions():
        tvmgo.remove_global_function(name)
