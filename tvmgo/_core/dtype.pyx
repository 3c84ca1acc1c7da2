# SPDX-License-Identifier: Apache-2.0
"""Element types (DLPack's ``DLDataType``; gotvm ``Array.GetDType`` and its type strings)."""
import sys

from cpython.object cimport PyTypeObject
from tvmgo._core.error cimport check
from tvmgo._core.handle cimport cell, drop
from tvmgo.capi cimport dlpack, ffi
from tvmgo.capi.dlpack cimport DLDataType
from tvmgo.capi.dtype_rules cimport TVMGoHasNumbers, TVMGoHasSize
from tvmgo.capi.pytype cimport TVMGoNameType
from tvmgo.exceptions import TVMTypeError

# Struct-module letters by (code, bits). The buffer protocol has no letter for bfloat16, float8
# or anything below a byte; NumPy reads 'Zf' and 'Zd' as complex.
cdef dict FORMATS = {
    (dlpack.kDLBool, 8): b"?",
    (dlpack.kDLInt, 8): b"b", (dlpack.kDLInt, 16): b"h",
    (dlpack.kDLInt, 32): b"i", (dlpack.kDLInt, 64): b"q",
    (dlpack.kDLUInt, 8): b"B", (dlpack.kDLUInt, 16): b"H",
    (dlpack.kDLUInt, 32): b"I", (dlpack.kDLUInt, 64): b"Q",
    (dlpack.kDLFloat, 16): b"e", (dlpack.kDLFloat, 32): b"f", (dlpack.kDLFloat, 64): b"d",
    (dlpack.kDLComplex, 64): b"Zf", (dlpack.kDLComplex, 128): b"Zd",
}

# Letters of buffers -> DLPack code; the size comes from the buffer, because 'l' is 4 or 8 bytes.
cdef dict FORMAT_CODES = {
    "?": dlpack.kDLBool,
    "b": dlpack.kDLInt, "h": dlpack.kDLInt, "i": dlpack.kDLInt, "l": dlpack.kDLInt,
    "q": dlpack.kDLInt, "n": dlpack.kDLInt,
    "B": dlpack.kDLUInt, "c": dlpack.kDLUInt, "H": dlpack.kDLUInt, "I": dlpack.kDLUInt,
    "L": dlpack.kDLUInt, "Q": dlpack.kDLUInt, "N": dlpack.kDLUInt,
    "e": dlpack.kDLFloat, "f": dlpack.kDLFloat, "d": dlpack.kDLFloat,
    "Zf": dlpack.kDLComplex, "Zd": dlpack.kDLComplex,
}

cdef dict NUMPY_KINDS = {
    "b": dlpack.kDLBool, "i": dlpack.kDLInt, "u": dlpack.kDLUInt, "f": dlpack.kDLFloat,
    "c": dlpack.kDLComplex,
}

cdef str NATIVE_ORDER = "<" if sys.byteorder == "little" else ">"

# (code, bits, lanes) -> numpy.dtype, filled on demand: NumPy is imported only when it is used.
cdef dict numpy_dtypes = {}


# What wrap_dtype passes instead of a type; nobody else has it.
cdef object BLANK = object()


