# SPDX-License-Identifier: Apache-2.0
"""``mod``: functions of modules."""

import gc

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved
from conformance.gofmt import go_type
from conformance.outcome import attempt


@executes("mod.get.present")
def present(world, fact):
    return world.deploy.get_function("myadd")


@executes("mod.get.missing.invoke")
def missing(world, fact):
    return world.deploy.get_function("nosuch").invoke()


improved("mod.get.missing.invoke", Raises(KeyError, "nosuch"))


@executes("mod.get.empty")
def empty_name(world, fact):
    return world.deploy.get_function("")


improved("mod.get.empty", Raises(KeyError, "''"))


@executes("mod.get.data_symbol", "mod.get.libc_symbol")
def not_a_function(world, fact):
    return world.deploy.get_function("strlen" if "libc" in fact.case else "__TVMFuncCall")


improved(
    "mod.get.data_symbol",
    Raises(KeyError, "__TVMFuncCall"),
    "gotvm found any symbol; calling one that is data was undefined. Only functions of the "
    "library itself are found.",
)
improved(
    "mod.get.libc_symbol",
    Raises(KeyError, "strlen"),
    "gotvm found symbols of the library's dependencies, too; calling them as packed functions "
    "was undefined. Only functions of the library itself are found.",
)


def added_with(function):
    """Call the function that was found."""
    one, total = tvmgo.array([1, 1], "float32"), tvmgo.empty([2])
    function(one, one, total)
    return total.numpy()


# In gotvm the argument counted in the second place only, where it was not documented.
@executes("mod.get.query_imports_two_args")
def query_imports(world, fact):
    return world.deploy.get_function("myadd", 0)


@executes("mod.get.query_imports_one_arg", "mod.get.query_imports_bool")
def query_imports_used(world, fact):
    argument = 1 if fact.case.endswith("one_arg") else True
    return added_with(world.deploy.get_function("myadd", argument))


improved("mod.get.query_imports_*", Gives([2, 2], "finds the function, which adds"))


@executes("mod.nil")
def nil_module(world, fact):
    return tvmgo.Module().get_function("x")


improved("mod.nil", Raises(TypeError, "Module"), "There is no Module that holds nothing.")


@executes("mod.func_outlives_module")
def function_outlives_module(world, fact):
    module = tvmgo.load_module("./deploy.so")
    function = module.get_function("ret_int")
    del module
    gc.collect()
    correct = sum(attempt(function).value == -42 for _ in range(100))
    return f"{correct} correct results"


@executes("mod.type")
def types(world, fact):
    return f"{go_type(world.deploy)} {go_type(world.kernel('ret_int'))}"
