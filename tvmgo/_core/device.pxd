# SPDX-License-Identifier: Apache-2.0
from tvmgo.capi.dlpack cimport DLDevice
from tvmgo.capi.kernel_rules cimport TVMGoIsHost


cdef class Device:
    cdef DLDevice c_device


# What the layer `device_api` offers for devices other than the host: exists(device), sync(device),
# alloc(shape, dtype, device), copy(source, target), require(device). There once tvmgo is imported.
cdef object device_api

cdef Device wrap_device(DLDevice c_device)

# The device `x` names: a Device, a string such as "cpu:0", or anything with __dlpack_device__.
cdef DLDevice device_of(object x) except *

cdef str device_name(DLDevice c_device)

# Memory the processor can address directly.
cdef inline bint is_host(DLDevice c_device) noexcept nogil:
    return TVMGoIsHost(c_device)
