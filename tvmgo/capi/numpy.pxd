# SPDX-License-Identifier: Apache-2.0
# numpy/arrayobject.h: declarations only. Not Cython's bundled ones, which import NumPy when the
# module that cimports them is imported.
from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport intptr_t

cdef extern from "numpy/arrayobject.h":
    ctypedef intptr_t npy_intp
    int _import_array() except -1
    PyTypeObject PyArray_Type
    enum:
        NPY_BOOL
        NPY_BYTE
        NPY_UBYTE
        NPY_SHORT
        NPY_USHORT
        NPY_INT
        NPY_UINT
        NPY_LONG
        NPY_ULONG
        NPY_LONGLONG
        NPY_ULONGLONG
        NPY_FLOAT
        NPY_DOUBLE
        NPY_CFLOAT
        NPY_CDOUBLE
        NPY_HALF
        NPY_NTYPES_LEGACY

    ctypedef struct PyArrayObject:
        pass
    ctypedef struct PyArray_Descr:
        pass
    bint PyArray_Check(PyObject*)
    void* PyArray_DATA(PyArrayObject*)
    int PyArray_NDIM(PyArrayObject*)
    npy_intp* PyArray_DIMS(PyArrayObject*)
    npy_intp* PyArray_STRIDES(PyArrayObject*)
    npy_intp PyArray_ITEMSIZE(PyArrayObject*)
    npy_intp PyArray_NBYTES(PyArrayObject*)
    int PyArray_TYPE(PyArrayObject*)
    PyArray_Descr* PyArray_DESCR(PyArrayObject*)
    bint PyArray_ISWRITEABLE(PyArrayObject*)
    bint PyArray_ISNOTSWAPPED(PyArrayObject*)
    bint PyArray_IS_C_CONTIGUOUS(PyArrayObject*)
    object PyArray_SimpleNew(int nd, npy_intp* dims, int typenum)
