# SPDX-License-Identifier: Apache-2.0
from cpython.object cimport PyObject
from libc.stdint cimport int32_t

from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray


# Base of Value, here so that arguments of that type are known below it.
cdef class Cell:
    cdef TVMFFIAny c_any        # owned


# What one argument needs besides its cell while a call runs. The cell may borrow from the Python
# object, from `bytes_view` and from `owned`: it is good only while all three stay where they are.
cdef struct Packed:
    TVMFFIByteArray bytes_view  # what a byte-array argument points to
    void* owned                 # a runtime object made for this argument, or NULL

# Describe `arg` to the runtime. On failure there is nothing to give back.
cdef int pack(PyObject* arg, TVMFFIAny* any, Packed* packed) except -1

# The same for a value that outlives the call: `any` owns everything, nothing is borrowed.
cdef int pack_owned(object arg, TVMFFIAny* any) except -1

# A Python object for a value that stays the runtime's, and for one whose reference is taken over.
cdef object unpack_borrowed(const TVMFFIAny* any)
cdef object unpack_owned(TVMFFIAny* any)

cdef inline void clear(TVMFFIAny* any) noexcept nogil:
    any.type_index = ffi.kTVMFFINone
    any.zero_padding = 0
    any.v_int64 = 0

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

# A function libtvm_ffi itself registers, such as b"ffi.Array". Owned; keep it for ever.
cdef void* builtin_function(bytes name) except NULL
