# SPDX-License-Identifier: Apache-2.0
"""``convert``: functions from callables."""

import tvmgo
from conformance.catalogue import Raises, executes, improved, python


@executes("convert.string")
def string(world, fact):
    return tvmgo.convert_function("x")


improved("convert.string", Raises(TypeError, "str"))


@executes("convert.no_args")
def no_arguments(world, fact):
    return tvmgo.convert_function()


improved("convert.no_args", Raises(TypeError, "argument"))


@executes("convert.extra")
def extra_arguments(world, fact):
    return tvmgo.convert_function(lambda *args: None, 1, 2)


python(
    "convert.extra",
    Raises(TypeError, "arguments"),
    "An argument too many is an error of the program; ignoring it hides it.",
)


@executes("convert.typed_nil.call")
def nil(world, fact):
    return tvmgo.convert_function(None).invoke()


improved("convert.typed_nil.call", Raises(TypeError, "callable", "NoneType"))


@executes("convert.not_registered")
def not_registered(world, fact):
    before = set(tvmgo.list_global_functions())
    function = tvmgo.convert_function(lambda *args: None)
    added = sorted(set(tvmgo.list_global_functions()) - before)
    assert function
    return added
