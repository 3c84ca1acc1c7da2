# SPDX-License-Identifier: Apache-2.0
"""The blob of parameters, ``deploy.params``.

All numbers are little-endian: u64 list magic, u64 reserved, u64 count, the names (u64 length,
bytes), u64 count, then the tensors: u64 tensor magic, u64 reserved, i32 device type and id, i32
ndim, u8 type code, u8 bits, u16 lanes, i64 shape, i64 nbytes, the data in C order. TVM has written
this since 0.2.

Kernels read tensors at multiples of 64 bytes, and the format knows no gaps. So before a large tensor
another one is written, of a name that no graph has, which every executor passes over: it is as long
as it takes for the large one to lie where kernels can read it in a file that is mapped.
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


PADDING = "tvmgo_padding_"  # see ParamsOf in cxx/register.cc
ALIGNMENT = 64  # see capi/kernel_rules.h
WORTH_ALIGNING = 16 << 10  # bytes; of smaller ones every executor may have a copy


def write_params(write: Callable[[bytes], object], params: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a blob that ``load_params`` of every executor reads.

    Parameters
    ----------
    write : callable
        Gets the blob tensor by tensor, so that memory holds at most one copy of one of them.
    params : mapping of str to numpy.ndarray
        In this order.
    """
    names: list[str] = []
    for name, value in params.items():
        if value.nbytes >= WORTH_ALIGNING:
            names.append(f"{PADDING}{len(names)}")
        names.append(name)
    texts = [name.encode() for name in names]
    write(struct.pack("<QQQ", LIST_MAGIC, RESERVED, len(names)))
    for text in texts:
        write(struct.pack("<Q", len(text)) + text)
    write(struct.pack("<Q", len(names)))
    position = 4 * 8 + sum(8 + len(text) for text in texts)
    for value in params.values():
        header = tensor_header(value)
        if value.nbytes >= WORTH_ALIGNING:
            padding = np.zeros(1, "uint8")
            start = position + len(tensor_header(padding)) + len(header)
            padding = np.zeros(ALIGNMENT - start % ALIGNMENT, "uint8")
            write(tensor_header(padding) + padding.tobytes())
            position += len(tensor_header(padding)) + padding.nbytes
        write(header)
        write(value.tobytes())
        position += len(header) + value.nbytes


def tensor_header(value: np.ndarray) -> bytes:
    """Return what stands before the data of a tensor; its length depends on the dimensions only."""
    code, element_bytes = ELEMENT_TYPES[value.dtype.name]
    return (
        struct.pack("<QQii", TENSOR_MAGIC, RESERVED, CPU_DEVICE_TYPE, DEVICE_ID)
        + struct.pack("<iBBH", value.ndim, code, 8 * element_bytes, LANES)
        + struct.pack(f"<{value.ndim}qq", *value.shape, value.nbytes)
    )
