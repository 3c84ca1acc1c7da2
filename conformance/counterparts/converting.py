# SPDX-License-Identifier: Apache-2.0
"""``convert``: functions from callables."""

import tvmgo
from conformance.catalogue import counterpart


@counterpart("convert.string")
def string():
    return tvmgo.convert_function("x")


@counterpart("convert.no_args")
def no_arguments():
    return tvmgo.convert_function()


@counterpart("convert.extra")
def extra_arguments():
    return tvmgo.convert_function(lambda *args: None, 1, 2)


@counterpart("convert.typed_nil.call")
def nil():
    return tvmgo.convert_function(None).invoke()


@counterpart("convert.not_registered")
def not_registered():
    before = set(tvmgo.list_global_functions())
    function = tvmgo.convert_function(lambda *args: None)
    added = sorted(set(tvmgo.list_global_functions()) - before)
    assert function
    return added
