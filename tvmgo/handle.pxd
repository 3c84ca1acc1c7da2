# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t
from tvmgo.capi cimport ffi


cdef class Object:
    cdef void* c_handle         # owned: one strong reference
    cdef object __weakref__


# The part of a runtime object that follows its common header. Borrowed.
cdef inline void* cell(void* c_handle) noexcept nogil:
    return <char*>c_handle + sizeof(ffi.TVMFFIObject)


cdef inline int32_t type_index(void* c_handle) noexcept nogil:
    return (<ffi.TVMFFIObject*>c_handle).type_index


# Whether nobody but the caller holds the object. A stale answer is possible only if others do.
cdef inline bint is_last_reference(void* c_handle) noexcept nogil:
    # The strong count is the lower half of the word.
    return <int32_t>((<ffi.TVMFFIObject*>c_handle).combined_ref_count) == 1


# Count one more resource that tvmgo keeps alive for the runtime, or (delta -1) one less.
# `kind` is an index into LIVE_KINDS. GIL held.
cdef enum:
    LIVE_HANDLE = 0
    LIVE_CALLBACK = 1
    LIVE_BUFFER = 2
    LIVE_COUNTERS = 3

cdef void count_live(int kind, int delta) noexcept

# Fill the empty wrapper `self` with a reference. `adopt_owned` takes the caller's reference
# over, `adopt_borrowed` adds one.
cdef void adopt_owned(Object self, void* c_handle) noexcept
cdef void adopt_borrowed(Object self, void* c_handle) noexcept

# A plain Object around any runtime object that has no room of its own. Takes the reference over.
cdef Object wrap_owned(void* c_handle)
