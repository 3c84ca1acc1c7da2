# SPDX-License-Identifier: Apache-2.0
"""The C++ side, put into the runtime's function table when this module is imported: the graph
executor, and the loader of classic libraries."""
from tvmgo.error cimport check

cdef extern from "cxx/register.h" nogil:
    int TVMGoRegisterGraphExecutor()

cdef extern from "cxx/classic/register_classic.h" nogil:
    int TVMGoRegisterClassicLoader()

check(TVMGoRegisterGraphExecutor())
check(TVMGoRegisterClassicLoader())