cdef class DType:
    """The type of one array element.

    Parameters
    ----------
    dtype : str, DType or NumPy type
        A string is TVM's full name of the type: ``"int8"``, ``"uint64"``, ``"float32"``,
        ``"bool"``, ``"handle"``, ``"bfloat16"``, ``"float8_e4m3fn"``, ``"float32x4"`` (lanes),
        ``"float32xvscalex4"`` (a scalable vector), ``"complex64"``. Integers have 1 to 128 bits,
        floats 16, 32 or 64. A type is what ``numpy.dtype`` takes besides strings:
        ``numpy.float32``, ``numpy.dtype("f4")``, ``ml_dtypes.bfloat16``, Python's ``float``
        (which is float64), ...

    Raises
    ------
    TypeError
        If `dtype` is no element type DLPack can hold, or a string that is no full name. The
        message suggests one: short words such as ``"i8"``, ``"f4"`` and ``"float"`` do not mean
        the same in TVM and in NumPy.

    Notes
    -----
    Compares equal to another `DType`, to its name and to its NumPy type. Immutable.
    ``numpy.dtype(x)`` and every NumPy function with a `dtype` argument take a `DType`.
    Source: ``TVMFFIDataTypeFromString``, ``TVMFFIDataTypeToString``.
    """

    def __cinit__(self, dtype):
        if dtype is not BLANK:
            self.c_dtype = dtype_of(dtype)

    @property
    def type_code(self):
        """DLPack's kind of number: 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool, ..."""
        return self.c_dtype.code

    @property
    def bits(self):
        """Bits of one lane."""
        return self.c_dtype.bits

    @property
    def lanes(self):
        """Values in one element; 1 except for vector types."""
        return self.c_dtype.lanes

    @property
    def itemsize(self):
        """Bytes of one element, rounded up. TypeError for a scalable vector, which has no size."""
        if not TVMGoHasSize(self.c_dtype) and self.c_dtype.bits != 0:
            raise TVMTypeError(f"dtype: {self} has no size")
        return packed_nbytes(self.c_dtype, 1)

    @property
    def numpy(self):
        """The same type as a ``numpy.dtype`` (``ml_dtypes`` for bfloat16 and float8).

        Raises TypeError when neither library has it.
        """
        return numpy_dtype(self.c_dtype)

    @property
    def dtype(self):
        """`numpy` under the name by which NumPy asks for it: ``numpy.zeros(3, dtype=x.dtype)``."""
        return numpy_dtype(self.c_dtype)

    def __str__(self):
        return dtype_name(self.c_dtype)

    def __repr__(self):
        return f"tvmgo.DType('{self}')"

    def __hash__(self):
        return hash(dtype_name(self.c_dtype))

    def __eq__(self, other):
        cdef DLDataType c_other
        if is_word(other) and other not in parsed:  # no reason to say what it may have meant
            return str.__eq__(dtype_name(self.c_dtype), other)
        try:
            c_other = dtype_of(other)
        except TypeError:
            return NotImplemented
        return same_dtype(self.c_dtype, c_other)

    def __reduce__(self):
        return DType, (str(self),)


TVMGoNameType(<PyTypeObject*>DType, b"tvmgo.DType")


cdef DType wrap_dtype(DLDataType c_dtype):
    cdef DType self = DType.__new__(DType, BLANK)
    self.c_dtype = c_dtype
    return self


# Names the runtime's parser and printer do not know, though its tensors hold the types.
cdef dict COMPLEX_BITS = {f"complex{bits}": bits for bits in (32, 64, 128)}


cdef str dtype_name(DLDataType c_dtype):
    cdef ffi.TVMFFIAny name
    cdef ffi.TVMFFIByteArray* view
    if c_dtype.code == dlpack.kDLComplex:
        return f"complex{c_dtype.bits}" + (f"x{c_dtype.lanes}" if c_dtype.lanes != 1 else "")
    if c_dtype.bits == 0:
        return "void"
    name.type_index = ffi.kTVMFFINone
    try:
        check(ffi.TVMFFIDataTypeToString(&c_dtype, &name))
    except Exception:  # a number this runtime has no name for still has to be shown
        return f"code{c_dtype.code}bits{c_dtype.bits}lanes{c_dtype.lanes}"
    if name.type_index == ffi.kTVMFFISmallStr:
        return name.v_bytes[:name.small_str_len].decode()
    try:
        view = <ffi.TVMFFIByteArray*>cell(name.v_ptr)
        return view.data[:view.size].decode()
    finally:
        drop(name.v_ptr)


# Names parsed before. Names come from programs, not from data, so they are few.
cdef dict parsed = {}


cdef DLDataType parse_dtype(str name) except *:
    cdef DLDataType c_dtype
    found = parsed.get(name)
    if found is not None:
        return (<DType>found).c_dtype
    if name in COMPLEX_BITS:
        c_dtype.code, c_dtype.bits, c_dtype.lanes = dlpack.kDLComplex, COMPLEX_BITS[name], 1
        return c_dtype
    cdef bytes data = name.encode("utf-8", "backslashreplace")
    cdef ffi.TVMFFIByteArray view
    view.data = data
    view.size = len(data)
    read_as = None
    try:
        check(ffi.TVMFFIDataTypeFromString(&view, &c_dtype))
        if TVMGoHasNumbers(c_dtype):
            read_as = dtype_name(c_dtype)
    except Exception:  # the message below says more
        pass
    # The runtime's parser takes many words for a type. Only the one it would print is the name.
    if read_as != name:
        from tvmgo._core import dtype_words
        raise TVMTypeError(f"dtype: {dtype_words.refusal(name, read_as)}")
    parsed[name] = wrap_dtype(c_dtype)
    return c_dtype


