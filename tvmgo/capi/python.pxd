# SPDX-License-Identifier: Apache-2.0
# Python.h: declarations only, of what Cython's own leave out or declare with `object`. Borrowed
# references are PyObject* here: Cython would count each one it sees as an object.
from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    void Py_DECREF(PyObject* x)
    void Py_INCREF(PyObject* x)
    PyTypeObject* type_of "Py_TYPE"(PyObject* x)
    bint Py_IsInitialized() nogil
    bint Py_EnterRecursiveCall(const char* where)
    void Py_LeaveRecursiveCall()
    PyObject* PyObject_Vectorcall(PyObject* callable, PyObject* const* args, size_t count,
                                  PyObject* names)
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf)
    PyObject** PySequence_Fast_ITEMS(PyObject* sequence)
    void PyErr_SetObject(object kind, object exception)

    bint PyFunction_Check(PyObject* x)
    bint PyBytes_CheckExact(PyObject* x)
    bint PyFloat_CheckExact(PyObject* x)
    bint PyLong_CheckExact(PyObject* x)
    bint PyUnicode_CheckExact(PyObject* x)

    double PyFloat_AS_DOUBLE(PyObject* x)
    long long PyLong_AsLongLongAndOverflow(PyObject* x, int* overflow) except? -1
    object PyLong_FromLongLong(long long x)
    char* PyBytes_AS_STRING(PyObject* x)
    Py_ssize_t PyBytes_GET_SIZE(PyObject* x)
    const char* PyUnicode_AsUTF8AndSize(PyObject* x, Py_ssize_t* size) except NULL
    object PyUnicode_DecodeUTF8(const char* data, Py_ssize_t size, const char* errors)
    void* PyUnicode_DATA(PyObject* x)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject* x)
    bint PyUnicode_IS_ASCII(PyObject* x)
    bint PyUnicode_IS_COMPACT_ASCII(PyObject* x)
