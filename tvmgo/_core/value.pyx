# SPDX-License-Identifier: Apache-2.0
"""A value as the runtime sees it, with its type (tvm-ffi ``TVMFFIAny``; gotvm ``Value``)."""
cimport cython
from cpython.object cimport PyTypeObject

from tvmgo._core.array_copy cimport copy_borrowed_tensor
from tvmgo._core.error cimport check
from tvmgo._core.owned_any cimport OwnedAny, set_object
from tvmgo._core.pack cimport pack_owned
from tvmgo._core.unpack cimport unpack_borrowed
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoSealType
from tvmgo.exceptions import TVMTypeError

# Type index -> (gotvm's type code, name shown in messages). What is missing is some other object.
cdef dict KINDS = {
    ffi.kTVMFFINone: (4, "None"),
    ffi.kTVMFFIInt: (0, "int"),
    ffi.kTVMFFIBool: (0, "bool"),  # the classic codes have no bool: it travelled as an int
    ffi.kTVMFFIFloat: (2, "float"),
    ffi.kTVMFFIOpaquePtr: (3, "pointer"),
    ffi.kTVMFFIDataType: (5, "dtype"),
    ffi.kTVMFFIDevice: (6, "device"),
    ffi.kTVMFFIRawStr: (11, "str"),
    ffi.kTVMFFISmallStr: (11, "str"),
    ffi.kTVMFFIStr: (11, "str"),
    ffi.kTVMFFIByteArrayPtr: (12, "bytes"),
    ffi.kTVMFFISmallBytes: (12, "bytes"),
    ffi.kTVMFFIBytes: (12, "bytes"),
    ffi.kTVMFFITensor: (7, "array"),  # 13 only marked who had made it
    ffi.kTVMFFIFunction: (10, "function"),
    ffi.kTVMFFIModule: (9, "module"),
    ffi.kTVMFFIShape: (8, "shape"),
    ffi.kTVMFFIArray: (8, "list"),
    ffi.kTVMFFIList: (8, "list"),
    ffi.kTVMFFIMap: (8, "dict"),
    ffi.kTVMFFIDict: (8, "dict"),
    ffi.kTVMFFIBigInt: (8, "big int"),
}
cdef tuple OTHER_OBJECT = (8, "object")

# What the functions below pass instead of a value; nobody else has it.
cdef object BLANK = object()


@cython.final
cdef class Value(OwnedAny):
    """A value of the runtime that knows its type.

    Returned by `Function.invoke` and given to callbacks made with ``values=True``. Holds its own
    copy or reference: it stays valid after the call it came from, and passing it on leaves it as
    it is.

    Parameters
    ----------
    x : object
        Anything that can be passed to a function.

    Raises
    ------
    TypeError
        If `x` cannot be passed to a function.

    Notes
    -----
    Source: ``TVMFFIAny``; gotvm ``Value``. The ``as_`` methods check the type, which gotvm's did
    not.
    """

    def __cinit__(self, *args):
        # Not in __init__, which could run again and pull the value away from under a call.
        if len(args) == 1 and args[0] is not BLANK:
            pack_owned(args[0], &self.c_any)

    def __init__(self, x):
        pass  # checks the number of arguments, where OwnedAny's would refuse them all

    @property
    def type_code(self):
        """The type as a number of the classic API.

        0 int (and bool), 2 float, 3 handle, 4 null, 5 data type, 6 device, 7 array, 8 other
        object, 9 module, 10 function, 11 str, 12 bytes.
        """
        return kind_of(self)[0]

    def to_python(self):
        """Return the value as the Python object a plain call would return."""
        return unpack_borrowed(&self.c_any)

    def as_int64(self):
        """Return the int, or a bool as 0 or 1. TypeError if it is neither. gotvm ``AsInt64``."""
        if self.c_any.type_index not in (ffi.kTVMFFIInt, ffi.kTVMFFIBool):
            raise mismatch(self, "an int")
        return self.c_any.v_int64

    def as_float64(self):
        """Return the float. TypeError for any other type, ints too. gotvm ``AsFloat64``."""
        if self.c_any.type_index != ffi.kTVMFFIFloat:
            raise mismatch(self, "a float")
        return self.c_any.v_float64

    def as_str(self):
        """Return the str. TypeError if it is none. gotvm ``AsStr``."""
        return read_as(self, 11, "a str")

    def as_bytes(self):
        """Return the bytes, a copy. TypeError if it is none. gotvm ``AsBytes``."""
        return read_as(self, 12, "bytes")

    def as_function(self):
        """Return the `Function`. TypeError if it is none. gotvm ``AsFunction``."""
        return read_as(self, 10, "a function")

    def as_module(self):
        """Return the `Module`. TypeError if it is none. gotvm ``AsModule``."""
        return read_as(self, 9, "a module")

    def as_array(self):
        """Return the `Array`. TypeError if it is none."""
        return read_as(self, 7, "an array")

    def __eq__(self, other):
        if not isinstance(other, Value):
            return NotImplemented
        return (kind_of(self) == kind_of(<Value>other)
                and self.to_python() == other.to_python())

    __hash__ = None

    def __repr__(self):
        return f"tvmgo.Value({self.to_python()!r})"


TVMGoSealType(<PyTypeObject*>Value)
TVMGoNameType(<PyTypeObject*>Value, b"tvmgo.Value")


cdef tuple kind_of(Value self):
    return KINDS.get(self.c_any.type_index, OTHER_OBJECT)


cdef str kind_name(const TVMFFIAny* any):
    return KINDS.get(any.type_index, OTHER_OBJECT)[1]


cdef object mismatch(Value self, str expected):
    return TVMTypeError(f"expected {expected}, but the value is of type {kind_of(self)[1]}")


cdef object read_as(Value self, int type_code, str expected):
    if kind_of(self)[0] != type_code:
        raise mismatch(self, expected)
    return unpack_borrowed(&self.c_any)


cdef Value value_from_borrowed(const TVMFFIAny* any):
    cdef Value self = Value.__new__(Value, BLANK)
    if any.type_index == ffi.kTVMFFIDLTensorPtr:  # as unpack does: a copy cannot dangle
        set_object(&self.c_any, copy_borrowed_tensor(<ffi.DLTensor*>any.v_ptr))
    else:
        check(ffi.TVMFFIAnyViewToOwnedAny(any, &self.c_any))
    return self


cdef Value value_from_owned(TVMFFIAny* any):
    cdef Value self = Value.__new__(Value, BLANK)
    self.c_any = any[0]
    any.type_index = ffi.kTVMFFINone
    return self
