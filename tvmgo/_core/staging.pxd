# SPDX-License-Identifier: Apache-2.0
from libc.stdint cimport int32_t

from tvmgo._core.native_call cimport Entry
from tvmgo.capi.ffi cimport TVMFFIAny

# Call a compiled function, handing it aligned, compact copies of the tensors among `cells` that
# are not kernel-ready.
cdef int call_staged(const Entry* entry, TVMFFIAny* cells, int32_t count,
                     TVMFFIAny* result) except -1
