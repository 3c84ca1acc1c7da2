# SPDX-License-Identifier: Apache-2.0
"""Copies of elements: between arrays on any device, and from and to Python's memory."""
from cpython.buffer cimport (
    PyBUF_FULL_RO, PyBUF_WRITABLE, PyBuffer_FromContiguous, PyBuffer_IsContiguous,
    PyBuffer_Release, PyBuffer_ToContiguous, PyObject_GetBuffer,
)
from libc.stdint cimport int64_t
from libc.string cimport memmove

from tvmgo._core.array_exchange cimport host_view
from tvmgo._core.device cimport device_api, is_host, wrap_device
from tvmgo._core.dtype cimport dtype_of_buffer, same_dtype, wrap_dtype
from tvmgo._core.error cimport check
from tvmgo._core.handle cimport Object, share, wrap_owned
from tvmgo._core.ndarray cimport NDArrayView, new_ndarray, view_of_ndarray
from tvmgo._core.shape cimport checked_nbytes
from tvmgo._core.tensor cimport count_elements, data_of, is_compact, nbytes_of, tensor_of
from tvmgo.capi cimport dlpack, ffi
from tvmgo.capi.cpu_tensor cimport TVMGoNewCPUTensor
from tvmgo.capi.dlpack cimport DLDataType, DLDevice, DLManagedTensor, DLTensor
from tvmgo.exceptions import TVMTypeError, TVMValueError

cdef enum:
    LONG_COPY = 32 * 1024       # bytes from which a copy takes longer than giving the GIL away


cdef void copy_memory(void* target, const void* source, size_t nbytes) noexcept:
    if nbytes < LONG_COPY:
        memmove(target, source, nbytes)
    else:
        with nogil:
            memmove(target, source, nbytes)


# ---------------------------------------------------------------- new memory

cdef void* new_tensor(int ndim, const int64_t* dims, DLDataType dtype,
                      DLDevice device) except NULL:
    cdef void* tensor = NULL
    cdef size_t nbytes = checked_nbytes(ndim, dims, dtype)
    cdef Object made
    if device.device_type == dlpack.kDLCPU:
        check(TVMGoNewCPUTensor(dims, ndim, dtype, device.device_id, nbytes, False, &tensor))
        return tensor
    made = device_api.alloc(tuple([dims[i] for i in range(ndim)]), wrap_dtype(dtype),
                            wrap_device(device))
    return share(made.c_handle)


cdef Object new_host_array_like(DLTensor* tensor):
    cdef DLDevice cpu
    cpu.device_type, cpu.device_id = dlpack.kDLCPU, 0
    return wrap_owned(new_tensor(tensor.ndim, tensor.shape, tensor.dtype, cpu))


cdef Object host_copy(Object array):
    cdef Object copy = new_host_array_like(tensor_of(array.c_handle))
    copy_elements(array, copy)
    return copy


cdef Object in_host_memory(Object array):
    return array if is_host(tensor_of(array.c_handle).device) else host_copy(array)


cdef Object compact_in_host_memory(Object array):
    return array if is_compact_in_host_memory(tensor_of(array.c_handle)) else host_copy(array)


cdef inline bint is_compact_in_host_memory(DLTensor* tensor) noexcept:
    return is_host(tensor.device) and is_compact(tensor)


# ---------------------------------------------------------------- between arrays

cdef int copy_elements(Object source, Object target) except -1:
    """Copy between arrays of one type and byte count, wherever they lie."""
    cdef DLTensor* c_source = tensor_of(source.c_handle)
    cdef DLTensor* c_target = tensor_of(target.c_handle)
    if not (is_host(c_source.device) and is_host(c_target.device)):
        device_api.copy(source, target)
    elif is_compact(c_source) and is_compact(c_target):
        copy_memory(data_of(c_target), data_of(c_source), nbytes_of(c_target))
    else:
        view = host_view(target)
        view[...] = host_view(source).reshape(view.shape)
    return 0


cdef int check_same_content(DLTensor* tensor, DLDataType dtype, size_t nbytes,
                            str argument) except -1:
    if not same_dtype(dtype, tensor.dtype):
        raise TVMTypeError(f"{argument}: expected elements of type {wrap_dtype(tensor.dtype)}, "
                           f"got {wrap_dtype(dtype)}")
    if nbytes != nbytes_of(tensor):
        raise TVMValueError(f"{argument}: size mismatch: expected {nbytes_of(tensor)} bytes "
                            f"({count_elements(tensor)} elements), got {nbytes}")
    return 0


cdef int copy_from_array(Object array, Object source) except -1:
    cdef DLTensor* c_source = tensor_of(source.c_handle)
    check_same_content(tensor_of(array.c_handle), c_source.dtype, nbytes_of(c_source), "source")
    copy_elements(source, array)
    return 0


# ---------------------------------------------------------------- Python's memory

