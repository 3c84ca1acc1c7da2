# SPDX-License-Identifier: Apache-2.0
"""``leak``: what stays of calls whose results are dropped."""

import tvmgo
from conformance import library, memory
from conformance.catalogue import counterpart
from conformance.library import callback
from conformance.outcome import attempt

TEXT = "x" * 1000


def dropped(case):
    """Return the call that is made over and over."""
    if case == "string_arg":
        kernel = library.kernel("str_len")
        return lambda: kernel.invoke(TEXT)
    if case == "bytes_arg":
        kernel = library.kernel("bytes_len")
        return lambda: kernel.invoke(TEXT.encode())
    if case == "error":
        kernel = library.kernel("err_msg")
        return lambda: attempt(kernel.invoke)
    if case == "unsupported_arg":
        kernel, unsupported = library.kernel("noop"), object()
        return lambda: attempt(kernel.invoke, TEXT, unsupported)
    if case == "string_result":
        function = callback(lambda: TEXT)
        return lambda: function.invoke().as_str()
    if case == "shape_tuple":
        function = tvmgo.get_global_function("ffi.Shape")
        return lambda: function.invoke(1, 2, 3)
    return {
        "convert": lambda: tvmgo.convert_function(lambda *args: None),
        "get_global": lambda: tvmgo.get_global_function("runtime.NumThreads"),
        "get_function": lambda: library.deploy().get_function("myadd"),
        "load_module": lambda: tvmgo.load_module("./deploy.so"),
        "empty": lambda: tvmgo.empty([1024]),
        "list_names": tvmgo.list_global_functions,
    }[case]


# The other calls are made as often as they were recorded; these take longer here.
FEWER = {"list_names": 2000, "load_module": 4000}


@counterpart("leak.*", compare=memory.compare, alone=True)
def leak(fact):
    calls = FEWER.get(fact.case, fact.outcome["value"]["calls"])
    return memory.growth_of(dropped(fact.case), calls)
