# SPDX-License-Identifier: Apache-2.0
"""NumPy's arrays seen from C. NumPy is imported when it is first needed, not before."""
import sys

cimport cython
from cpython.mem cimport PyObject_Free, PyObject_Malloc
from cpython.object cimport PyObject, Py_TYPE
from libc.stdint cimport int64_t

from tvmgo._core.dtype cimport dtype_of, numpy_dtype
from tvmgo._core.handle cimport count_buffers
from tvmgo._core.release cimport Deleter, release
from tvmgo.capi cimport dlpack, numpy as np
from tvmgo.capi.dlpack cimport DLDataType, DLTensor
from tvmgo.capi.python cimport Py_DECREF, Py_INCREF
from tvmgo.capi.object_header cimport (
    kTVMFFIObjectDeleterFlagBitMaskStrong, kTVMFFIObjectDeleterFlagBitMaskWeak,
)
from tvmgo.capi.tensor_object cimport (
    TVMGoFillCompactStrides, TVMGoInitTensorObject, TVMGoTensor,
)
from tvmgo.exceptions import TVMBufferError, TVMTypeError, TVMValueError

# NumPy's number of a built-in element type -> DLPack's; bits 0 marks "not here". C's `long` has
# a number of its own, so the table is by NumPy's numbers and the sizes are the compiler's.
cdef DLDataType builtin_dtypes[32]
# The way back, by DLPack code and bits / 8; -1 where NumPy has no built-in type.
cdef int builtin_numbers[8][17]


cdef void add_builtin(int number, int code, int nbytes) noexcept:
    builtin_dtypes[number].code = code
    builtin_dtypes[number].bits = nbytes * 8
    builtin_dtypes[number].lanes = 1
    builtin_numbers[code][nbytes] = number


cdef void fill_tables() noexcept:
    cdef int code, nbytes
    for code in range(8):
        for nbytes in range(17):
            builtin_numbers[code][nbytes] = -1
    add_builtin(np.NPY_BOOL, dlpack.kDLBool, 1)
    add_builtin(np.NPY_BYTE, dlpack.kDLInt, 1)
    add_builtin(np.NPY_UBYTE, dlpack.kDLUInt, 1)
    add_builtin(np.NPY_SHORT, dlpack.kDLInt, sizeof(short))
    add_builtin(np.NPY_USHORT, dlpack.kDLUInt, sizeof(short))
    add_builtin(np.NPY_INT, dlpack.kDLInt, sizeof(int))
    add_builtin(np.NPY_UINT, dlpack.kDLUInt, sizeof(int))
    add_builtin(np.NPY_LONGLONG, dlpack.kDLInt, sizeof(long long))
    add_builtin(np.NPY_ULONGLONG, dlpack.kDLUInt, sizeof(long long))
    add_builtin(np.NPY_LONG, dlpack.kDLInt, sizeof(long))  # after the two: NumPy prefers it
    add_builtin(np.NPY_ULONG, dlpack.kDLUInt, sizeof(long))
    add_builtin(np.NPY_HALF, dlpack.kDLFloat, 2)
    add_builtin(np.NPY_FLOAT, dlpack.kDLFloat, 4)
    add_builtin(np.NPY_DOUBLE, dlpack.kDLFloat, 8)
    add_builtin(np.NPY_CFLOAT, dlpack.kDLComplex, 8)
    add_builtin(np.NPY_CDOUBLE, dlpack.kDLComplex, 16)


cdef int load_numpy() except -1:
    global ndarray_type
    if ndarray_type == NULL:
        np._import_array()
        fill_tables()
        ndarray_type = &np.PyArray_Type
    return 0


cdef bint is_ndarray(object x) except -1:
    if ndarray_type == NULL:
        if "numpy" not in sys.modules:
            return False
        load_numpy()
    return np.PyArray_Check(<PyObject*>x)


cdef DLDataType dtype_of_ndarray(object array) except *:
    cdef np.PyArrayObject* c_array = <np.PyArrayObject*>array
    cdef int number = np.PyArray_TYPE(c_array)
    cdef DLDataType dtype
    if 0 <= number < 32 and builtin_dtypes[number].bits != 0 \
            and np.PyArray_ISNOTSWAPPED(c_array):
        return builtin_dtypes[number]
    dtype = dtype_of(<object><PyObject*>np.PyArray_DESCR(c_array))
    if dtype.bits * dtype.lanes != np.PyArray_ITEMSIZE(c_array) * 8:
        raise TVMTypeError(f"NumPy keeps one {array.dtype} per byte, tensors pack them; "
                           f"convert the array to another element type")
    return dtype


# A tensor over an ndarray's memory; allocated by Python, with the GIL.
cdef struct SharedArray:
    TVMGoTensor object
    PyObject* array         # owned: one reference, given back by free_shared
    int64_t dims[1]         # ndim shape values, then ndim strides


