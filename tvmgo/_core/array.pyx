# SPDX-License-Identifier: Apache-2.0
"""N-dimensional arrays (tvm-ffi ``Tensor``; gotvm ``Array``)."""
cimport cython
from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_FULL_RO,
    PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_FromContiguous, PyBuffer_IsContiguous,
    PyBuffer_Release, PyBuffer_ToContiguous, PyObject_CheckBuffer,
    PyObject_GetBuffer,
)
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject, PyTypeObject
from cpython.pycapsule cimport (
    PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New, PyCapsule_SetName,
)
from libc.stdint cimport INT64_MAX, int64_t
from libc.string cimport memmove

from tvmgo._core.device cimport Device, device_api, device_name, device_of, is_host, wrap_device
from tvmgo._core.dtype cimport (
    buffer_format, dtype_of, dtype_of_buffer, numpy_dtype, packed_nbytes, same_dtype, wrap_dtype,
)
from tvmgo._core.error cimport check
from tvmgo._core.handle cimport Object, adopt_owned, to_tvm_ffi
from tvmgo._core.ndarray cimport (
    NDArrayView, is_ndarray, new_ndarray, tensor_from_ndarray, view_of_ndarray,
)
from tvmgo.capi cimport dlpack, ffi
from tvmgo.capi.cpu_tensor cimport TVMGoNewCPUTensor
from tvmgo.capi.dlpack cimport (
    DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLTensor,
)
from tvmgo.capi.pylong cimport TVMGoSmallLong
from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoTakeConstructor, newfunc
from tvmgo.exceptions import (
    TVMBufferError, TVMTypeError, TVMValueError,
)

cdef enum:
    MAX_NDIM = 1024             # more than any model has; shapes are read to the stack
    MAX_VIEW_NDIM = 64          # what Python's buffer protocol can carry
    LONG_COPY = 32 * 1024       # bytes from which a copy takes longer than giving the GIL away

cdef tuple DLPACK_VERSION = (dlpack.DLPACK_MAJOR_VERSION, dlpack.DLPACK_MINOR_VERSION)


# ---------------------------------------------------------------- C helpers

cdef size_t count_elements(DLTensor* tensor) noexcept nogil:
    cdef size_t count = 1
    cdef int i
    for i in range(tensor.ndim):
        count *= <size_t>tensor.shape[i]
    return count


cdef size_t nbytes_of(DLTensor* tensor) noexcept nogil:
    return packed_nbytes(tensor.dtype, count_elements(tensor))


cdef int read_shape(object shape, int64_t* dims) except -1:
    """Check a shape given by the user and return its number of dimensions."""
    cdef int ndim = 0
    if type(shape) is not tuple:  # nor a list: an __index__ below could change it meanwhile
        shape = shape_tuple(shape)
    if len(shape) > MAX_NDIM:
        raise TVMValueError(f"shape: expected at most {MAX_NDIM} dimensions, got {len(shape)}")
    for item in shape:
        dims[ndim] = read_extent(item)
        ndim += 1
    return ndim


cdef tuple shape_tuple(object shape):
    try:
        return tuple(shape)
    except TypeError:
        if not hasattr(shape, "__index__"):
            raise TVMTypeError(f"shape: expected ints, got {type(shape).__name__}") from None
        return (shape,)


cdef int64_t read_extent(object item) except -1:
    cdef int64_t extent
    if type(item) is int and TVMGoSmallLong(<PyObject*>item, &extent) and extent >= 0:
        return extent
    if type(item) is not int:
        try:
            item = PyNumber_Index(item)
        except TypeError:
            raise TVMTypeError(f"shape: expected ints, got {type(item).__name__}") from None
    if not 0 <= item <= INT64_MAX:
        raise TVMValueError(f"shape: expected sizes from 0 to 2**63-1, got {item}")
    return item