cdef int copy_from_ndarray(Object array, object source) except -1:
    cdef DLTensor* tensor = tensor_of(array.c_handle)
    cdef NDArrayView view = view_of_ndarray(source)
    check_same_content(tensor, view.dtype, view.nbytes, "source")
    if not view.compact:
        return copy_from_ndarray(array, source.copy(order="C"))
    copy_from_memory(array, view.data)
    return 0


cdef int copy_from_memory(Object array, const void* data) except -1:
    """Copy elements that lie one after the other."""
    cdef DLTensor* tensor = tensor_of(array.c_handle)
    cdef Object staged
    if is_compact_in_host_memory(tensor):
        copy_memory(data_of(tensor), data, nbytes_of(tensor))
        return 0
    staged = new_host_array_like(tensor)
    copy_memory(data_of(tensor_of(staged.c_handle)), data, nbytes_of(tensor))
    copy_elements(staged, array)
    return 0


cdef int copy_from_buffer(Object array, object source) except -1:
    cdef DLTensor* tensor = tensor_of(array.c_handle)
    cdef Py_buffer view
    cdef Object staged
    PyObject_GetBuffer(source, &view, PyBUF_FULL_RO)
    try:
        check_same_content(tensor, dtype_of_buffer(view.format, view.itemsize, source, "source"),
                           view.len, "source")
        if PyBuffer_IsContiguous(&view, b"C"):
            copy_from_memory(array, view.buf)
            return 0
        # By way of a copy: the buffer may be a view of this very memory in another order.
        staged = new_host_array_like(tensor)
        PyBuffer_ToContiguous(data_of(tensor_of(staged.c_handle)), &view, view.len, b"C")
    finally:
        PyBuffer_Release(&view)
    copy_elements(staged, array)
    return 0


cdef int copy_to_ndarray(Object array, object target) except -1:
    cdef DLTensor* tensor = tensor_of(array.c_handle)
    cdef NDArrayView view = view_of_ndarray(target)
    if not view.writable:
        raise TVMTypeError("target: expected writable memory, got a read-only NumPy array")
    check_same_content(tensor, view.dtype, view.nbytes, "target")
    if view.compact and is_compact_in_host_memory(tensor):
        copy_memory(view.data, data_of(tensor), view.nbytes)
    else:
        target[...] = host_view(in_host_memory(array)).reshape(target.shape)
    return 0


cdef int copy_to_buffer(Object array, object target) except -1:
    cdef Py_buffer view
    cdef Object source
    try:
        PyObject_GetBuffer(target, &view, PyBUF_FULL_RO | PyBUF_WRITABLE)
    except BufferError as error:
        raise TVMTypeError(f"target: expected writable memory, got "
                           f"{type(target).__name__} ({error})") from None
    try:
        check_same_content(tensor_of(array.c_handle),
                           dtype_of_buffer(view.format, view.itemsize, target, "target"),
                           view.len, "target")
        source = compact_in_host_memory(array)
        if PyBuffer_IsContiguous(&view, b"C"):
            copy_memory(view.buf, data_of(tensor_of(source.c_handle)), view.len)
            return 0
        if source is array:  # the buffer may be a view of this very memory in another order
            source = host_copy(array)
        PyBuffer_FromContiguous(&view, data_of(tensor_of(source.c_handle)), view.len, b"C")
    finally:
        PyBuffer_Release(&view)
    return 0


cdef object copy_to_new_ndarray(Object array, int ndim, const long long* shape):
    cdef Object source = compact_in_host_memory(array)
    cdef DLTensor* tensor = tensor_of(source.c_handle)
    cdef void* data = NULL
    result = new_ndarray(ndim, shape, tensor.dtype, &data)
    copy_memory(data, data_of(tensor), nbytes_of(tensor))
    return result


# ---------------------------------------------------------------- borrowed tensors

cdef void ignore_managed(DLManagedTensor* managed) noexcept nogil:
    pass


cdef Object borrow(DLTensor* tensor, DLManagedTensor* managed):
    """A wrapper that must be gone before `tensor` and `managed` are."""
    cdef void* handle = NULL
    managed.dl_tensor = tensor[0]
    managed.manager_ctx = NULL
    managed.deleter = ignore_managed
    check(ffi.TVMFFITensorFromDLPack(managed, 0, 0, &handle))
    return wrap_owned(handle)


cdef void* copy_borrowed_tensor(DLTensor* source) except NULL:
    cdef DLManagedTensor managed
    cdef void* tensor = NULL
    cdef Object view, copy
    if is_compact_in_host_memory(source):
        check(TVMGoNewCPUTensor(source.shape, source.ndim, source.dtype, 0, nbytes_of(source),
                                False, &tensor))
        copy_memory(data_of(tensor_of(tensor)), data_of(source), nbytes_of(source))
        return tensor
    view = borrow(source, &managed)
    copy = wrap_owned(new_tensor(source.ndim, source.shape, source.dtype, source.device))
    copy_elements(view, copy)
    return share(copy.c_handle)


cdef int write_back(void* c_copy, DLTensor* target) except -1:
    cdef DLManagedTensor managed
    cdef Object view = borrow(target, &managed)
    copy_elements(wrap_owned(share(c_copy)), view)
    return 0
