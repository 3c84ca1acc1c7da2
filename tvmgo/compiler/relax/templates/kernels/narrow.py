# SPDX-License-Identifier: Apache-2.0
"""Products with weights of few bits, which become float32 in registers.

What waits for memory takes less of it: of a single row the weights are read once. They are scaled
before they are multiplied; of a single row, whose weights nobody else needs, the sums of a block are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.narrow import COLUMNS, Narrow
from tvmgo.compiler.relax.templates.kernels.contraction import nest
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    lanes_at,
    size_of,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.matmul import each, parts
from tvmgo.compiler.relax.templates.kernels.packing import place_of
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.tiles import choose_tiling
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL

LOOK_UP = "llvm.x86.avx512.permvar.sf.512"


def fits(rows: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether sums, weights, what they are made of, and a value of the rows are in registers."""
    return rows * vectors + 2 * vectors + 2 <= unit.registers


class NarrowKernel:
    """Emits one product.

    Parameters
    ----------
    what : Narrow
    shapes : sequence of (sequence of int, str)
        Shapes and element types of the packed weights and, of integers, of scales and zero points.
    depth : int
        Rows of the matrix, filled up.
    epilogue : Epilogue
    unit : VectorUnit
    """

    def __init__(
        self,
        what: Narrow,
        constants: Sequence[tuple[Sequence[int], str]],
        depth: int,
        epilogue: Epilogue,
        unit: VectorUnit,
    ) -> None:
        self.what, self.constants, self.depth = what, constants, depth
        self.epilogue = epilogue
        self.rows = size_of(epilogue.shape[:-1])
        self.lanes = min(unit.lanes, COLUMNS)
        self.vectors = -(-what.columns // self.lanes)
        self.used = what.columns - (self.vectors - 1) * self.lanes
        self.block = what.block or depth
        self.tiling = choose_tiling(self.rows, self.vectors, unit, fits)

    def emit(self, name: str, x_shape: Sequence[int], dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, the constants, operands, and the result."""
        names = ("weights", "scales", "zeros")
        specs = [(label, *spec) for label, spec in zip(names, self.constants)]
        first = 1 + len(specs)
        epilogue = self.epilogue
        with Kernel(name, epilogue.in_place(first), epilogue.extends(first)) as kernel:
            self.x, *others = kernel.tensors(
                [("x", x_shape, dtype), *specs, *epilogue.parameters()]
            )
            self.weights = others[0]
            self.scales = others[1] if len(specs) > 1 else None
            self.zeros = others[2] if len(specs) > 2 else None
            self.results = Results.of(epilogue, others[len(specs) :])
            products = self.rows * self.what.columns * self.depth
            tall = parts(self.rows, self.tiling.rows)

            def all_rows(first: Any, vectors: int) -> None:
                each(tall, lambda row, rows: self.tile(row, rows, first, vectors))

            each(
                self.panels(), all_rows, products * (2 if self.rows == 1 else 1) >= FEWEST_PARALLEL
            )
        return explained(kernel.function, "narrow product", 2 * products, str(self.tiling))

    def panels(self) -> list[tuple[Any, int, int]]:
        """Cut the vectors into panels; the last of all is alone if it is incomplete."""
        found = parts(self.vectors, self.tiling.vectors)
        *others, (start, size, count) = found
        if self.used == self.lanes or count == 1:
            return found
        return [*others, (start, size, count - 1), (start + size * (count - 1), size, 1)]

    def tile(self, row: Any, rows: int, first: Any, vectors: int) -> None:
        lanes = self.lanes
        self.groups = [place_of(first + i, lanes, COLUMNS) for i in range(vectors)]
        nothing = broadcast(zero("float32"), lanes)
        sums = [
            [Accumulator(nothing, "float32", lanes) for _ in range(vectors)] for _ in range(rows)
        ]
        blocks = self.depth // self.block
        if self.what.kind == "integer" and rows == 1:
            nest((blocks,), lambda block: self.scaled_sums(sums[0], row, block))
        else:
            nest((blocks,), lambda block: self.scaled_weights(sums, row, block))
        used = [lanes] * vectors
        if isinstance(first, int) and first + vectors == self.vectors:
            used[-1] = self.used
        values = [[total.value for total in some] for some in sums]
        self.results.put(values, row, first * lanes, lanes, used)

    def scaled_sums(self, sums: Sequence[Accumulator], row: Any, block: Any) -> None:
        """Add a block of one row: its sums by the scales, less what zero points have added."""
        lanes = self.lanes
        nothing = broadcast(zero("float32"), lanes)
        totals = [Accumulator(nothing, "float32", lanes) for _ in sums]
        values = Accumulator(nothing, "float32", lanes)

        def step(at: Any, weights: Sequence[Any]) -> None:
            value = self.value(row, at)
            values.set(values.value + value)
            for total, weight in zip(totals, weights):
                total.set(total.value + value * weight)

        self.each_step(block, step)
        of_values = T.bind(values.value)
        for i, (result, total) in enumerate(zip(sums, totals)):
            moved = total.value - of_values * self.zero_of(i, block)
            result.set(result.value + moved * self.read(self.scales, i, block))

    def scaled_weights(self, sums: Sequence[Sequence[Accumulator]], row: Any, block: Any) -> None:
        """Add a block of some rows."""
        scales: list[Any] = []
        offsets: list[Any] = []
        if self.what.kind == "integer":
            for i in range(len(sums[0])):
                scales.append(T.bind(self.read(self.scales, i, block)))
                offsets.append(T.bind(self.zero_of(i, block) * scales[i]))

        def step(at: Any, weights: Sequence[Any]) -> None:
            if scales:
                weights = [
                    T.bind(weight * scale - offset)
                    for weight, scale, offset in zip(weights, scales, offsets)
                ]
            for i, totals in enumerate(sums):
                value = self.value(row + i, at)
                for total, weight in zip(totals, weights):
                    total.set(total.value + value * weight)

        self.each_step(block, step)

    def each_step(self, block: Any, body: Any) -> None:
        """Emit a body for each row of the matrix in a block, given its number and its weights."""
        what, count = self.what, self.block // self.what.steps

        def element(number: Any) -> None:
            place = block * count + number
            elements = [T.bind(self.read(self.weights, i, place)) for i in range(len(self.groups))]
            for step in range(what.steps):
                weights = [T.bind(self.float_of(element, step)) for element in elements]
                body(place * what.steps + step, weights)

        nest((count,), element)

    def float_of(self, element: Any, step: int) -> Any:
        """Return the weight that is in an element."""
        lanes, what = self.lanes, self.what
        wide = "float32" if lanes == 1 else f"float32x{lanes}"
        if what.kind == "float16":
            return tirx.Cast(wide, element)
        integers = wide.replace("float", "int")
        if what.kind == "bfloat16":
            bits = tirx.Cast(integers, element) << broadcast(tirx.const(16, "int32"), lanes)
            return T.reinterpret(wide, bits)
        shifted = element >> broadcast(tirx.const(what.bits * step, "int32"), lanes)
        if lanes == 16 and what.bits <= 4:  # a table's place is told by the last four bits
            numbers = [tirx.const(float(i % (1 << what.bits)), "float32") for i in range(16)]
            table = tirx.Shuffle(numbers, list(range(16)))
            return T.call_llvm_pure_intrin(wide, LOOK_UP, table, shifted)
        mask = broadcast(tirx.const((1 << what.bits) - 1, "int32"), lanes)
        return tirx.Cast(wide, shifted & mask)

    def read(self, tensor: Any, i: int, row: Any) -> Any:
        """Return a row of the vector `i` of a tensor in groups of columns."""
        group, within = self.groups[i]
        rows = self.depth // (self.what.steps if tensor is self.weights else self.block)
        return tensor[lanes_at((group * rows + row) * COLUMNS + within, self.lanes)]

    def zero_of(self, i: int, block: Any) -> Any:
        if self.zeros is None:
            return broadcast(tirx.const(float(self.what.zero), "float32"), self.lanes)
        return tirx.Cast(f"float32x{self.lanes}", self.read(self.zeros, i, block))

    def value(self, row: Any, at: Any) -> Any:
        value = self.x[row * self.depth + at]
        if self.x.dtype != "float32":
            value = tirx.Cast("float32", value)
        return T.bind(broadcast(value, self.lanes))