cdef DLDataType dtype_of(object x) except *:
    cdef DLDataType c_dtype
    if isinstance(x, DType):
        return (<DType>x).c_dtype
    if is_word(x):
        return parse_dtype(str.__str__(x))
    if not isinstance(x, str):
        return dtype_of_numpy(x)
    c_dtype.code, c_dtype.bits, c_dtype.lanes = x.type_code, x.bits, x.lanes & 0xFFFF
    return c_dtype


cdef inline bint is_word(object x) except -1:
    # tvm_ffi's type is a str as well, in any spelling; it knows what it means.
    return type(x) is str or (isinstance(x, str) and not hasattr(type(x), "type_code"))


cdef DLDataType dtype_of_numpy(object x) except *:
    """The DLPack type of whatever ``numpy.dtype()`` accepts."""
    cdef DLDataType c_dtype
    # NumPy takes None for float64 and bytes for names.
    if x is None or isinstance(x, (bytes, bytearray)):
        raise TVMTypeError(f"dtype: expected an element type, got {x!r}")
    import numpy
    try:
        dtype = numpy.dtype(x)
    except TypeError:
        raise TVMTypeError(f"dtype: expected an element type, got {x!r}") from None
    if not dtype.isnative:
        raise TVMTypeError(f"dtype: {dtype} is not in this machine's byte order")
    if dtype.type.__module__ == "ml_dtypes":  # named as DLPack names them
        return parse_dtype(dtype.name)
    code = NUMPY_KINDS.get(dtype.kind)
    # Extended precision floats have padding that DLPack cannot describe.
    if code is None or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise TVMTypeError(f"dtype: arrays cannot hold elements of type {dtype!r}")
    c_dtype.code = code
    c_dtype.bits = dtype.itemsize * 8
    c_dtype.lanes = 1
    return c_dtype


cdef object numpy_dtype(DLDataType c_dtype):
    key = (c_dtype.code, c_dtype.bits, c_dtype.lanes)
    found = numpy_dtypes.get(key)
    if found is None:
        found = numpy_dtypes[key] = find_numpy_dtype(c_dtype)
    return found


cdef object find_numpy_dtype(DLDataType c_dtype):
    import numpy
    name = dtype_name(c_dtype)
    if c_dtype.lanes == 1 and buffer_format(c_dtype) != NULL:
        return numpy.dtype(name)
    if c_dtype.bits % 8 != 0:
        raise TVMTypeError(f"dtype: {name} is packed below one byte, which NumPy cannot view")
    if c_dtype.lanes != 1:
        raise TVMTypeError(f"dtype: NumPy has no vector type {name}")
    try:
        import ml_dtypes
    except ImportError:
        raise TVMTypeError(f"dtype: NumPy has no {name}; `pip install ml_dtypes` adds it") from None
    scalar = getattr(ml_dtypes, name, None)
    if scalar is None:
        raise TVMTypeError(f"dtype: neither NumPy nor ml_dtypes has {name}")
    return numpy.dtype(scalar)


cdef const char* format_table[8][17]    # FORMATS, which keeps the letters alive, by code and bytes


cdef void fill_format_table() noexcept:
    for code, bits in FORMATS:
        format_table[<int>code][<int>bits // 8] = <const char*><bytes>FORMATS[code, bits]


fill_format_table()


cdef const char* buffer_format(DLDataType dtype) noexcept:
    if dtype.lanes != 1 or dtype.code >= 8 or dtype.bits > 128 or dtype.bits % 8 != 0:
        return NULL
    return format_table[dtype.code][dtype.bits // 8]


cdef DLDataType dtype_of_buffer(
        const char* format, Py_ssize_t itemsize, object owner, str argument) except *:
    cdef DLDataType c_dtype
    letters = "B" if format == NULL else format.decode("ascii", "replace")
    if letters[:1] in ("@", "=", NATIVE_ORDER):
        letters = letters[1:]
    code = FORMAT_CODES.get(letters)
    if code is None:
        raise TVMTypeError(f"{argument}: arrays cannot hold elements of buffer format {letters!r}, "
                           f"as {type(owner).__name__} has them")
    c_dtype.code = code
    c_dtype.bits = itemsize * 8
    c_dtype.lanes = 1
    return c_dtype
