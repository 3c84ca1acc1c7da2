# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t
from tvmgo.capi cimport ffi


cdef class Object:
    cdef void* c_handle         # owned: one strong reference
    cdef int c_trait            # what the type's module has found out about the object; 0: nothing
    cdef object __weakref__


# The part of a runtime object that follows its common header. Borrowed.
cdef inline void* cell(void* c_handle) noexcept nogil:
    return <char*>c_handle + sizeof(ffi.TVMFFIObject)


cdef inline int32_t type_index(void* c_handle) noexcept nogil:
    return (<ffi.TVMFFIObject*>c_handle).type_index


# One reference more to the object, for whoever gets the result.
cdef inline void* share(void* c_handle) noexcept nogil:
    ffi.TVMFFIObjectIncRef(c_handle)
    return c_handle


# Give one reference back. With the last one goes the object, whose deleter may run foreign code.
cdef inline void drop(void* c_handle) noexcept nogil:
    ffi.TVMFFIObjectDecRef(c_handle)


# Whether nobody but the caller holds the object. A stale answer is possible only if others do.
cdef inline bint is_last_reference(void* c_handle) noexcept nogil:
    # The strong count is the lower half of the word.
    return <int32_t>((<ffi.TVMFFIObject*>c_handle).combined_ref_count) == 1


# How many resources Python keeps alive for the runtime, see `live_objects`.
cdef struct Live:
    Py_ssize_t handles
    Py_ssize_t callbacks
    Py_ssize_t buffers

cdef Live live


# Count resources that have come (`change` above 0) or gone. With the GIL.
cdef inline void count_handles(Py_ssize_t change) noexcept:
    live.handles += change


cdef inline void count_callbacks(Py_ssize_t change) noexcept:
    live.callbacks += change


cdef inline void count_buffers(Py_ssize_t change) noexcept:
    live.buffers += change


# Fill the empty wrapper `self` with a reference, which is taken over from the caller.
cdef inline void adopt_owned(Object self, void* c_handle) noexcept:
    self.c_handle = c_handle
    count_handles(1)

# tvm_ffi's wrapper around the same object, for `__tvm_ffi_object__`.
cdef object to_tvm_ffi(Object self)

# A plain Object around any runtime object. Takes the reference over.
cdef Object wrap_owned(void* c_handle)
