# SPDX-License-Identifier: Apache-2.0
"""Memory of tensors shared with others: Python's buffer protocol, NumPy views, DLPack."""
cimport cython
from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND,
    PyBUF_STRIDES, PyBuffer_IsContiguous,
)
from cpython.mem cimport PyMem_Malloc
from cpython.pycapsule cimport (
    PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New, PyCapsule_SetName,
)

from tvmgo._core.device cimport device_name, is_host
from tvmgo._core.dtype cimport buffer_format, numpy_dtype, packed_nbytes
from tvmgo._core.error cimport check
from tvmgo._core.handle cimport Object
from tvmgo._core.tensor cimport data_of, is_compact, nbytes_of, tensor_of
from tvmgo.capi cimport dlpack, ffi
from tvmgo.capi.dlpack cimport (
    DLDataType, DLManagedTensor, DLManagedTensorVersioned, DLTensor,
)
from tvmgo.exceptions import TVMBufferError, TVMTypeError

cdef enum:
    MAX_VIEW_NDIM = 64          # what Python's buffer protocol can carry

cdef tuple DLPACK_VERSION = (dlpack.DLPACK_MAJOR_VERSION, dlpack.DLPACK_MINOR_VERSION)


# ---------------------------------------------------------------- buffers

cdef int fill_buffer(object exporter, DLTensor* tensor, const char* format, Py_buffer* buffer,
                     int flags) except -1:
    cdef Py_ssize_t itemsize = packed_nbytes(tensor.dtype, 1)
    cdef bint compact = is_compact(tensor)
    cdef Py_ssize_t* strides = &buffer.itemsize     # of one dimension without gaps
    cdef Py_ssize_t stride = itemsize
    cdef int i
    if not is_host(tensor.device):
        raise TVMBufferError(f"an array on {device_name(tensor.device)} has no host memory to "
                             f"share; numpy() copies it")
    if tensor.ndim > MAX_VIEW_NDIM:
        raise TVMBufferError(f"{tensor.ndim} dimensions are too many for the buffer protocol")
    if not compact and flags & PyBUF_STRIDES != PyBUF_STRIDES:
        raise TVMBufferError("the array is not contiguous; ask for strides or copy it")
    buffer.internal = NULL
    if tensor.ndim > 1 or not compact:
        strides = <Py_ssize_t*>PyMem_Malloc(tensor.ndim * sizeof(Py_ssize_t))
        if strides == NULL:
            raise MemoryError()
        buffer.internal = strides
        for i in range(tensor.ndim - 1, -1, -1):
            strides[i] = stride if compact else tensor.strides[i] * itemsize
            stride *= tensor.shape[i]
    buffer.buf = data_of(tensor)
    buffer.obj = exporter
    buffer.len = nbytes_of(tensor)
    buffer.itemsize = itemsize
    buffer.readonly = False
    buffer.format = <char*>format if flags & PyBUF_FORMAT else NULL
    buffer.ndim = tensor.ndim
    # The protocol wants NULL for both when there are no dimensions.
    buffer.shape = <Py_ssize_t*>tensor.shape if flags & PyBUF_ND and tensor.ndim else NULL
    buffer.strides = strides if flags & PyBUF_STRIDES == PyBUF_STRIDES and tensor.ndim else NULL
    buffer.suboffsets = NULL
    if (wants_other_order(buffer, flags, PyBUF_C_CONTIGUOUS, b"C")
            or wants_other_order(buffer, flags, PyBUF_F_CONTIGUOUS, b"F")
            or wants_other_order(buffer, flags, PyBUF_ANY_CONTIGUOUS, b"A")):
        release_buffer(buffer)
        raise TVMBufferError("the array is not contiguous in the order asked for")
    return 0


cdef inline bint wants_other_order(Py_buffer* buffer, int flags, int order, char name) noexcept:
    return flags & order == order and not PyBuffer_IsContiguous(buffer, name)


