# SPDX-License-Identifier: Apache-2.0
"""N-dimensional arrays (tvm-ffi ``Tensor``; gotvm ``Array``)."""
cimport cython
from cpython.buffer cimport PyObject_CheckBuffer
from cpython.object cimport PyTypeObject
from libc.stdint cimport int64_t

from tvmgo._core.array_copy cimport (
    copy_from_array, copy_from_buffer, copy_from_ndarray, copy_to_buffer, copy_to_ndarray,
    copy_to_new_ndarray, in_host_memory, new_tensor,
)
from tvmgo._core.array_exchange cimport (
    dlpack_capsule, fill_buffer, host_view, release_buffer, tensor_from_dlpack,
)
from tvmgo._core.device cimport Device, device_of, is_host, wrap_device
from tvmgo._core.dtype cimport buffer_format, dtype_of, numpy_dtype, same_dtype, wrap_dtype
from tvmgo._core.handle cimport Object, adopt_owned, to_tvm_ffi
from tvmgo._core.ndarray cimport is_ndarray, tensor_from_ndarray
from tvmgo._core.shape cimport MAX_NDIM, read_shape
from tvmgo._core.tensor cimport count_elements, nbytes_of, shape_of, tensor_of
from tvmgo.capi cimport dlpack
from tvmgo.capi.dlpack cimport DLDataType, DLDevice, DLTensor
from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoTakeConstructor, newfunc
from tvmgo._core import array_items
from tvmgo._core.fitting import fit_integers
from tvmgo.exceptions import TVMBufferError, TVMTypeError, TVMValueError


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
        return shape_of(tensor_of(self.c_handle))

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
            copy_from_array(self, source)
        elif is_ndarray(source):
            copy_from_ndarray(self, source)
        elif PyObject_CheckBuffer(source):
            copy_from_buffer(self, source)
        elif hasattr(source, "__dlpack__"):
            self.copy_from(wrap_array(tensor_from_dlpack(source, True)))
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

    def __len__(self):
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        if tensor.ndim == 0:
            raise TVMTypeError("len() of a 0-d array")
        return tensor.shape[0]

    def __bool__(self):
        # len() alone would make a filled array true whatever is in it.
        if count_elements(tensor_of(self.c_handle)) != 1:
            raise TVMValueError(f"an array of the shape {self.shape} is neither true nor false; "
                                f"ask for its size or use numpy.any() or numpy.all()")
        return bool(array_items.python_values(host_view(in_host_memory(self)).reshape(())))

    def __getitem__(self, index):
        """Return an element or a part of this array, as NumPy finds it.

        Parameters
        ----------
        index : int, slice, ``...``, None or tuple of these
            Negative ints count from the end.

        Returns
        -------
        int, float, bool, complex or Array
            A number if the index names one element. Else an array that shares this one's memory,
            which it keeps alive; of an array outside host memory, a part of a copy on the CPU.

        Raises
        ------
        IndexError
            If there is no such element.
        TypeError
            If the index is of another kind, or NumPy has no such elements (packed, vectors).

        Notes
        -----
        TVM's arrays had no such reading; ``numpy.asarray(x)`` takes every index.
        """
        found = array_items.find(host_view(in_host_memory(self)), index)
        if is_ndarray(found):
            return wrap_array(tensor_from_ndarray(found))
        import numpy
        return array_items.python_values(numpy.asarray(found))

    def __iter__(self):
        cdef Array host = self
        if not is_host(tensor_of(self.c_handle).device):
            host = empty(self.shape, self.dtype).copy_from(self)  # once, and not for each step
        return map(host.__getitem__, range(len(self)))

    def tolist(self):
        """Return the elements as Python numbers in nested lists; of a 0-d array, the number.

        Raises
        ------
        TypeError
            If neither NumPy nor ml_dtypes has the element type.

        Notes
        -----
        Source: NumPy's ``ndarray.tolist``.
        """
        return array_items.python_values(host_view(in_host_memory(self)))

    def __setitem__(self, index, source):
        # As in TVM, x[:] = values is all there is.
        if index is not ... and not (isinstance(index, slice) and index == slice(None)):
            raise TVMValueError(f"index: only [:] can be set, got {index!r}; "
                                f"numpy.asarray(x) is a view that takes every index")
        self.copyfrom(source)

    def copy_to(self, target):
        """Copy this array's elements out, in C order.

        Parameters
        ----------
        target : Array, NumPy array, writable buffer, object with ``__dlpack__`` or Device
            Space for exactly ``self.nbytes`` bytes of ``self.dtype``; the shape may differ and
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

    copyto = copy_to  # TVM's name

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
        return copy_to_new_ndarray(self, 1, &size)

    def numpy(self):
        """Return a copy of the elements in this array's shape.

        Like `as_slice`, which says the rest.
        """
        cdef DLTensor* tensor = tensor_of(self.c_handle)
        return copy_to_new_ndarray(self, tensor.ndim, <const long long*>tensor.shape)

    asnumpy = numpy  # TVM's older name

    def __array__(self, dtype=None, copy=None):
        if copy is False and not is_host(tensor_of(self.c_handle).device):
            raise TVMValueError("an array outside host memory cannot be viewed, only copied")
        view = host_view(in_host_memory(self))
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
        release_buffer(buffer)

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
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise TVMBufferError(f"dl_device: the array is on {self.device}, not on {dl_device}")
        if copy:
            source = empty(self.shape, self.dtype, self.device).copy_from(self)
        return dlpack_capsule(source, max_version is not None and max_version[0] >= 1, bool(copy))

    def to_dlpack(self):
        """Return a DLPack capsule of before 1.0 that shares this array's memory; TVM's name."""
        return self.__dlpack__()

    def __tvm_ffi_object__(self):
        # tvm_ffi asks for its own wrapper around the same tensor.
        return to_tvm_ffi(self)

    def __reduce__(self):
        return array, (self.numpy(), self.dtype, self.device)

    def __repr__(self):
        return f"<tvmgo.Array {self.shape} {self.dtype} on {self.device}>"


cdef newfunc construct = TVMGoTakeConstructor(
    <PyTypeObject*>Array, b"tvmgo.array, tvmgo.empty and tvmgo.from_dlpack")
TVMGoNameType(<PyTypeObject*>Array, b"tvmgo.Array")


cdef Array wrap_array(void* c_handle):
    cdef Array self = <Array>construct(<PyTypeObject*>Array, (), NULL)
    adopt_owned(self, c_handle)
    return self


# ---------------------------------------------------------------- factories

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
    c_device.device_type, c_device.device_id = dlpack.kDLCPU, 0
    if device is not None:
        c_device = device_of(device)
    return wrap_array(new_tensor(ndim, dims, c_dtype, c_device))


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
    OverflowError
        If an integer does not fit an integer `dtype`.
    ValueError
        If NumPy cannot make an array of `data`.

    Notes
    -----
    Source: TVM's ``tvm.nd.array``; gotvm ``Empty`` and ``CopyFrom``.
    """
    if not isinstance(data, Array) and not is_ndarray(data) and hasattr(type(data), "__dlpack__"):
        data = wrap_array(tensor_from_dlpack(data, True))
    cdef Array source
    if isinstance(data, Array):
        source = <Array>data
        if dtype is None or same_dtype(dtype_of(dtype), tensor_of(source.c_handle).dtype):
            return empty(source.shape, source.dtype, device).copy_from(source)
        data = host_view(in_host_memory(source))
    import numpy
    if dtype is not None:
        dtype = numpy_dtype(dtype_of(dtype))
        if dtype.kind in "iu":
            data = fit_integers(data, dtype, "data")
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
    return wrap_array(tensor_from_dlpack(x, False))
