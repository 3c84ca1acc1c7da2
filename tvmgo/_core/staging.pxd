# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t

from tvmgo._core.native_call cimport Entry
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType

# Call a compiled function, handing it aligned, compact copies of the tensors among `c_args` that
# are not kernel-ready. `c_args` stay as they are. The copies are made without the GIL, unless the
# function keeps it.
cdef int call_staged(const Entry* entry, const TVMFFIAny* c_args, int32_t count,
                     TVMFFIAny* result) except -1

# Let such calls go through `call`, a TVMGoCallWithCopies.
cdef void use_call_with_copies(TVMFFISafeCallType call) noexcept
