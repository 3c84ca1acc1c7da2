# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``module_test.go``."""

import tvmgo
from conformance.catalogue import counterpart
from conformance.outcome import attempt


@counterpart("tests.TestModuleTestLoad1")
def module_test_load1():
    assert isinstance(tvmgo.load_module("./deploy.so", "dll"), tvmgo.Module)


@counterpart("tests.TestModuleTestLoad2")
def module_test_load2():
    assert isinstance(tvmgo.load_module("./deploy.so", "dylib"), tvmgo.Module)


@counterpart("tests.TestModuleTestLoad3")
def module_test_load3():
    assert isinstance(tvmgo.load_module("./deploy.so", "dso"), tvmgo.Module)


@counterpart("tests.TestModuleTestLoad4")
def module_test_load4():
    assert isinstance(tvmgo.load_module("./deploy.so", "so"), tvmgo.Module)


@counterpart("tests.TestModuleTestLoad5")
def module_test_load5():
    assert isinstance(tvmgo.load_module("./deploy.so"), tvmgo.Module)


@counterpart("tests.TestModuleTestLoadErr")
def module_test_load_err():
    error = attempt(tvmgo.load_module, "xyzabc.so", "so").error
    assert isinstance(error, tvmgo.TVMError) and "xyzabc.so" in str(error)
