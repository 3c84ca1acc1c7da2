# SPDX-License-Identifier: Apache-2.0
"""From Python to the runtime: objects as ``TVMFFIAny`` values.

The types that calls meet most are tested first, by exact type; a table says how all others are
passed.
"""
import sys

cimport cython
from cpython.object cimport PyObject, PyTypeObject
from libc.string cimport memchr, memcpy

from tvmgo._core.array_exchange cimport tensor_from_dlpack
from tvmgo._core.big_int cimport big_int_from_int
from tvmgo._core.bytearray cimport ByteArray
from tvmgo._core.device cimport Device, device_api, device_of
from tvmgo._core.dtype cimport DType, dtype_of
from tvmgo._core.error cimport check, error_from_exception
from tvmgo._core.handle cimport Object, drop, share
from tvmgo._core.ndarray cimport is_ndarray, ndarray_type, tensor_from_ndarray
from tvmgo._core.owned_any cimport OwnedAny, clear, set_any, set_object
from tvmgo._core.pointer cimport Pointer
from tvmgo._core.tensor cimport is_kernel_ready, tensor_of
from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport SESSION_STEP
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo.capi.python cimport (
    Py_False, Py_None, Py_True, PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE,
    PyLong_AsLongLongAndOverflow, PyLong_CheckExact, PyUnicode_AsUTF8AndSize,
    PyUnicode_CheckExact, PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_IS_COMPACT_ASCII,
    type_of,
)
from tvmgo.exceptions import TVMTypeError, TVMValueError

cdef enum:
    SMALL_BYTES = 7             # bytes of a string that fit inside a TVMFFIAny
    MANY_CLASSES = 1024         # classes remembered before the memory is dropped


cdef inline int note_owned(TVMFFIAny* any, Packed* packed) noexcept:
    """Remember the object that a C function has just put into `any`, if it is one."""
    if any.type_index < ffi.kTVMFFIStaticObjectBegin:
        return 0
    packed.owned = any.v_ptr
    return OWNS


cdef inline void set_owned(TVMFFIAny* any, Packed* packed, void* c_handle) noexcept:
    packed.owned = c_handle
    set_object(any, c_handle)


