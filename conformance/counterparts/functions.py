# SPDX-License-Identifier: Apache-2.0
"""``global``, ``invoke``: functions that are missing."""

import gc

import tvmgo
from conformance.catalogue import counterpart
from conformance.library import received_by_callback
from conformance.outcome import error_of

NAME = "no.such.name"


@counterpart("global.missing", "global.missing.invoke")
def missing():
    return tvmgo.get_global_function(NAME).invoke()


@counterpart("global.missing.as_arg")
def missing_passed():
    return received_by_callback(tvmgo.get_global_function(NAME))


@counterpart("global.missing.finalize")
def missing_dropped():
    assert NAME in error_of(tvmgo.get_global_function, NAME)
    gc.collect()
    return "survived"


@counterpart("global.empty")
def empty_name():
    return tvmgo.get_global_function("")


@counterpart("invoke.nil_function")
def nil_function():
    return tvmgo.Function().invoke()
