# SPDX-License-Identifier: Apache-2.0
"""The C++ side, put into the runtime's function table when this module is imported: the graph
executor, the loader of classic libraries, and threads for parallel kernels. Aligned copies for
`staging` are made there, too."""
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t

from tvmgo._core.error cimport check
from tvmgo._core.registry import register_function
from tvmgo._core.staging cimport use_calls_with_copies
from tvmgo._native import companions, locate
from tvmgo.capi.environment cimport TVMFFIEnvRegisterCAPI
from tvmgo.capi.ffi cimport TVMFFIAny

cdef extern from "Python.h":
    void PyGILState_Ensure()
    void PyGILState_Release()

cdef extern from "register.h" nogil:
    int TVMGoRegisterGraphExecutor()

cdef extern from "classic/register_classic.h" nogil:
    int TVMGoRegisterClassicLoader()
    int TVMGoExportClassicNames()

cdef extern from "parallel/register_parallel.h" nogil:
    int TVMGoRegisterThreadPool()
    int TVMGoReplaceThreadPool()

cdef extern from "tensor/call_with_copies.h" nogil:
    int TVMGoCallWithCopies(void* callee, const TVMFFIAny* args, int32_t num_args,
                            TVMFFIAny* result)
    int TVMGoCallWithOwned(void* callee, const TVMFFIAny* args, int32_t num_args,
                           TVMFFIAny* result)

use_calls_with_copies(TVMGoCallWithCopies, TVMGoCallWithOwned)
check(TVMGoRegisterGraphExecutor())
check(TVMGoRegisterClassicLoader())
check(TVMGoRegisterThreadPool())


def _replace_thread_pool():
    check(TVMGoReplaceThreadPool())


locate.when_loaded(_replace_thread_pool)


if not locate.has_other_tvm():  # others can open libraries that need the names
    check(TVMGoExportClassicNames())


def _check_signals():
    PyErr_CheckSignals()


# The executor calls it while it is timing something.
register_function(_check_signals, "tvmgo.check_signals", override=True)

# The executor calls it when it misses an operator.
register_function(companions.load_extra, "tvmgo.load_runtime_extra", override=True)

# The loader calls it for libraries with code for a GPU.
register_function(companions.load_device_library, "tvmgo.load_device_library", override=True)


def answer_signals():
    """Have the runtime run Python's signal handlers while it waits for other machines.

    Source: ``TVMFFIEnvRegisterCAPI``; tvm_ffi's Python registers the same.
    """
    check(TVMFFIEnvRegisterCAPI("PyGILState_Ensure", <void*>PyGILState_Ensure))
    check(TVMFFIEnvRegisterCAPI("PyGILState_Release", <void*>PyGILState_Release))
    check(TVMFFIEnvRegisterCAPI("PyErr_CheckSignals", <void*>PyErr_CheckSignals))
