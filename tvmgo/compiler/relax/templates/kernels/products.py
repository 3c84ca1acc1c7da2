# SPDX-License-Identifier: Apache-2.0
"""How a tile multiplies: numbers one by one, or bytes by four."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import broadcast, lanes_at
from tvmgo.compiler.relax.templates.kernels.tiles import fits
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# By lanes of the sum. The first takes unsigned bytes times signed ones, all four products at once;
# the second pairs of 16 bits. (What multiplies pairs of bytes, vpmaddubsw, saturates.)
DOT_BYTES = {n: f"llvm.x86.avx512.vpdpbusd.{32 * n}" for n in (4, 8, 16)}
DOT_PAIRS = {
    4: "llvm.x86.sse2.pmadd.wd",
    8: "llvm.x86.avx2.pmadd.wd",
    16: "llvm.x86.avx512.pmaddw.d.512",
}


class Products:
    """Each step of a sum takes one number of a row, and adds its products with the weights."""

    starts = False  # whether sums begin at a tensor instead of at 0
    passes = 1  # over all values, with other weights in each

    def fits(self, rows: int, vectors: int, unit: VectorUnit) -> bool:
        """Whether a tile is in registers."""
        return fits(rows, vectors, unit)

    def weight(self, vector: Any, lanes: int) -> Any:
        return T.bind(vector)

    def value(self, values: tirx.Buffer, index: Any, dtype: str, lanes: int) -> Any:
        value = values[index]
        if values.dtype != dtype:
            value = tirx.Cast(dtype, value)
        return T.bind(broadcast(value, lanes))

    def add(self, total: Any, value: Any, weight: Any, lanes: int) -> Any:
        return total + value * weight


@dataclass
class DotProducts(Products):
    """Each step takes four bytes of a row, and adds the sum of their products with four weights.

    Attributes
    ----------
    unit : VectorUnit
    signed : bool
        Whether the values are int8; 128 is added to them then. Weights always are int8.
    passes : int
        Each has weights of its own, which add up: those of nine bits are two of eight.
    """

    unit: VectorUnit
    signed: bool
    passes: int = 1

    starts = True

    def kind(self, lanes: int) -> dict[int, str]:
        """Return the instructions to use, which may be none."""
        for name, table in (("vpdpbusd", DOT_BYTES), ("pmaddwd", DOT_PAIRS)):
            if name in self.unit.dots and lanes in table:
                return table
        return {}

    def fits(self, rows: int, vectors: int, unit: VectorUnit) -> bool:
        """Whether a tile is in registers; where pairs are multiplied, all is there in two parts."""
        if self.kind(unit.lanes) is DOT_BYTES:
            return fits(rows, vectors, unit)
        return rows * vectors + 2 * vectors + 3 <= unit.registers

    def weight(self, vector: Any, lanes: int) -> Any:
        vector = T.bind(vector)
        if self.kind(lanes) is DOT_BYTES:
            return T.reinterpret(f"int8x{4 * lanes}", vector)
        if self.kind(lanes) is DOT_PAIRS:
            return halves(vector, lanes)
        return quarters(vector, lanes)

    def value(self, values: tirx.Buffer, index: Any, dtype: str, lanes: int) -> Any:
        four = T.reinterpret("int32", values[lanes_at(index * 4, 4)])
        if (
            self.signed
        ):  # before the broadcast: behind it, LLVM never ends where there is AVX512-VBMI
            four = four ^ tirx.const(-0x7F7F7F80, "int32")
        four = T.bind(broadcast(four, lanes))
        if self.kind(lanes) is DOT_BYTES:
            return T.reinterpret(f"uint8x{4 * lanes}", four)
        low = broadcast(tirx.const(0xFF, "int32"), lanes)
        if self.kind(lanes) is DOT_PAIRS:
            mask = broadcast(tirx.const(0xFF00FF, "int32"), lanes)
            eight = broadcast(tirx.const(8, "int32"), lanes)
            pairs = f"int16x{2 * lanes}"
            return [
                T.bind(T.reinterpret(pairs, four & mask)),
                T.bind(T.reinterpret(pairs, (four >> eight) & mask)),
            ]
        return [
            T.bind((four >> broadcast(tirx.const(8 * i, "int32"), lanes)) & low) for i in range(4)
        ]

    def add(self, total: Any, value: Any, weight: Any, lanes: int) -> Any:
        dtype = "int32" if lanes == 1 else f"int32x{lanes}"
        table = self.kind(lanes)
        if table is DOT_BYTES:
            return T.call_llvm_pure_intrin(dtype, table[lanes], total, value, weight)
        for one, other in zip(value, weight):
            if table is DOT_PAIRS:
                total = total + T.call_llvm_pure_intrin(dtype, table[lanes], one, other)
            else:
                total = total + one * other
        return total


ONE_BY_ONE = Products()


def halves(vector: Any, lanes: int) -> list[Any]:
    """Return the even and the odd bytes of a vector of int32, each as int16."""
    pairs = f"int16x{2 * lanes}"
    eight = broadcast(tirx.const(8, "int16"), 2 * lanes)
    both = T.bind(T.reinterpret(pairs, vector))
    return [T.bind((both << eight) >> eight), T.bind(both >> eight)]


def quarters(vector: Any, lanes: int) -> list[Any]:
    """Return the four bytes of each int32, lowest first, with their signs."""
    top = broadcast(tirx.const(24, "int32"), lanes)
    return [
        T.bind((vector << broadcast(tirx.const(24 - 8 * i, "int32"), lanes)) >> top)
        for i in range(4)
    ]