cdef int pack_other(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1:
    cdef PyTypeObject* kind = type_of(arg)
    if kind == ndarray_type:  # NULL until NumPy is known, and no object's type is NULL
        set_owned(any, packed, tensor_from_ndarray(<object>arg))
        return OWNS | (0 if is_kernel_ready(tensor_of(packed.owned)) else NEEDS_COPY)
    if PyUnicode_CheckExact(arg):
        return pack_str(arg, any, packed)
    if arg == Py_True or arg == Py_False:
        set_any(any, ffi.kTVMFFIBool, arg == Py_True)
    elif arg == Py_None:
        clear(any)
    elif PyBytes_CheckExact(arg):
        pack_bytes(PyBytes_AS_STRING(arg), PyBytes_GET_SIZE(arg), any, packed)
    elif PyLong_CheckExact(arg):
        return pack_wide_int(arg, any, packed)
    else:
        clear(any)
        packer_for(<object>arg).run(<object>arg, any, packed)
        return ((OWNS if packed.owned != NULL else 0)
                | (NEEDS_COPY if any.type_index == ffi.kTVMFFITensor
                   and not is_kernel_ready(tensor_of(any.v_ptr)) else 0))
    return 0


cdef inline void pack_bytes(const char* data, Py_ssize_t size, TVMFFIAny* any,
                            Packed* packed) noexcept:
    clear(any)
    if size <= SMALL_BYTES:
        any.type_index = ffi.kTVMFFISmallBytes
        any.small_str_len = size
        memcpy(any.v_bytes, data, size)
    else:
        packed.bytes_view.data = data
        packed.bytes_view.size = size
        any.type_index = ffi.kTVMFFIByteArrayPtr
        any.v_ptr = &packed.bytes_view


cdef int pack_wide_int(PyObject* number, TVMFFIAny* any, Packed* packed) except -1:
    cdef int overflow = 0
    any.v_int64 = PyLong_AsLongLongAndOverflow(number, &overflow)
    if not overflow:
        return 0
    big_int_from_int(<object>number, any)
    return note_owned(any, packed)


cdef int pack_str(PyObject* string, TVMFFIAny* any, Packed* packed) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* data
    cdef TVMFFIByteArray view
    clear(any)
    if PyUnicode_IS_COMPACT_ASCII(string):  # which is UTF-8 as it stands
        data, size = <const char*>PyUnicode_DATA(string), PyUnicode_GET_LENGTH(string)
    else:
        try:
            data = PyUnicode_AsUTF8AndSize(string, &size)  # borrowed from the str
        except UnicodeEncodeError:
            return pack_surrogates(<object>string, any, packed)
    if size <= SMALL_BYTES:
        any.type_index = ffi.kTVMFFISmallStr
        any.small_str_len = size
        memcpy(any.v_bytes, data, size)
    elif memchr(data, 0, size) == NULL:
        any.type_index = ffi.kTVMFFIRawStr
        any.v_c_str = data
    else:  # only a string object carries a NUL
        view.data, view.size = data, size
        check(ffi.TVMFFIStringFromByteArray(&view, any))
        return note_owned(any, packed)
    return 0


cdef bytes utf8(str string):
    try:
        return string.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise TVMValueError(f"expected text, got a str with the surrogate "
                            f"{string[error.start]!a} at {error.start}, which stands for no "
                            f"character") from None


cdef int pack_surrogates(object string, TVMFFIAny* any, Packed* packed) except -1:
    # Bytes that were no UTF-8 came in as surrogates; give them back as they were.
    cdef bytes encoded = utf8(string)
    cdef TVMFFIByteArray view
    view.data, view.size = <const char*>encoded, len(encoded)
    check(ffi.TVMFFIStringFromByteArray(&view, any))
    return note_owned(any, packed)


cdef int pack_owned(object arg, TVMFFIAny* any) except -1:
    cdef Packed packed
    cdef TVMFFIAny view
    pack(<PyObject*>arg, any, &packed)
    if any.type_index <= ffi.kTVMFFIFloat:
        return 0  # nothing but the value
    view = any[0]
    if packed.owned != NULL and view.v_ptr == packed.owned:
        return 0  # the object was made for this value
    clear(any)
    try:
        check(ffi.TVMFFIAnyViewToOwnedAny(&view, any))
    finally:
        if packed.owned != NULL:
            drop(packed.owned)
    return 0


# The less common types: one packer per kind, found once per class.

ctypedef int (*packer_function)(object arg, TVMFFIAny* any, Packed* packed) except -1


@cython.final
cdef class _Packer:
    cdef packer_function run
    cdef converter convert      # for `pack_converted` only, set by the module that can


cdef _Packer new_packer(packer_function run):
    cdef _Packer packer = _Packer.__new__(_Packer)
    packer.run = run
    return packer


cdef int pack_runtime_object(object arg, TVMFFIAny* any, Packed* packed) except -1:
    if (<Object>arg).c_handle == NULL:  # only an unpickler can make a bare Object, an empty one
        raise TVMValueError("the Object holds nothing")
    set_object(any, (<Object>arg).c_handle)
    return 0


cdef int pack_owned_any(object arg, TVMFFIAny* any, Packed* packed) except -1:
    check_if_container(&(<OwnedAny>arg).c_any)
    any[0] = (<OwnedAny>arg).c_any  # borrowed from the argument, which the caller holds
    return 0


cdef int pack_byte_array(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.type_index = ffi.kTVMFFIByteArrayPtr
    any.v_ptr = &(<ByteArray>arg).c_view
    return 0


cdef int pack_ndarray(object arg, TVMFFIAny* any, Packed* packed) except -1:
    set_owned(any, packed, tensor_from_ndarray(arg))
    return 0


cdef int pack_device(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.v_device = device_of(arg)
    any.type_index = ffi.kTVMFFIDevice
    return 0


cdef int pack_own_device(object arg, TVMFFIAny* any, Packed* packed) except -1:
    if <int>(<Device>arg).c_device.device_type >= SESSION_STEP:
        device_api.require(arg)  # the runtime uses a session without looking whether there is one
    return pack_device(arg, any, packed)


cdef int pack_dtype(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.type_index = ffi.kTVMFFIDataType
    any.v_dtype = (<DType>arg).c_dtype
    return 0


cdef int pack_numpy_dtype(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.v_dtype = dtype_of(arg)
    any.type_index = ffi.kTVMFFIDataType
    return 0


cdef int pack_pointer(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.type_index = ffi.kTVMFFIOpaquePtr
    any.v_ptr = (<Pointer>arg).c_pointer
    return 0


cdef int pack_string(object arg, TVMFFIAny* any, Packed* packed) except -1:
    return pack_str(<PyObject*>arg, any, packed)


cdef int pack_buffer(object arg, TVMFFIAny* any, Packed* packed) except -1:
    # A bytearray can change and even move while the GIL is released: lend a copy.
    cdef bytes data = bytes(arg)
    cdef TVMFFIByteArray view
    view.data, view.size = <const char*>data, len(data)
    check(ffi.TVMFFIBytesFromByteArray(&view, any))
    return note_owned(any, packed)


cdef int pack_foreign(object arg, TVMFFIAny* any, Packed* packed) except -1:
    cdef void* c_handle = <void*><size_t>foreign_class().__chandle__(arg)
    if c_handle == NULL:
        raise TVMValueError(f"the {type(arg).__name__} of tvm_ffi holds no object")
    cdef TVMFFIAny view
    set_object(&view, c_handle)
    check_if_container(&view)
    set_owned(any, packed, share(c_handle))
    return 0


cdef int pack_foreign_native(object arg, TVMFFIAny* any, Packed* packed) except -1:
    # tvm_ffi's str, tuple and such remember the runtime's object they stand for, if there is one.
    origin = getattr(arg, "_tvm_ffi_cached_object", None)
    if is_foreign(origin):
        return pack_foreign(origin, any, packed)
    for kind, packer in NATIVE_PACKERS:
        if isinstance(arg, kind):
            return (<_Packer>packer).run(arg, any, packed)
    raise TVMTypeError(f"cannot pass {class_name(type(arg))} without a value")


cdef int pack_dlpack(object arg, TVMFFIAny* any, Packed* packed) except -1:
    set_owned(any, packed, tensor_from_dlpack(arg, False))
    return 0


cdef int pack_exception(object arg, TVMFFIAny* any, Packed* packed) except -1:
    set_owned(any, packed, error_from_exception(arg))
    return 0


cdef int pack_numpy_bool(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.type_index = ffi.kTVMFFIBool
    any.v_int64 = bool(arg)
    return 0


cdef int pack_index(object arg, TVMFFIAny* any, Packed* packed) except -1:
    number = arg.__index__()
    any.type_index = ffi.kTVMFFIInt
    return pack_wide_int(<PyObject*>number, any, packed)


cdef int pack_real(object arg, TVMFFIAny* any, Packed* packed) except -1:
    any.v_float64 = arg.__float__()
    any.type_index = ffi.kTVMFFIFloat
    return 0


cdef int pack_converted(object arg, TVMFFIAny* any, Packed* packed) except -1:
    set_owned(any, packed, packer_for(arg).convert(arg))
    return 0


cdef dict converted = {kind: new_packer(pack_converted)
                       for kind in ("sequence", "mapping", "callable")}


def foreign_class(name="CObject"):
    """Return a class of tvm_ffi's core, or None as long as nobody imported it."""
    core = sys.modules.get("tvm_ffi.core")
    return None if core is None else getattr(core, name, None)


def is_foreign(arg):
    """Return whether `arg` is tvm_ffi's wrapper around an object of the runtime."""
    cls = foreign_class()
    return cls is not None and issubclass(type(arg), cls)


def is_foreign_native(arg):
    """Return whether `arg` is one of tvm_ffi's str, tuple and such."""
    cls = foreign_class("PyNativeObject")
    return cls is not None and issubclass(type(arg), cls)


def _is_foreign_device(arg):
    return hasattr(type(arg), "dlpack_device_type") and hasattr(type(arg), "index")


def _is_real(arg):
    # NumPy's complex scalars have __float__, and lose half of themselves in it.
    return (hasattr(type(arg), "__float__")
            and getattr(getattr(arg, "dtype", None), "kind", None) != "c")


def _is_numpy_bool(arg):
    return type(arg).__module__ == "numpy" and type(arg).__name__ in ("bool", "bool_")


def _is_numpy_dtype(arg):
    dtype = getattr(sys.modules.get("numpy"), "dtype", None)
    return dtype is not None and issubclass(type(arg), dtype)


def _has(name):
    return lambda arg: hasattr(type(arg), name)


def _is(cls):
    # Not isinstance(), which believes what an object says of itself.
    return lambda arg: issubclass(type(arg), cls)


# The first test that holds decides. Tensors come before numbers, because many have __float__;
# numbers before callables, because a class may be both.
cdef list PACKERS = [
    (_is(Object), new_packer(pack_runtime_object)),
    (_is(OwnedAny), new_packer(pack_owned_any)),
    (_is(ByteArray), new_packer(pack_byte_array)),
    (lambda arg: is_ndarray(arg), new_packer(pack_ndarray)),
    (_is(Device), new_packer(pack_own_device)),
    (_is(DType), new_packer(pack_dtype)),
    (_is_numpy_dtype, new_packer(pack_numpy_dtype)),
    (_is(Pointer), new_packer(pack_pointer)),
    (is_foreign_native, new_packer(pack_foreign_native)),
    (_is(str), new_packer(pack_string)),
    (_is((bytes, bytearray, memoryview)), new_packer(pack_buffer)),
    (is_foreign, new_packer(pack_foreign)),
    (_is_foreign_device, new_packer(pack_device)),
    (_has("__dlpack__"), new_packer(pack_dlpack)),
    (_has("__dlpack_device__"), new_packer(pack_device)),
    (_is((list, tuple)), converted["sequence"]),
    (_is(dict), converted["mapping"]),
    (_is(BaseException), new_packer(pack_exception)),
    (_is_numpy_bool, new_packer(pack_numpy_bool)),
    (_has("__index__"), new_packer(pack_index)),
    (_is_real, new_packer(pack_real)),
    (callable, converted["callable"]),
]

# What tvm_ffi's native objects are besides.
cdef list NATIVE_PACKERS = [
    (str, new_packer(pack_string)),
    ((bytes, bytearray), new_packer(pack_buffer)),
    (tuple, converted["sequence"]),
]

cdef dict packers_by_class = {}


cdef _Packer packer_for(object arg):
    cls = type(arg)
    found = packers_by_class.get(cls)
    if found is not None:
        return <_Packer>found
    for test, packer in PACKERS:
        if test(arg):
            if len(packers_by_class) >= MANY_CLASSES:  # a program that makes classes in a loop
                packers_by_class.clear()
            packers_by_class[cls] = packer
            return <_Packer>packer
    raise TVMTypeError(f"cannot pass {class_name(cls)}; expected None, bool, int, float, str, "
                       f"bytes, an array, a function, a module, a device, a dtype, or a list, "
                       f"tuple or dict of these")


cdef str class_name(object cls):
    """With its module: `array.array` is no array."""
    module = cls.__module__
    return cls.__name__ if module == "builtins" else f"{module}.{cls.__name__}"


cdef container_check check_container


cdef void register_container_check(container_check refuse) noexcept:
    global check_container
    check_container = refuse


cdef inline int check_if_container(const TVMFFIAny* any) except -1:
    return check_container(any) if any.type_index >= ffi.kTVMFFIArray else 0


cdef void register_converter(str kind, converter convert) noexcept:
    (<_Packer>converted[kind]).convert = convert
