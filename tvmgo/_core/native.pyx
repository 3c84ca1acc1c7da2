# SPDX-License-Identifier: Apache-2.0
"""The C++ side, put into the runtime's function table when this module is imported: the graph
executor, and the loader of classic libraries."""
from cpython.exc cimport PyErr_CheckSignals

from tvmgo._core.error cimport check
from tvmgo._core.registry import register_function
from tvmgo._native import companions

cdef extern from "register.h" nogil:
    int TVMGoRegisterGraphExecutor()

cdef extern from "classic/register_classic.h" nogil:
    int TVMGoRegisterClassicLoader()

check(TVMGoRegisterGraphExecutor())
check(TVMGoRegisterClassicLoader())


def _check_signals():
    PyErr_CheckSignals()


# The executor calls it while it is timing something.
register_function(_check_signals, "tvmgo.check_signals", override=True)

# The executor calls it when it misses an operator.
register_function(companions.load_extra, "tvmgo.load_runtime_extra", override=True)
