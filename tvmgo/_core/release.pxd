# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.gil cimport TVMGoGil

cdef bint begin_release(TVMGoGil* gil) noexcept nogil
cdef void end_release(TVMGoGil gil) noexcept nogil
