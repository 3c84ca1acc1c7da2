# SPDX-License-Identifier: Apache-2.0
"""The blob of parameters, ``deploy.params``.

All numbers are little-endian: u64 list magic, u64 reserved, u64 count, the names (u64 length,
bytes), u64 count, then the tensors: u64 tensor magic, u64 reserved, i32 device type and id, i32
ndim, u8 type code, u8 bits, u16 lanes, i64 shape, i64 nbytes, the data in C order. TVM has written
this since 0.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import numpy as np

from tvmgo.compiler.graph.element_types import CPU_DEVICE_TYPE, ELEMENT_TYPES

LIST_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F
RESERVED = 0
DEVICE_ID = 0
LANES = 1


def write_params(write: Callable[[bytes], object], params: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a blob that ``load_params`` of every executor reads.

    Parameters
    ----------
    write : callable
        Gets the blob tensor by tensor, so that memory holds at most one copy of one of them.
    params : mapping of str to numpy.ndarray
        In this order.
    """
    write(struct.pack("<QQQ", LIST_MAGIC, RESERVED, len(params)))
    for name in params:
        text = name.encode()
        write(struct.pack("<Q", len(text)) + text)
    write(struct.pack("<Q", len(params)))
    for value in params.values():
        code, element_bytes = ELEMENT_TYPES[value.dtype.name]
        write(
            struct.pack("<QQii", TENSOR_MAGIC, RESERVED, CPU_DEVICE_TYPE, DEVICE_ID)
            + struct.pack("<iBBH", value.ndim, code, 8 * element_bytes, LANES)
            + struct.pack(f"<{value.ndim}qq", *value.shape, value.nbytes)
        )
        write(value.tobytes())
