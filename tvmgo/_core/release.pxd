# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.gil cimport TVMGoHoldsGil

# Gives back what an object of the runtime holds; needs the GIL, which Cython is not told.
ctypedef void (*Deleter)(void* self, int flags) noexcept nogil

cdef void release_without_gil(void* self, int flags, Deleter deleter) noexcept nogil


cdef inline void release(void* self, int flags, Deleter deleter) noexcept nogil:
    """Call a deleter with the GIL; not if Python ends or has ended."""
    if TVMGoHoldsGil():  # as nearly always
        deleter(self, flags)
    else:
        release_without_gil(self, flags, deleter)