cdef size_t checked_nbytes(int ndim, const int64_t* dims, DLDataType dtype) except? 0:
    """Bytes of an array, or ValueError when no address space could hold it."""
    cdef int64_t count = 1, most
    cdef int i
    if dtype.bits == 0 or dtype.lanes == 0:
        raise TVMTypeError(f"dtype: {wrap_dtype(dtype)} has no size")
    most = INT64_MAX // <int64_t>packed_nbytes(dtype, 1)
    for i in range(ndim):
        if dims[i] == 0:
            return 0
    for i in range(ndim):
        if count > most // dims[i]:
            raise TVMValueError(f"shape: {tuple([dims[i] for i in range(ndim)])} of "
                                f"{wrap_dtype(dtype)} is more than any memory")
        count *= dims[i]
    return packed_nbytes(dtype, count)


cdef void copy_memory(void* target, const void* source, size_t nbytes) noexcept:
    if nbytes < LONG_COPY:
        memmove(target, source, nbytes)
    else:
        with nogil:
            memmove(target, source, nbytes)


cdef Array wrap_array(void* c_handle):
    cdef Array self = <Array>construct(<PyTypeObject*>Array, (), NULL)
    adopt_owned(self, c_handle)
    return self


cdef Array new_host_array(int ndim, const int64_t* dims, DLDataType dtype, int device_id):
    cdef void* tensor = NULL
    cdef size_t nbytes = checked_nbytes(ndim, dims, dtype)
    check(TVMGoNewCPUTensor(dims, ndim, dtype, device_id, nbytes, False, &tensor))
    return wrap_array(tensor)


cdef int copy_tensor(Array source, Array target) except -1:
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


cdef int check_same_content(Array self, DLDataType dtype, size_t nbytes, str argument) except -1:
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    if not same_dtype(dtype, tensor.dtype):
        raise TVMTypeError(f"{argument}: expected elements of type {wrap_dtype(tensor.dtype)}, "
                           f"got {wrap_dtype(dtype)}")
    if nbytes != nbytes_of(tensor):
        raise TVMValueError(f"{argument}: size mismatch: expected {nbytes_of(tensor)} bytes "
                            f"({count_elements(tensor)} elements), got {nbytes}")
    return 0


cdef object host_view(Array self):
    """The array's memory as an ndarray, of ml_dtypes' types too, with its strides."""
    import numpy
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    dtype = numpy_dtype(tensor.dtype)
    if buffer_format(tensor.dtype) != NULL:
        return numpy.asarray(memoryview(self))
    return numpy.asarray(memoryview(_Bits(self))).view(dtype)


cdef Array host_array(Array self):
    """The array itself, or a copy of it in host memory."""
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    if is_host(tensor.device):
        return self
    cdef Array copy = new_host_array(tensor.ndim, tensor.shape, tensor.dtype, 0)
    copy_tensor(self, copy)
    return copy


cdef int fill_buffer(object exporter, DLTensor* tensor, const char* format, Py_buffer* buffer,
                     int flags) except -1:
    """Describe host memory to a consumer of Python's buffer protocol."""
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
        PyMem_Free(buffer.internal)
        raise TVMBufferError("the array is not contiguous in the order asked for")
    return 0


cdef inline bint wants_other_order(Py_buffer* buffer, int flags, int order, char name) noexcept:
    return flags & order == order and not PyBuffer_IsContiguous(buffer, name)


