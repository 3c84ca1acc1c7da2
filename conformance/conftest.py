# SPDX-License-Identifier: Apache-2.0
"""What the conformance tests share."""

import gc

import pytest

import tvmgo
from conformance import library
from conformance.samples import files

pytest.register_assert_rewrite("conformance.counterparts")


@pytest.fixture(scope="session")
def ffi_files(tmp_path_factory):
    """A directory with the files gotvm's samples expect, of today's calling convention."""
    directory = tmp_path_factory.mktemp("ffi")
    files.prepare(directory)
    return directory


@pytest.fixture(scope="session")
def recorded_directory(tmp_path_factory):
    """A directory with the files recorded calls and samples name; its library is loaded."""
    directory = tmp_path_factory.mktemp("recorded")
    library.prepare(directory)
    with library.beside(directory):
        return directory


@pytest.fixture
def beside_library(recorded_directory, monkeypatch):
    """Make that directory the current one, as it was for the recorded calls."""
    monkeypatch.chdir(recorded_directory)


@pytest.fixture(autouse=True)
def nothing_left_behind(recorded_directory):
    """Each test leaves the global functions and the live objects as it found them."""
    gc.collect()
    names, live = tvmgo.list_global_functions(), tvmgo.live_objects()
    yield
    gc.collect()
    assert tvmgo.list_global_functions() == names
    assert tvmgo.live_objects() == live
