# SPDX-License-Identifier: Apache-2.0
"""How a tile multiplies: numbers one by one, or bytes by four."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import broadcast, lanes_at, loop
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

    def prepare(self, x: tirx.Buffer, lanes: int, parallel: bool) -> tirx.Buffer:
        """Return a tensor as `value` reads it."""
        return x

    def at_once(self, lanes: int) -> int:
        """Return how many of the passes are one."""
        return 1

    def weight(self, vectors: Sequence[Any], lanes: int) -> Any:
        """Return the weights of a step, which are the sum of those of passes at once."""
        (vector,) = vectors
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

    def prepare(self, x: tirx.Buffer, lanes: int, parallel: bool) -> tirx.Buffer:
        """Write all pairs to memory, the even bytes first: each is read for many sums."""
        if self.kind(lanes) is not DOT_PAIRS:
            return x
        count, width = int(x.shape[0]) // 4, self.unit.lanes
        pairs = T.alloc_buffer((2 * count,), "int32", scope="global")

        def write(at: Any, lanes: int) -> None:
            dtype = "int32" if lanes == 1 else f"int32x{lanes}"
            four = self.unsigned(T.reinterpret(dtype, x[lanes_at(at * 4, 4 * lanes)]), lanes)
            mask, eight = (broadcast(tirx.const(each, "int32"), lanes) for each in (0xFF00FF, 8))
            T.buffer_store(pairs, four & mask, [lanes_at(at, lanes)])
            T.buffer_store(pairs, (four >> eight) & mask, [lanes_at(count + at, lanes)])

        whole, rest = divmod(count, width)
        if whole:
            loop(whole, lambda i: write(i * width, width), parallel)
        if rest:
            loop(rest, lambda i: write(whole * width + i, 1))
        return pairs

    def unsigned(self, four: Any, lanes: int) -> Any:
        return four ^ broadcast(tirx.const(-0x7F7F7F80, "int32"), lanes) if self.signed else four

    def at_once(self, lanes: int) -> int:
        """Where bytes are not multiplied as such, weights may have nine bits."""
        return 1 if self.kind(lanes) is DOT_BYTES else self.passes

    def weight(self, vectors: Sequence[Any], lanes: int) -> Any:
        vectors = [T.bind(vector) for vector in vectors]
        if self.kind(lanes) is DOT_BYTES:
            return T.reinterpret(f"int8x{4 * lanes}", vectors[0])
        parts = halves if self.kind(lanes) is DOT_PAIRS else quarters
        alike = zip(*(parts(vector, lanes) for vector in vectors))
        return [T.bind(functools.reduce(operator.add, each)) for each in alike]

    def value(self, values: tirx.Buffer, index: Any, dtype: str, lanes: int) -> Any:
        if self.kind(lanes) is DOT_PAIRS:
            odd = index + values.shape[0] // 2
            pairs = f"int16x{2 * lanes}"
            return [
                T.bind(T.reinterpret(pairs, broadcast(values[at], lanes))) for at in (index, odd)
            ]
        # Before the broadcast: behind it, LLVM never ends where there is AVX512-VBMI.
        four = self.unsigned(T.reinterpret("int32", values[lanes_at(index * 4, 4)]), 1)
        four = T.bind(broadcast(four, lanes))
        if self.kind(lanes) is DOT_BYTES:
            return T.reinterpret(f"uint8x{4 * lanes}", four)
        low = broadcast(tirx.const(0xFF, "int32"), lanes)
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