@cython.final
cdef class _Bits:
    """The elements of an array as unsigned integers of their width, for types without a format."""

    cdef Array array

    def __cinit__(self, Array array not None):
        self.array = array

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        cdef DLTensor* tensor = tensor_of(self.array.c_handle)
        cdef DLDataType unsigned
        unsigned.code = dlpack.kDLUInt
        unsigned.bits = tensor.dtype.bits
        unsigned.lanes = 1
        fill_buffer(self, tensor, buffer_format(unsigned), buffer, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        PyMem_Free(buffer.internal)


# ---------------------------------------------------------------- the class

@cython.final
cdef class Array(Object):
    """An n-dimensional array of one element type on one device.

    Made by `empty`, `array`, `from_dlpack` and by functions of the runtime. Holds one reference
    to the runtime's tensor; NumPy views and DLPack consumers keep the memory alive on their own.
    Two arrays are equal when they are the same tensor; compare contents with NumPy.

    Source: tvm-ffi ``TensorObj``; gotvm ``Array``.
    """

    @property
    def shape(self):
        """Extents, a tuple of ints; empty for a 0-d array. gotvm ``GetShape``."""
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        return tuple([tensor.shape[i] for i in range(tensor.ndim)])

    @property
    def strides(self):
        """Steps between neighbours along each dimension, a tuple of ints, in elements."""
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        cdef int64_t step = 1
        cdef int i
        if tensor.strides != NULL:
            return tuple([tensor.strides[i] for i in range(tensor.ndim)])
        steps = []
        for i in range(tensor.ndim - 1, -1, -1):
            steps.append(step)
            step *= tensor.shape[i]
        return tuple(reversed(steps))

    @property
    def ndim(self):
        """Number of dimensions. gotvm ``GetNdim``."""
        return tensor_of(self.c_handle).ndim

    @property
    def dtype(self):
        """Element type, a `DType`. gotvm ``GetDType``."""
        return wrap_dtype(tensor_of(self.c_handle).dtype)

    @property
    def device(self):
        """Where the elements lie, a `Device`. gotvm ``GetDevice``, earlier ``GetCtx``."""
        return wrap_device(tensor_of(self.c_handle).device)

    @property
    def ctx(self):
        """`device` under the name of TVM's early years. gotvm ``GetCtx``."""
        return self.device

    @property
    def size(self):
        """Number of elements."""
        return count_elements(tensor_of(self.c_handle))

    @property
    def nbytes(self):
        """Bytes of all elements; types below one byte are packed."""
        return nbytes_of(tensor_of(self.c_handle))

    def copy_from(self, source):
        """Copy elements into this array, in C order.

        Parameters
        ----------
        source : Array, NumPy array, buffer or object with ``__dlpack__``
            Elements of ``self.dtype``, exactly ``self.nbytes`` bytes of them; the shape may
            differ. May be read-only and need not be contiguous. Borrowed for this call.

        Returns
        -------
        Array
            This array.

        Raises
        ------
        TypeError
            If the element type differs, or `source` holds no elements at all.
        ValueError
            If the byte count differs. In both cases this array is left as it was.
        TVMError
            If the runtime refuses a copy between devices.

        Notes
        -----
        Keeps the GIL for small copies and releases it for long ones.
        Source: gotvm ``Array.CopyFrom``; ``runtime.TVMTensorCopyFromTo`` across devices.
        """
        if isinstance(source, Array):
            check_same_content(self, tensor_of((<Array>source).c_handle).dtype,
                               nbytes_of(tensor_of((<Array>source).c_handle)), "source")
            copy_tensor(<Array>source, self)
        elif is_ndarray(source):
            copy_from_ndarray(self, source)
        elif PyObject_CheckBuffer(source):
            copy_from_buffer(self, source)
        elif hasattr(source, "__dlpack__"):
            self.copy_from(wrap_array(import_dlpack(source, True)))
        else:
            raise TVMTypeError(f"source: expected an array or buffer of {self.dtype} elements, "
                               f"got {type(source).__name__}")
        return self

    def copyfrom(self, source):
        """Copy elements of the same shape into this array, converted to its type if need be.

        Parameters
        ----------
        source : Array or what ``numpy.asarray`` takes
            An `Array` must have this array's element type.

        Returns
        -------
        Array
            This array.

        Raises
        ------
        ValueError
            If the shape differs; this array is left as it was.
        TypeError
            If the elements cannot be converted.

        Notes
        -----
        Source: TVM's ``NDArray.copyfrom``. `copy_from` takes no other type and any shape.
        """
        if not isinstance(source, Array):
            source = array(source, self.dtype)
        if source.shape != self.shape:
            raise TVMValueError(f"source: expected the shape {self.shape}, got {source.shape}")
        return self.copy_from(source)

    def __setitem__(self, index, source):
        # As in TVM, x[:] = values is all there is.
        if not (isinstance(index, slice) and index == slice(None)):
            raise TVMValueError(f"index: only [:] can be set, got {index!r}; "
                                f"numpy.asarray(x) is a view that takes every index")
        self.copyfrom(source)

    def copy_to(self, target):
        """Copy this array's elements out, in C order.

        Parameters
        ----------
        target : Array, NumPy array, writable buffer, object with ``__dlpack__`` or Device
            Room for exactly ``self.nbytes`` bytes of ``self.dtype``; the shape may differ and
            it need not be contiguous. Or the device on which to make a new array.

        Returns
        -------
        object
            `target`; for a Device, the new array.

        Raises
        ------
        TypeError
            If the element type differs, or `target` has no writable memory.
        ValueError
            If the byte count differs. In both cases `target` is left as it was.

        Notes
        -----
        Keeps the GIL for small copies and releases it for long ones.
        Source: ``runtime.TVMTensorCopyFromTo``; TVM's ``NDArray.copyto``.
        """
        if isinstance(target, Array):
            (<Array>target).copy_from(self)
        elif is_ndarray(target):
            copy_to_ndarray(self, target)
        elif PyObject_CheckBuffer(target):
            copy_to_buffer(self, target)
        elif isinstance(target, Device):
            return empty(self.shape, self.dtype, target).copy_from(self)
        elif hasattr(target, "__dlpack__"):
            from_dlpack(target).copy_from(self)
        else:
            raise TVMTypeError(f"target: expected an array or writable buffer, "
                               f"got {type(target).__name__}")
        return target

    copyto = copy_to

    def as_slice(self):
        """Return a flat copy of the elements.

        Returns
        -------
        numpy.ndarray
            1-D, of this array's element type; the caller owns it.

        Raises
        ------
        TypeError
            If neither NumPy nor ml_dtypes has the element type.

        Notes
        -----
        Keeps the GIL for small copies and releases it for long ones.
        Source: gotvm ``Array.AsSlice``.
        """
        cdef long long size = count_elements(tensor_of(self.c_handle))
        return to_ndarray(self, 1, &size)

    def numpy(self):
        """Return a copy of the elements in this array's shape.

        Like `as_slice`, which says the rest.
        """
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        return to_ndarray(self, tensor.ndim, <const long long*>tensor.shape)

    asnumpy = numpy

    def __array__(self, dtype=None, copy=None):
        if copy is False and not is_host(tensor_of(self.c_handle).device):
            raise TVMValueError("an array outside host memory cannot be viewed, only copied")
        cdef Array source = host_array(self)
        view = host_view(source)
        if dtype is not None and view.dtype != dtype:
            if copy is False:
                raise TVMValueError(f"a view of {view.dtype} cannot be of type {dtype}")
            return view.astype(dtype)
        return view.copy() if copy else view

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        cdef const char* format = buffer_format(tensor.dtype)
        if format == NULL:
            raise TVMBufferError(f"Python's buffer protocol has no format for "
                                 f"{wrap_dtype(tensor.dtype)}; numpy.asarray() works")
        fill_buffer(self, tensor, format, buffer, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        PyMem_Free(buffer.internal)

    def __dlpack_device__(self):
        """Return DLPack's ``(device_type, device_id)``."""
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        return <int>tensor.device.device_type, tensor.device.device_id

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """Return a DLPack capsule that shares (``copy=True``: copies) this array's memory.

        ``max_version`` of 1.0 or above gives the versioned form. `stream` is accepted and has no
        effect on host memory. BufferError if `dl_device` is another device.
        """
        cdef Array source = self
        cdef DLManagedTensor* managed = NULL
        cdef DLManagedTensorVersioned* versioned = NULL
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise TVMBufferError(f"dl_device: the array is on {self.device}, not on {dl_device}")
        if copy:
            source = empty(self.shape, self.dtype, self.device).copy_from(self)
        if max_version is not None and max_version[0] >= 1:
            check(ffi.TVMFFITensorToDLPackVersioned(source.c_handle, &versioned))
            if copy:
                versioned.flags |= dlpack.DLPACK_FLAG_BITMASK_IS_COPIED
            return PyCapsule_New(versioned, b"dltensor_versioned", drop_versioned_capsule)
        check(ffi.TVMFFITensorToDLPack(source.c_handle, &managed))
        return PyCapsule_New(managed, b"dltensor", drop_capsule)

    def __tvm_ffi_object__(self):
        # tvm_ffi asks for its own wrapper around the same tensor.
        return to_tvm_ffi(self)

    def __reduce__(self):
        return array, (self.numpy(), self.dtype, self.device)

    def __repr__(self):
        return f"<tvmgo.Array {self.shape} {self.dtype} on {self.device}>"


cdef newfunc construct = TVMGoTakeConstructor(<PyTypeObject*>Array)
TVMGoNameType(<PyTypeObject*>Array, b"tvmgo.Array")


cdef int copy_from_buffer(Array self, object source) except -1:
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    cdef Py_buffer view
    cdef Array staged
    cdef char* data
    PyObject_GetBuffer(source, &view, PyBUF_FULL_RO)
    try:
        check_same_content(self, dtype_of_buffer(view.format, view.itemsize), view.len, "source")
        if (PyBuffer_IsContiguous(&view, b"C") and is_host(tensor.device) and is_compact(tensor)):
            copy_memory(data_of(tensor), view.buf, view.len)
            return 0
        # By way of a copy: the buffer may be a view of this very memory in another order.
        staged = new_host_array(tensor.ndim, tensor.shape, tensor.dtype, 0)
        data = data_of(tensor_of(staged.c_handle))
        PyBuffer_ToContiguous(data, &view, view.len, b"C")
    finally:
        PyBuffer_Release(&view)
    copy_tensor(staged, self)
    return 0


cdef int copy_to_buffer(Array self, object target) except -1:
    cdef Py_buffer view
    cdef Array source
    try:
        PyObject_GetBuffer(target, &view, PyBUF_FULL_RO | PyBUF_WRITABLE)
    except BufferError as error:
        raise TVMTypeError(f"target: expected writable memory, got "
                           f"{type(target).__name__} ({error})") from None
    try:
        check_same_content(self, dtype_of_buffer(view.format, view.itemsize), view.len, "target")
        source = compact_host_array(self)
        if PyBuffer_IsContiguous(&view, b"C"):
            copy_memory(view.buf, data_of(tensor_of(source.c_handle)), view.len)
            return 0
        if source is self:  # the buffer may be a view of this very memory in another order
            source = array(self)
        PyBuffer_FromContiguous(&view, data_of(tensor_of(source.c_handle)), view.len, b"C")
    finally:
        PyBuffer_Release(&view)
    return 0


cdef int copy_from_ndarray(Array self, object source) except -1:
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    cdef NDArrayView view = view_of_ndarray(source)
    check_same_content(self, view.dtype, view.nbytes, "source")
    if not view.compact:
        return copy_from_ndarray(self, source.copy(order="C"))
    if is_host(tensor.device) and is_compact(tensor):
        copy_memory(data_of(tensor), view.data, view.nbytes)
    else:
        copy_tensor(array(source), self)
    return 0


cdef int copy_to_ndarray(Array self, object target) except -1:
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    cdef NDArrayView view = view_of_ndarray(target)
    if not view.writable:
        raise TVMTypeError("target: expected writable memory, got a read-only NumPy array")
    check_same_content(self, view.dtype, view.nbytes, "target")
    if view.compact and is_host(tensor.device) and is_compact(tensor):
        copy_memory(view.data, data_of(tensor), view.nbytes)
    else:
        target[...] = host_view(host_array(self)).reshape(target.shape)
    return 0


cdef Array compact_host_array(Array self):
    cdef DLTensor* tensor = tensor_of(self.c_handle)
    if is_host(tensor.device) and is_compact(tensor):
        return self
    cdef Array copy = new_host_array(tensor.ndim, tensor.shape, tensor.dtype, 0)
    copy_tensor(self, copy)
    return copy


cdef object to_ndarray(Array self, int ndim, const long long* shape):
    cdef Array source = compact_host_array(self)
    cdef DLTensor* tensor = tensor_of(source.c_handle)
    cdef void* data = NULL
    result = new_ndarray(ndim, shape, tensor.dtype, &data)
    copy_memory(data, data_of(tensor), nbytes_of(tensor))
    return result


# ---------------------------------------------------------------- borrowed tensors

cdef void ignore_managed(DLManagedTensor* managed) noexcept nogil:
    pass


cdef Array borrow(DLTensor* tensor, DLManagedTensor* managed):
    """A wrapper that must be gone before `tensor` and `managed` are."""
    cdef void* handle = NULL
    managed.dl_tensor = tensor[0]
    managed.manager_ctx = NULL
    managed.deleter = ignore_managed
    check(ffi.TVMFFITensorFromDLPack(managed, 0, 0, &handle))
    return wrap_array(handle)


cdef void* copy_borrowed_tensor(DLTensor* source) except NULL:
    cdef DLManagedTensor managed
    cdef void* tensor = NULL
    cdef Array view, copy
    if is_host(source.device) and is_compact(source):
        check(TVMGoNewCPUTensor(source.shape, source.ndim, source.dtype, 0, nbytes_of(source),
                                False, &tensor))
        copy_memory(data_of(tensor_of(tensor)), data_of(source), nbytes_of(source))
        return tensor
    view = borrow(source, &managed)
    copy = empty(view.shape, view.dtype, view.device)
    copy_tensor(view, copy)
    ffi.TVMFFIObjectIncRef(copy.c_handle)
    return copy.c_handle


cdef int write_back(void* c_copy, DLTensor* target) except -1:
    cdef DLManagedTensor managed
    cdef Array view
    if is_host(target.device) and is_compact(target):
        copy_memory(data_of(target), data_of(tensor_of(c_copy)), nbytes_of(target))
        return 0
    view = borrow(target, &managed)
    ffi.TVMFFIObjectIncRef(c_copy)
    copy_tensor(wrap_array(c_copy), view)
    return 0


# ---------------------------------------------------------------- DLPack capsules

cdef void drop_capsule(object capsule) noexcept:
    # A consumed capsule was renamed, and its tensor belongs to the consumer.
    cdef DLManagedTensor* managed
    if PyCapsule_IsValid(capsule, b"dltensor"):
        managed = <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"dltensor")
        managed.deleter(managed)


cdef void drop_versioned_capsule(object capsule) noexcept:
    cdef DLManagedTensorVersioned* managed
    if PyCapsule_IsValid(capsule, b"dltensor_versioned"):
        managed = <DLManagedTensorVersioned*>PyCapsule_GetPointer(capsule, b"dltensor_versioned")
        managed.deleter(managed)


cdef void* tensor_from_dlpack(object x) except NULL:
    return import_dlpack(x, False)


cdef void* import_dlpack(object x, bint only_read) except NULL:
    """Share a tensor; a read-only one only if the caller will not let anybody write to it."""
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
        if versioned.flags & dlpack.DLPACK_FLAG_BITMASK_READ_ONLY and not only_read:
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


# ---------------------------------------------------------------- makers

def empty(shape, dtype="float32", device=None):
    """Make an array whose elements are not set.

    Parameters
    ----------
    shape : int or iterable of int
        Extents, each at least 0; ``()`` makes a 0-d array.
    dtype : str, DType or NumPy type, default "float32"
        Element type.
    device : Device or str, default ``cpu(0)``
        Where the elements lie. Others than the CPU need the runtime library.

    Returns
    -------
    Array
        Compact, in C order; host memory is aligned to 128 bytes.

    Raises
    ------
    ValueError
        If an extent is negative or the byte count does not fit 63 bits.
    MemoryError
        If there is not that much memory.
    TypeError
        If `dtype` is no element type.
    TVMError
        If the runtime has no such device.

    Notes
    -----
    Keeps the GIL. Source: gotvm ``Empty``; ``runtime.TVMTensorAllocWithScope`` for devices.
    """
    cdef int64_t dims[MAX_NDIM]
    cdef int ndim = read_shape(shape, dims)
    cdef DLDataType c_dtype = dtype_of(dtype)
    cdef DLDevice c_device
    cdef int device_id = 0
    if device is not None:
        c_device = device_of(device)
        device_id = c_device.device_id
        if c_device.device_type != dlpack.kDLCPU:
            checked_nbytes(ndim, dims, c_dtype)
            return device_api.alloc(tuple([dims[i] for i in range(ndim)]), wrap_dtype(c_dtype),
                                    wrap_device(c_device))
    return new_host_array(ndim, dims, c_dtype, device_id)


def array(data, dtype=None, device=None):
    """Make an array with a copy of `data`.

    Parameters
    ----------
    data : Array, NumPy array, buffer, object with ``__dlpack__``, number or nested sequence
        What ``numpy.asarray`` takes; the shape is kept.
    dtype : str, DType or NumPy type, optional
        Element type to convert to; default: that of `data`.
    device : Device or str, default ``cpu(0)``
        Where the copy lies.

    Returns
    -------
    Array
        A new array; later changes of `data` do not show.

    Raises
    ------
    TypeError
        If the elements have a type no array can hold.
    ValueError
        If NumPy cannot make an array of `data`.

    Notes
    -----
    Source: TVM's ``tvm.nd.array``; gotvm ``Empty`` and ``CopyFrom``.
    """
    if not isinstance(data, Array) and not is_ndarray(data) and hasattr(type(data), "__dlpack__"):
        data = wrap_array(import_dlpack(data, True))
    cdef Array source
    if isinstance(data, Array):
        source = <Array>data
        if dtype is None or same_dtype(dtype_of(dtype), tensor_of(source.c_handle).dtype):
            return empty(source.shape, source.dtype, device).copy_from(source)
        data = host_view(host_array(source))
    import numpy
    if dtype is not None:
        dtype = numpy_dtype(dtype_of(dtype))
    values = numpy.asarray(data, dtype)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return empty(values.shape, values.dtype, device).copy_from(values)


def from_dlpack(x):
    """Make an array that shares the memory of another library's tensor.

    Parameters
    ----------
    x : object with ``__dlpack__``, NumPy array or Array
        Its memory is kept alive by the result.

    Returns
    -------
    Array
        Of the same shape, strides, type and device; writes are seen on both sides.

    Raises
    ------
    BufferError
        If the memory is read-only; `array` copies it.
    ValueError
        If the strides of a NumPy array are no whole elements.
    TypeError
        If `x` has no ``__dlpack__``.

    Notes
    -----
    Keeps the GIL. Source: ``TVMFFITensorFromDLPackVersioned``.
    """
    if isinstance(x, Array):
        return x
    if is_ndarray(x):
        return wrap_array(tensor_from_ndarray(x))
    if not hasattr(x, "__dlpack__"):
        raise TVMTypeError(f"x: expected an object with __dlpack__, got {type(x).__name__}")
    return wrap_array(tensor_from_dlpack(x))
