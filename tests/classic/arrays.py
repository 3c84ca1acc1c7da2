# SPDX-License-Identifier: Apache-2.0
"""Arrays and errors as tests of calls to classic functions need them."""

import ctypes

import numpy as np

# What `tensor_fact` of sources/every.c can be asked for.
NDIM, CODE, BITS, LANES, STRIDES, OFFSET, ADDRESS, DEVICE_TYPE, DEVICE_ID, FIRST = range(10)


def aligned(values, offset=0, dtype="float32"):
    """A NumPy array whose data lies `offset` bytes after a 64-byte boundary."""
    values = np.asarray(values, dtype)
    memory = np.zeros(values.nbytes + 128, "uint8")
    start = -memory.ctypes.data % 64 + offset
    view = memory[start : start + values.nbytes].view(dtype).reshape(values.shape)
    view[...] = values
    return view


class OffsetExporter:
    """16 numbers of an array, described by DLPack as its memory and an offset in bytes."""

    def __init__(self, array, offset):
        self.array, self.offset = array, offset

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **options):
        capsule = self.array[:16].__dlpack__()
        get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
        get_pointer.restype = ctypes.c_void_p
        get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        byte_offset = get_pointer(capsule, b"dltensor") + 40
        ctypes.c_uint64.from_address(byte_offset).value = self.offset
        return capsule


def raised(function, *args):
    """What the call raises, without the traceback, whose frames would keep objects alive."""
    try:
        function(*args)
    except Exception as error:
        error.__traceback__ = None
        return error
    raise AssertionError("nothing was raised")
