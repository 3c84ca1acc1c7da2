# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``module_test.go``."""

import pytest

import tvmgo


@pytest.fixture(autouse=True)
def beside_the_library(world, monkeypatch):
    monkeypatch.chdir(world.directory)


def test_module_test_load1():
    assert isinstance(tvmgo.load_module("./deploy.so", "dll"), tvmgo.Module)


def test_module_test_load2():
    assert isinstance(tvmgo.load_module("./deploy.so", "dylib"), tvmgo.Module)


def test_module_test_load3():
    assert isinstance(tvmgo.load_module("./deploy.so", "dso"), tvmgo.Module)


def test_module_test_load4():
    assert isinstance(tvmgo.load_module("./deploy.so", "so"), tvmgo.Module)


def test_module_test_load5():
    assert isinstance(tvmgo.load_module("./deploy.so"), tvmgo.Module)


def test_module_test_load_err():
    with pytest.raises(tvmgo.TVMError, match="xyzabc.so"):
        tvmgo.load_module("xyzabc.so", "so")
