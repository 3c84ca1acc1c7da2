# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t

from tvmgo._core.native_call cimport Entry
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType

# Call a compiled function, handing it aligned, compact copies of the tensors among `c_args` that
# are not kernel-ready. `c_args` stay as they are. The copies are made without the GIL, unless the
# function keeps it.
cdef int call_staged(const Entry* entry, const TVMFFIAny* c_args, int32_t count,
                     TVMFFIAny* result) except -1

# Call a function that may keep its arguments, entered by `call` with `self`: it gets copies of the
# tensors in host memory that are nobody's object, and what it changed in them is written back when
# it has succeeded. The exception, if any, is the runtime's raised error.
cdef int call_with_owned(TVMFFISafeCallType call, void* self, const TVMFFIAny* c_args,
                         int32_t count, TVMFFIAny* result) noexcept nogil

# Let such calls go through these: TVMGoCallWithCopies, TVMGoCallWithOwned.
cdef void use_calls_with_copies(TVMFFISafeCallType copies, TVMFFISafeCallType owned) noexcept
