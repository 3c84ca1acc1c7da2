# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport int32_t, int64_t

from tvmgo._core.array cimport Array, is_unfit_array
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo.capi.pylong cimport TVMGoSmallLong

# As macros on borrowed references: Cython would count each one it sees as an object.
cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    void Py_INCREF_ "Py_INCREF"(PyObject* x)
    PyTypeObject* TVMGoTypeOf "Py_TYPE"(PyObject* x)
    bint PyBytes_CheckExact(PyObject* x)
    double PyFloat_AS_DOUBLE(PyObject* x)
    bint PyFloat_CheckExact(PyObject* x)
    bint PyLong_CheckExact(PyObject* x)
    object PyLong_FromLongLong(long long x)
    bint PyUnicode_CheckExact(PyObject* x)


# Base of Value, here so that arguments of that type are known below it.
cdef class Cell:
    cdef TVMFFIAny c_any        # owned


# What one argument needs besides its cell while a call runs. The cell may borrow from the Python
# object, from `bytes_view` and from `owned`: it is good only while all three stay where they are.
cdef struct Packed:
    TVMFFIByteArray bytes_view  # what a byte-array argument points to
    void* owned                 # a runtime object made for this argument, or NULL

# What `pack` tells of the argument.
cdef enum:
    OWNS = 1                    # packed.owned is set
    NEEDS_COPY = 2              # a tensor that is_unfit for compiled kernels

# Describe `arg` to the runtime and return what is special about it. On failure there is nothing to
# give back. The types that hot calls have most are here, so that they become part of the
# caller's loop, and small enough for compilers to agree.
cdef inline int pack(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1:
    packed.owned = NULL
    if TVMGoTypeOf(arg) == <PyTypeObject*>Array:
        set_cell(any, ffi.kTVMFFITensor, <int64_t>(<Array>arg).c_handle)
        return NEEDS_COPY if is_unfit_array(<Array>arg) else 0
    set_cell(any, ffi.kTVMFFIInt, 0)
    if PyLong_CheckExact(arg) and TVMGoSmallLong(arg, &any.v_int64):
        return 0
    if PyFloat_CheckExact(arg):
        any.type_index = ffi.kTVMFFIFloat
        any.v_float64 = PyFloat_AS_DOUBLE(arg)
        return 0
    return pack_other(arg, any, packed)

cdef int pack_other(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1


# The same, without Cython's test of the result: for callers that see to failures themselves.
ctypedef int (*quiet_pack)(PyObject* arg, TVMFFIAny* any, Packed* packed) noexcept


# The same for a value that outlives the call: `any` owns everything, nothing is borrowed.
cdef int pack_owned(object arg, TVMFFIAny* any) except -1

ctypedef int (*quiet_pack_owned)(object arg, TVMFFIAny* any) noexcept


# A Python object for a value that stays the runtime's, and for one whose reference is taken over.
cdef inline object unpack_borrowed(const TVMFFIAny* any):
    if any.type_index == ffi.kTVMFFIInt:
        return PyLong_FromLongLong(any.v_int64)
    return None if any.type_index == ffi.kTVMFFINone else unpack_other_borrowed(any)

cdef inline object unpack_owned(TVMFFIAny* any):
    if any.type_index == ffi.kTVMFFINone:
        return None
    if any.type_index < ffi.kTVMFFIStaticObjectBegin:
        return unpack_borrowed(any)
    return unpack_object(any)

# The same for the caller of a vectorcall, as a reference of its own.
cdef inline PyObject* take(TVMFFIAny* any) except NULL:
    if any.type_index == ffi.kTVMFFINone:
        Py_INCREF_(Py_None)
        return Py_None
    return new_reference(unpack_owned(any))

cdef inline PyObject* new_reference(object x) noexcept:
    Py_INCREF_(<PyObject*>x)
    return <PyObject*>x

cdef object unpack_other_borrowed(const TVMFFIAny* any)
cdef object unpack_object(TVMFFIAny* any)

cdef inline void set_cell(TVMFFIAny* any, int32_t type_index, int64_t content) noexcept nogil:
    any.type_index = type_index
    any.zero_padding = 0
    any.v_int64 = content


cdef inline void clear(TVMFFIAny* any) noexcept nogil:
    set_cell(any, ffi.kTVMFFINone, 0)


cdef inline void set_object(TVMFFIAny* any, void* c_handle) noexcept nogil:
    any.type_index = (<ffi.TVMFFIObject*>c_handle).type_index
    any.v_ptr = c_handle

# Give the reference of an owned cell back and empty it.
cdef inline void release(TVMFFIAny* any) noexcept nogil:
    if any.type_index >= ffi.kTVMFFIStaticObjectBegin:
        ffi.TVMFFIObjectDecRef(any.v_ptr)
    any.type_index = ffi.kTVMFFINone

cdef extern from "Python.h":
    bint Py_EnterRecursiveCall(const char* where)
    void Py_LeaveRecursiveCall()


# Count one level of C recursion: what goes on without end must end in RecursionError, not in a full
# C stack.
cdef inline int enter_recursion(const char* where) except -1:
    if Py_EnterRecursiveCall(where):
        return -1  # the exception is set
    return 0


cdef inline void leave_recursion() noexcept:
    Py_LeaveRecursiveCall()


# Rooms above this one hook in here when they are imported: how to wrap an object of a static type
# (takes the reference over), and how to make one of a Python object (returns an owned reference).
ctypedef object (*wrapper)(void* c_handle)
ctypedef void* (*converter)(object x) except NULL

cdef void register_wrapper(int32_t type_index, wrapper wrap) noexcept
cdef void register_converter(str kind, converter convert) noexcept

# How to refuse a container of the runtime that nobody has looked into yet, see container.pyx.
ctypedef int (*container_check)(const TVMFFIAny* any) except -1
cdef void register_container_check(container_check check) noexcept

# A function libtvm_ffi itself registers, such as b"ffi.Array". Owned; keep it for ever.
cdef void* builtin_function(bytes name) except NULL

# UTF-8 in which surrogates stand for the bytes that came in as such, or TVMValueError.
cdef bytes utf8(str string)