@cython.final
cdef class _HostBuffer:
    """The elements of an array; unsigned integers of their width, for types without a format."""

    cdef Object array

    def __cinit__(self, Object array not None):
        self.array = array

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        cdef DLTensor* tensor = tensor_of(self.array.c_handle)
        cdef const char* format = buffer_format(tensor.dtype)
        cdef DLDataType unsigned
        if format == NULL:
            unsigned.code, unsigned.bits, unsigned.lanes = dlpack.kDLUInt, tensor.dtype.bits, 1
            format = buffer_format(unsigned)
        fill_buffer(self, tensor, format, buffer, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        release_buffer(buffer)


cdef object host_view(Object array):
    import numpy
    dtype = numpy_dtype(tensor_of(array.c_handle).dtype)
    view = numpy.asarray(memoryview(_HostBuffer(array)))
    return view if view.dtype == dtype else view.view(dtype)


# ---------------------------------------------------------------- DLPack

cdef void delete_unused(object capsule) noexcept:
    # A consumed capsule was renamed, and its tensor belongs to the consumer.
    cdef DLManagedTensor* managed
    if PyCapsule_IsValid(capsule, b"dltensor"):
        managed = <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"dltensor")
        managed.deleter(managed)


cdef void delete_unused_versioned(object capsule) noexcept:
    cdef DLManagedTensorVersioned* managed
    if PyCapsule_IsValid(capsule, b"dltensor_versioned"):
        managed = <DLManagedTensorVersioned*>PyCapsule_GetPointer(capsule, b"dltensor_versioned")
        managed.deleter(managed)


cdef object dlpack_capsule(Object array, bint versioned, bint is_copy):
    cdef DLManagedTensor* managed = NULL
    cdef DLManagedTensorVersioned* managed_versioned = NULL
    if not versioned:
        check(ffi.TVMFFITensorToDLPack(array.c_handle, &managed))
        return PyCapsule_New(managed, b"dltensor", delete_unused)
    check(ffi.TVMFFITensorToDLPackVersioned(array.c_handle, &managed_versioned))
    if is_copy:
        managed_versioned.flags |= dlpack.DLPACK_FLAG_BITMASK_IS_COPIED
    return PyCapsule_New(managed_versioned, b"dltensor_versioned", delete_unused_versioned)


cdef void* tensor_from_dlpack(object x, bint allow_read_only) except NULL:
    cdef void* handle = NULL
    cdef DLManagedTensorVersioned* versioned
    try:
        capsule = x.__dlpack__(max_version=DLPACK_VERSION)
    except TypeError:  # an exporter older than DLPack 1.0 does not know the argument
        capsule = x.__dlpack__()
    if PyCapsule_IsValid(capsule, b"dltensor_versioned"):
        versioned = <DLManagedTensorVersioned*>PyCapsule_GetPointer(capsule, b"dltensor_versioned")
        if versioned.version.major != <int>dlpack.DLPACK_MAJOR_VERSION:
            raise TVMBufferError(f"DLPack {versioned.version.major} is not understood, "
                                 f"only {dlpack.DLPACK_MAJOR_VERSION}")
        if versioned.flags & dlpack.DLPACK_FLAG_BITMASK_READ_ONLY and not allow_read_only:
            raise TVMBufferError("the memory is read-only and cannot be shared; "
                                 "tvmgo.array(x) copies it")
        check(ffi.TVMFFITensorFromDLPackVersioned(versioned, 0, 0, &handle))
        PyCapsule_SetName(capsule, b"used_dltensor_versioned")
    elif PyCapsule_IsValid(capsule, b"dltensor"):
        check(ffi.TVMFFITensorFromDLPack(
            <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"dltensor"), 0, 0, &handle))
        PyCapsule_SetName(capsule, b"used_dltensor")
    else:
        raise TVMTypeError(f"{type(x).__name__}.__dlpack__() did not return a DLPack capsule")
    return handle
