# SPDX-License-Identifier: Apache-2.0
# capi/pytype.h: declarations only.
from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    ctypedef int (*visitproc)(PyObject* object, void* arg) noexcept
    ctypedef int (*traverseproc)(PyObject* self, visitproc visit, void* arg) noexcept
    ctypedef int (*inquiry)(PyObject* self) noexcept

    # The arguments are a tuple and a dict or NULL.
    ctypedef object (*newfunc)(PyTypeObject* type, object args, PyObject* kwargs)

cdef extern from "capi/pytype.h":
    newfunc TVMGoTakeConstructor(PyTypeObject* type, const char* makers) except NULL
    int TVMGoSealType(PyTypeObject* type) except -1
    void TVMGoNameType(PyTypeObject* type, const char* name)
    void TVMGoUseVectorcall(PyTypeObject* type, Py_ssize_t offset)
    void TVMGoUseGarbageCollector(PyTypeObject* type, traverseproc traverse, inquiry clear)
