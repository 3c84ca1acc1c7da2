# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``function_test.go``."""

import numpy as np

import tvmgo
from conformance.catalogue import counterpart
from conformance.library import callback, deploy, registered
from conformance.outcome import attempt


def add(*args):
    """Return the sum of two ints, as the callbacks of these tests did."""
    return args[0].as_int64() + args[1].as_int64()


@counterpart("tests.TestFunctionGlobals")
def function_globals():
    assert len(tvmgo.list_global_functions()) >= 1


@counterpart("tests.TestFunctionGlobalGet")
def function_global_get():
    function = tvmgo.get_global_function("tvm.graph_executor.create")
    assert isinstance(function, tvmgo.Function)


@counterpart("tests.TestFunctionModuleGet")
def function_module_get():
    rng = np.random.default_rng(0)
    x, y = rng.random(1024, np.float32), rng.random(1024, np.float32)
    arrays = [tvmgo.empty([1024], "float32", tvmgo.cpu(0)) for _ in range(3)]
    arrays[0].copy_from(x)
    arrays[1].copy_from(y)

    deploy().get_function("myadd").invoke(*arrays)

    np.testing.assert_array_equal(arrays[2].as_slice(), x + y)


@counterpart("tests.TestFunctionConvert")
def function_convert():
    assert tvmgo.convert_function(add, values=True).invoke(10, 20).as_int64() == 30


@counterpart("tests.TestFunctionError")
def function_error():
    def fail(*args):
        raise ValueError("sample error XYZABC")

    error = attempt(tvmgo.convert_function(fail, values=True).invoke, 10, 20).error
    assert isinstance(error, ValueError) and "sample error XYZABC" in str(error)


@counterpart("tests.TestFunctionRegister")
def function_register():
    with registered(add, "sampleAdd", values=True):
        assert "sampleAdd" in tvmgo.list_global_functions()
        assert tvmgo.get_global_function("sampleAdd").invoke(10, 20).as_int64() == 30


@counterpart("tests.TestFunctionClosureArg")
def function_closure_arg():
    def call(*args):
        function = args[0].as_function()
        forwarded = function.invoke(list(args[1:])).as_int64()
        passed = function.invoke(args[1].as_int64(), args[2].as_int64()).as_int64()
        assert forwarded == passed
        return forwarded

    with registered(call, "sampleFunctionArg", values=True):
        function = tvmgo.get_global_function("sampleFunctionArg")
        assert function.invoke(lambda a, b: a + b, 30, 50).as_int64() == 80


@counterpart("tests.TestFunctionClosureReturn")
def function_closure_return():
    with registered(lambda: callback(add), "sampleFunctionCb"):
        closure = tvmgo.get_global_function("sampleFunctionCb").invoke().as_function()
        assert closure.invoke(30, 40).as_int64() == 70


@counterpart("tests.TestFunctionNoArgsReturns")
def function_no_args_returns():
    assert tvmgo.convert_function(lambda: None).invoke().type_code == 4


@counterpart("tests.TestFunctionNoArgsReturns2")
def function_no_args_returns2():
    closure = tvmgo.convert_function(lambda: lambda: None).invoke().as_function()
    assert closure.invoke().type_code == 4
