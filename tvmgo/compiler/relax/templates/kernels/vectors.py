# SPDX-License-Identifier: Apache-2.0
"""The vectors of a processor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tvm
from tvm.target import codegen


@dataclass(frozen=True)
class VectorUnit:
    """What templates need to know of a processor.

    Attributes
    ----------
    lanes : int
        Elements of 32 bits in a vector.
    registers : int
        Vectors that the registers hold.
    fused : bool
        Whether a product is added in one instruction, without a register between.
    dots : tuple of str
        Instructions that add up products of neighbours, whatever the width of the vectors.
    """

    lanes: int
    registers: int
    fused: bool
    dots: tuple[str, ...] = ()


AVX512 = VectorUnit(16, 32, True, ("pmaddwd",))
AVX2 = VectorUnit(8, 16, True, ("pmaddwd",))
SSE = VectorUnit(4, 16, False, ("pmaddwd",))  # every x86-64
NEON = VectorUnit(4, 32, True)

# By the features of an x86 processor that they need, the best first.
LEVELS = (
    (("avx512f", "avx512bw", "avx512dq", "avx512vl"), AVX512),
    (("avx2", "fma"), AVX2),
)

# What multiplies bytes has a name of its own for each width of vectors.
DOT_FEATURES = {AVX512: "avx512vnni", AVX2: "avxvnni"}


def vector_unit(target: tvm.target.Target) -> VectorUnit:
    """Return the vectors that every processor of a target has."""
    triple = str(target.attrs.get("mtriple", "")) or codegen.llvm_get_system_triple()
    if not triple.startswith(("x86_64", "i386", "i686")):
        return NEON if triple.startswith(("aarch64", "arm64")) else SSE
    for features, unit in LEVELS:
        if all(codegen.llvm_cpu_has_features(feature, target) for feature in features):
            if codegen.llvm_cpu_has_features(DOT_FEATURES[unit], target):
                return replace(unit, dots=("vpdpbusd", *unit.dots))
            return unit
    return SSE