cdef void free_shared(void* self, int flags) noexcept:
    cdef SharedArray* shared = <SharedArray*>self
    if flags & kTVMFFIObjectDeleterFlagBitMaskStrong:
        count_buffers(-1)
        Py_DECREF(shared.array)
    if flags & kTVMFFIObjectDeleterFlagBitMaskWeak:
        PyObject_Free(shared)


cdef void release_ndarray(void* self, int flags) noexcept nogil:
    # The last reference may go in any thread, after Python has ended, too.
    release(self, flags, <Deleter><void*>free_shared)


@cython.cdivision(True)
cdef void* tensor_from_ndarray(object array) except NULL:
    cdef np.PyArrayObject* c_array = <np.PyArrayObject*>array
    cdef DLDataType dtype = dtype_of_ndarray(array)
    cdef int i, ndim = np.PyArray_NDIM(c_array)
    cdef np.npy_intp itemsize = np.PyArray_ITEMSIZE(c_array)
    cdef np.npy_intp stride
    if not np.PyArray_ISWRITEABLE(c_array):
        raise TVMBufferError("the NumPy array is read-only, and a function may write to its "
                             "arguments; pass a copy, such as tvmgo.array(x)")
    cdef SharedArray* shared = <SharedArray*>PyObject_Malloc(
        sizeof(SharedArray) + 2 * ndim * sizeof(int64_t))
    if shared == NULL:
        raise MemoryError()
    cdef DLTensor* tensor = &shared.object.tensor
    tensor.data = np.PyArray_DATA(c_array)
    tensor.device.device_type = dlpack.kDLCPU
    tensor.device.device_id = 0
    tensor.ndim = ndim
    tensor.dtype = dtype
    tensor.shape = shared.dims
    tensor.strides = shared.dims + ndim
    tensor.byte_offset = 0
    for i in range(ndim):
        tensor.shape[i] = np.PyArray_DIMS(c_array)[i]
    if np.PyArray_IS_C_CONTIGUOUS(c_array):
        # NumPy leaves the strides of dimensions of size 0 and 1 arbitrary; old kernels compare.
        TVMGoFillCompactStrides(tensor.shape, ndim, tensor.strides)
    else:
        for i in range(ndim):
            stride = np.PyArray_STRIDES(c_array)[i]
            if stride % itemsize != 0:
                PyObject_Free(shared)
                raise TVMValueError(f"the NumPy array's strides {array.strides} are no multiples "
                                    f"of its element size {itemsize}; pass a contiguous copy")
            tensor.strides[i] = stride // itemsize
    shared.array = <PyObject*>array
    Py_INCREF(shared.array)
    count_buffers(1)
    TVMGoInitTensorObject(&shared.object, release_ndarray)
    return shared


cdef NDArrayView view_of_ndarray(object array) except *:
    cdef np.PyArrayObject* c_array = <np.PyArrayObject*>array
    cdef NDArrayView view
    view.dtype = dtype_of_ndarray(array)
    view.data = np.PyArray_DATA(c_array)
    view.nbytes = np.PyArray_NBYTES(c_array)
    view.compact = np.PyArray_IS_C_CONTIGUOUS(c_array)
    view.writable = np.PyArray_ISWRITEABLE(c_array)
    return view


cdef object new_ndarray(int ndim, const long long* shape, DLDataType dtype, void** data):
    cdef int number = -1
    cdef int i
    load_numpy()
    if dtype.lanes == 1 and dtype.code < 8 and dtype.bits <= 128 and dtype.bits % 8 == 0:
        number = builtin_numbers[dtype.code][dtype.bits // 8]
    if number >= 0 and sizeof(np.npy_intp) == sizeof(long long):
        array = np.PyArray_SimpleNew(ndim, <np.npy_intp*>shape, number)
    else:
        import numpy
        array = numpy.empty(tuple([shape[i] for i in range(ndim)]), numpy_dtype(dtype))
    data[0] = np.PyArray_DATA(<np.PyArrayObject*>array)
    return array


def is_like(object value, object dtype, object shape):
    """Whether `value` is an ndarray of just this element type and shape that can be written to.

    Parameters
    ----------
    value : object
    dtype : numpy.dtype
        The object itself: False for an equal one.
    shape : tuple of int or str, or None
        A name stands for any size; None is no shape.
    """
    cdef np.PyArrayObject* array = <np.PyArrayObject*>value
    cdef object size
    cdef int i
    load_numpy()
    if Py_TYPE(value) != ndarray_type or shape is None:
        return False
    if <PyObject*>np.PyArray_DESCR(array) != <PyObject*>dtype \
            or np.PyArray_NDIM(array) != len(<tuple?>shape) or not np.PyArray_ISWRITEABLE(array):
        return False
    for i in range(np.PyArray_NDIM(array)):
        size = (<tuple>shape)[i]
        if type(size) is int and <long long>size != np.PyArray_DIMS(array)[i]:
            return False
    return True
