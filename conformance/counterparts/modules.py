# SPDX-License-Identifier: Apache-2.0
"""``mod``: functions of modules."""

import gc

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.gofmt import go_type
from conformance.outcome import attempt


@counterpart("mod.get.present")
def present():
    return library.deploy().get_function("myadd")


@counterpart("mod.get.missing.invoke")
def missing():
    return library.deploy().get_function("nosuch").invoke()


@counterpart("mod.get.empty")
def empty_name():
    return library.deploy().get_function("")


@counterpart("mod.get.data_symbol", "mod.get.libc_symbol")
def not_a_function(fact):
    return library.deploy().get_function("strlen" if "libc" in fact.case else "__TVMFuncCall")


def added_with(function):
    """Call the function that was found."""
    one, total = tvmgo.array([1, 1], "float32"), tvmgo.empty([2])
    function(one, one, total)
    return total.numpy()


# In gotvm the argument counted in the second place only, where it was not documented.
@counterpart("mod.get.query_imports_two_args")
def query_imports():
    return library.deploy().get_function("myadd", 0)


@counterpart("mod.get.query_imports_one_arg", "mod.get.query_imports_bool")
def query_imports_used(fact):
    argument = 1 if fact.case.endswith("one_arg") else True
    return added_with(library.deploy().get_function("myadd", argument))


@counterpart("mod.nil")
def nil_module():
    return tvmgo.Module().get_function("x")


@counterpart("mod.func_outlives_module")
def function_outlives_module():
    module = tvmgo.load_module("./deploy.so")
    function = module.get_function("ret_int")
    del module
    gc.collect()
    correct = sum(attempt(function).value == -42 for _ in range(100))
    return f"{correct} correct results"


@counterpart("mod.type")
def types():
    return f"{go_type(library.deploy())} {go_type(library.kernel('ret_int'))}"
