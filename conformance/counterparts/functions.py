# SPDX-License-Identifier: Apache-2.0
"""``global``, ``invoke``: functions that are missing."""

import gc

import tvmgo
from conformance.catalogue import Raises, executes, improved
from conformance.outcome import error_of
from conformance.world import received_by_callback

NAME = "no.such.name"


@executes("global.missing", "global.missing.invoke")
def missing(world, fact):
    return tvmgo.get_global_function(NAME).invoke()


@executes("global.missing.as_arg")
def missing_passed(world, fact):
    return received_by_callback(tvmgo.get_global_function(NAME))


improved("global.missing*", Raises(KeyError, NAME))


@executes("global.missing.finalize")
def missing_dropped(world, fact):
    assert NAME in error_of(tvmgo.get_global_function, NAME)
    gc.collect()
    return "survived"


@executes("global.empty")
def empty_name(world, fact):
    return tvmgo.get_global_function("")


improved("global.empty", Raises(KeyError, "''"))


@executes("invoke.nil_function")
def nil_function(world, fact):
    return tvmgo.Function().invoke()


improved(
    "invoke.nil_function", Raises(TypeError, "Function"), "There is no Function that holds nothing."
)
