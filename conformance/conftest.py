# SPDX-License-Identifier: Apache-2.0
"""What the conformance tests share."""

import gc

import pytest

import tvmgo
from conformance.samples import files
from conformance.world import World


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory):
    """A directory with the files gotvm's samples expect in theirs."""
    directory = tmp_path_factory.mktemp("samples")
    files.prepare(directory)
    return directory


@pytest.fixture(scope="session")
def classic_sample_files(tmp_path_factory):
    """The same with libraries of the classic calling convention."""
    directory = tmp_path_factory.mktemp("classic_samples")
    files.prepare(directory, "classic")
    return directory


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """What the recorded calls were made on, its library loaded already."""
    world = World.made_in(tmp_path_factory.mktemp("world"))
    assert world.deploy
    return world


@pytest.fixture(scope="session", autouse=True)
def runtime_loaded():
    """Load the runtime's libraries once, so that no test sees their functions appear."""
    tvmgo._native.locate.load()
    tvmgo._native.companions.load_extra()


@pytest.fixture(autouse=True)
def nothing_left_behind(runtime_loaded):
    """Each test leaves the global functions and the live objects as it found them."""
    gc.collect()
    names, live = tvmgo.list_global_functions(), tvmgo.live_objects()
    yield
    gc.collect()
    assert tvmgo.list_global_functions() == names
    assert tvmgo.live_objects() == live
