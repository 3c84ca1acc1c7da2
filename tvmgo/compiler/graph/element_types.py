# SPDX-License-Identifier: Apache-2.0
"""Element types as the deploy files encode them, and the device that they name."""

from __future__ import annotations

from typing import NamedTuple

CPU_DEVICE_TYPE = 1  # DLDeviceType kDLCPU


class ElementType(NamedTuple):
    """DLPack's type code and the bytes of one element."""

    code: int
    nbytes: int


# Every element type a graph can name. Types that share bytes (int4) have no place in it.
ELEMENT_TYPES = {
    "bool": ElementType(6, 1),
    **{f"int{bits}": ElementType(0, bits // 8) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": ElementType(1, bits // 8) for bits in (8, 16, 32, 64)},
    **{f"float{bits}": ElementType(2, bits // 8) for bits in (16, 32, 64)},
    "bfloat16": ElementType(4, 2),
    "float8_e3m4": ElementType(7, 1),
    "float8_e4m3": ElementType(8, 1),
    "float8_e4m3b11fnuz": ElementType(9, 1),
    "float8_e4m3fn": ElementType(10, 1),
    "float8_e4m3fnuz": ElementType(11, 1),
    "float8_e5m2": ElementType(12, 1),
    "float8_e5m2fnuz": ElementType(13, 1),
    "float8_e8m0fnu": ElementType(14, 1),
}
