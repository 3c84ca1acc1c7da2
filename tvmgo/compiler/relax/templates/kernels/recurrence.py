# SPDX-License-Identifier: Apache-2.0
"""Recurrent networks: one kernel goes through all steps of a sequence.

What the inputs give is computed before, of all steps at once; here is what depends on the step
before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.cells import Product, States, Units
from tvmgo.compiler.relax.templates.kernels.contraction import AHEAD, Loops, Weights, sum_up
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    load,
    loop,
    store,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.matmul import each, parts, with_last_alone
from tvmgo.compiler.relax.templates.kernels.packing import block_of, place_of
from tvmgo.compiler.relax.templates.kernels.recurrent_tensors import DTYPE, Recurrence
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, cut, fits, step_cost
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL

# Products of a step from which all threads take part in each of them.
FEWEST_A_STEP = 250_000

# Sums of a single row: their weights need no registers, as each is used once.
MOST_SUMS = 9


def choose_recurrent_tiling(
    rows: int, vectors: int, gates: int, per_block: int, unit: VectorUnit
) -> Tiling:
    """Choose how many rows, and vectors of each gate, are summed up at once."""

    def cost(tall: int, wide: int) -> float:
        return sum(
            count * repeated * step_cost(height, width * gates)
            for width, count in cut(vectors, wide)
            for height, repeated in cut(rows, tall)
        )

    candidates = [
        Tiling(tall, wide)
        for wide in range(1, min(vectors, MOST_SUMS // gates) + 1)
        for tall in range(1, rows + 1)
        if (wide % per_block == 0 or per_block % wide == 0)
        and (tall == 1 or fits(tall, wide * gates, unit))
    ]
    return min(candidates, key=lambda tiling: cost(tiling.rows, tiling.vectors))


class RecurrenceKernel:
    """Emits one recurrent operator."""

    def __init__(self, what: Recurrence, unit: VectorUnit) -> None:
        self.what = what
        self.block = block_of(what.hidden)
        self.blocks = -(-what.hidden // self.block)
        self.lanes = min(unit.lanes, self.block)
        self.vectors = -(-what.hidden // self.lanes)
        self.tail = what.hidden - (self.vectors - 1) * self.lanes
        self.tilings = [
            choose_recurrent_tiling(
                *(what.batch, self.vectors, len(product.gates)), self.block // self.lanes, unit
            )
            for product in what.cell.products
        ]

    def emit(self, name: str) -> tirx.PrimFunc:
        """Return the kernel.

        Its parameters are what the inputs give, of shape `input_shape`; packed weights of each
        product of a step; those of `optional`; and the results: the series, the last states, and
        memory in which it works.
        """
        what, cell = self.what, self.what.cell
        weights = [
            (
                f"weights{i}",
                (what.directions, self.blocks, what.hidden, len(product.gates), self.block),
                DTYPE,
            )
            for i, product in enumerate(cell.products)
        ]
        optional = [(name, *what.optional_shape(name)) for name in what.optional]
        results = [(f"last{i}", what.state_shape, DTYPE) for i in range(cell.results)]
        with Kernel(name) as kernel:
            self.inputs, *tensors, self.memory = kernel.tensors(
                [
                    ("inputs", what.input_shape, DTYPE),
                    *weights,
                    *optional,
                    ("series", what.series_shape, DTYPE),
                    *results,
                    ("memory", what.memory_shape, DTYPE),
                ]
            )
            self.weights, tensors = tensors[: len(weights)], tensors[len(weights) :]
            self.optional, tensors = dict(zip(what.optional, tensors)), tensors[len(optional) :]
            self.series, *self.last = tensors
            self.body()
        steps = what.directions * what.steps
        operations = 2 * steps * what.batch * what.width * what.hidden
        return explained(kernel.function, "recurrence", operations, str(self.tilings[0]))

    def body(self) -> None:
        """Sequences are independent of one another, as are directions: threads share these."""
        what = self.what
        step = what.batch * what.width * what.hidden
        found = parts(what.batch, self.tilings[0].rows)
        whole = found[0][2]  # remaining rows have their own code
        if what.directions * whole > 1:
            parallel = what.directions * what.steps * step >= FEWEST_PARALLEL
            for start, size, count in found:

                def task(i: Any, start: int = start, size: int = size, count: int = count) -> None:
                    direction, place = (i // count, i % count) if count > 1 else (i, 0)
                    self.sequence(direction, start + place * size, size, False)

                total = what.directions * count
                loop(total, task, parallel and total > 1)
        else:
            self.sequence(0, 0, what.batch, step >= FEWEST_A_STEP)

    def sequence(self, direction: Any, first: Any, rows: int, parallel: bool) -> None:
        """Emit all steps of some rows; `parallel` says whether threads share each."""
        what = self.what
        slots = [0, *range(2, what.cell.results + 1)]
        loop(rows, lambda i: self.begin(direction, first + i, slots))

        def step(number: Any) -> None:
            for product in range(len(what.cell.products)):
                self.step(direction, first, rows, number, product, parallel)

        loop(what.steps, step)
        slots[0] = what.steps % 2
        loop(rows, lambda i: self.end(direction, first + i, slots))

    def length(self, row: Any) -> Any:
        """Return how many steps a row has."""
        lengths = self.optional.get("lengths")
        if lengths is None:
            return self.what.steps
        length = T.bind(lengths[row])
        return T.bind(tirx.Select(length < self.what.steps, length, self.what.steps))

    def begin(self, direction: Any, row: Any, slots: Sequence[int]) -> None:
        for slot, name in zip(slots, ("initial_h", "initial_c")):
            given = self.optional.get(name)
            source = self.what.state_at(direction, row)

            def value(unit: Any, used: int, given: Any = given, source: Any = source) -> Any:
                nothing = broadcast(zero(DTYPE), self.lanes)
                if given is None:
                    return nothing
                value = load(given, source + unit, self.lanes, used)
                length = self.length(row)
                if isinstance(length, int):
                    return value
                # As in ONNX Runtime, sequences that are empty have no state either.
                return tirx.Select(broadcast(length > 0, self.lanes), value, nothing)

            self.fill(self.memory, self.what.memory_at(direction, slot, row), value)

    def end(self, direction: Any, row: Any, slots: Sequence[int]) -> None:
        for slot, last in zip(slots, self.last):
            source = self.what.memory_at(direction, slot, row)

            def value(unit: Any, used: int, source: Any = source) -> Any:
                return load(self.memory, source + unit, self.lanes, used)

            self.fill(last, self.what.state_at(direction, row), value)

    def fill(self, buffer: tirx.Buffer, target: Any, value: Callable[[Any, int], Any]) -> None:
        def vector(number: Any, used: int) -> None:
            unit = number * self.lanes
            store(buffer, value(unit, used), target + unit, self.lanes, used)

        whole = self.vectors - (self.tail < self.lanes)
        if whole:
            loop(whole, lambda i: vector(i, self.lanes))
        if whole < self.vectors:
            vector(whole, self.tail)

    def step(
        self, direction: Any, first: Any, rows: int, number: Any, product: int, parallel: bool
    ) -> None:
        tiling = self.tilings[product]
        panels = parts(self.vectors, tiling.vectors)
        if self.tail < self.lanes:
            panels = with_last_alone(panels)

        def panel(start: Any, vectors: int) -> None:
            def tile(row: Any, count: int) -> None:
                Tile(self, direction, first + row, count, number, start, vectors).emit(product)

            each(parts(rows, tiling.rows), tile)

        each(panels, panel, parallel)


class Tile:
    """Some rows and vectors of units of a step."""

    def __init__(
        self,
        kernel: RecurrenceKernel,
        direction: Any,
        row: Any,
        rows: int,
        step: Any,
        first: Any,
        vectors: int,
    ) -> None:
        self.kernel, self.what = kernel, kernel.what
        self.direction, self.row, self.rows = direction, row, rows
        self.step, self.first, self.vectors = step, first, vectors
        self.lanes = kernel.lanes
        self.used = [self.lanes] * vectors
        if isinstance(first, int) and first + vectors == kernel.vectors:
            self.used[-1] = kernel.tail

    def emit(self, product: int) -> None:
        what = self.what.cell.products[product]
        gates = len(what.gates)
        sums = sum_up(
            Tiling(self.rows, gates * self.vectors),
            self.lanes,
            self.kernel.memory,
            self.weights(product, gates),
            [self.loops(what)],
        )
        for i, totals in enumerate(sums):
            row = self.row + i
            step, valid = self.place(row)
            for j in range(self.vectors):
                own = {gate: totals[g * self.vectors + j] for g, gate in enumerate(what.gates)}
                self.finish(product, own, row, step, valid, j)

    def weights(self, product: int, gates: int) -> Weights:
        kernel, lanes = self.kernel, self.lanes
        size = self.what.hidden * gates * kernel.block
        bases = []
        for gate in range(gates):
            for j in range(self.vectors):
                block, within = place_of(self.first + j, lanes, kernel.block)
                base = (self.direction * kernel.blocks + block) * size
                bases.append(base + gate * kernel.block + within)
        count = gates * self.vectors
        return Weights(
            kernel.weights[product], bases, gates * kernel.block, [lanes] * count, AHEAD // gates
        )

    def loops(self, product: Product) -> Loops:
        def value(i: int, k: Any) -> Any:
            return self.memory_at(product.source, self.row + i) + k

        return Loops((self.what.hidden,), range(self.rows), value, lambda k: k)

    def memory_at(self, state: int, row: Any, after: bool = False) -> Any:
        """Return where a state is before the step or, where that is elsewhere, after it."""
        slot = (self.step + after) % 2 if state == 0 else state + 1
        return self.what.memory_at(self.direction, slot, row)

    def place(self, row: Any) -> tuple[Any, Any]:
        """Return the step of the sequence, and whether a row still has it; None if all have."""
        what, step = self.what, self.step
        length = self.kernel.length(row)
        valid = None if isinstance(length, int) else step < length
        if not any(what.backwards):
            return step, valid
        back = length - 1 - step
        if valid is not None:  # what is behind a sequence stays there
            back = tirx.Select(valid, back, step)
        if what.directions == 2:
            back = tirx.Select(self.direction == 0, step, back)
        return T.bind(back), valid

    def finish(
        self,
        product: int,
        sums: dict[int, Accumulator],
        row: Any,
        step: Any,
        valid: Any,
        j: int,
    ) -> None:
        """Emit what comes of the sums of a row and a vector of units."""
        what, kernel, lanes, used = self.what, self.kernel, self.lanes, self.used[j]
        unit = (self.first + j) * lanes
        place = what.input_at(self.direction, step, row) + unit
        nothing = broadcast(zero(DTYPE), lanes)

        def read(buffer: tirx.Buffer, index: Any) -> Any:
            return T.bind(load(buffer, index, lanes, used))

        def state(number: int) -> Any:
            return read(kernel.memory, self.memory_at(number, row) + unit)

        def bias() -> Any:
            given = kernel.optional.get("bias")
            if given is None:
                return nothing
            return read(given, self.direction * what.hidden + unit)

        def peephole(gate: int) -> Any:
            given = kernel.optional.get("peepholes")
            index = (self.direction * 3 + gate) * what.hidden + unit
            return None if given is None else read(given, index)

        units = Units(
            {gate: total.value for gate, total in sums.items()},
            lambda gate: read(kernel.inputs, place + gate * what.hidden),
            state,
            bias,
            peephole,
        )
        made: States = what.cell.finish(product, units)
        last = product == len(what.cell.products) - 1
        for number, value in made.items():
            value = T.bind(value)
            shown = value
            if last and valid is not None:
                value = T.bind(tirx.Select(broadcast(valid, lanes), value, state(number)))
                shown = T.bind(tirx.Select(broadcast(valid, lanes), shown, nothing))
            store(kernel.memory, value, self.memory_at(number, row, True) + unit, lanes, used)
            if number == 0:
                series = what.series_at(self.direction, step, row)
                store(kernel.series, shown, series + unit, lanes, used)
