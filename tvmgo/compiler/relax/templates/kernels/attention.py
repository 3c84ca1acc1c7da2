# SPDX-License-Identifier: Apache-2.0
"""Attention: scores, softmax and their product with the values, some rows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.attention import Attention, Place, Step
from tvmgo.compiler.relax.templates.kernels.contraction import AHEAD, Loops, Weights, sum_up
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    kept,
    lanes_at,
    load,
    loop,
    size_of,
    store,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.matmul import each, parts, with_last_alone
from tvmgo.compiler.relax.templates.kernels.packing import BLOCK
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, choose_tiling, fits
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL

DTYPE = "float32"  # in which all is summed up


class AttentionKernel:
    """Emits one attention.

    First the keys are copied, so that those side by side are a vector, and values that are no
    float32; then each task computes some rows of one of the stacked products.
    """

    def __init__(self, what: Attention, value_dtype: str, unit: VectorUnit) -> None:
        self.what, self.unit = what, unit
        self.copied = value_dtype != DTYPE  # whether values are as well as keys
        self.lanes = unit.lanes
        self.stack = size_of(what.leading)
        self.padded = -(-what.keys // BLOCK) * BLOCK
        self.vectors = -(-what.keys // self.lanes)
        self.tail = what.keys - (self.vectors - 1) * self.lanes
        self.tiling = choose_tiling(what.rows, self.vectors, unit)
        self.columns = -(-what.width // self.lanes)
        self.last = what.width - (self.columns - 1) * self.lanes

    @property
    def memory_size(self) -> int:
        """Elements of the copies; the same for every processor."""
        what = self.what
        values = what.keys * what.width if self.copied else 0
        return self.stack * (what.depth * self.padded + values)

    def emit(
        self,
        name: str,
        arguments: Sequence[tuple[Sequence[int], str]],
        shape: Sequence[int],
        dtype: str,
    ) -> tirx.PrimFunc:
        """Return the kernel.

        Parameters
        ----------
        name : str
        arguments : sequence of (shape, element type)
            Of query, key, value and what the steps read.
        shape : sequence of int
            Of the result.
        dtype : str
            Of the result.
        """
        what = self.what
        specs = [(f"x{i}", *spec) for i, spec in enumerate(arguments)]
        with Kernel(name) as kernel:
            self.query, self.key, self.value, *self.operands, self.y, self.memory = kernel.tensors(
                [*specs, ("y", shape, dtype), ("memory", (self.memory_size,), DTYPE)]
            )
            products = self.stack * what.rows * what.keys * (what.depth + what.width)
            parallel = products >= FEWEST_PARALLEL
            loop(self.stack, self.copy, parallel and self.stack > 1)
            self.tasks(parallel)
        return explained(kernel.function, "attention", 2 * products, str(self.tiling))

    def at(self, place: Place, stack: Any) -> Any:
        """Return where one of the stacked matrices begins."""
        index: Any = place.offset
        for axis, (size, stride) in enumerate(zip(self.what.leading, place.strides)):
            if size > 1 and stride:
                below = size_of(self.what.leading[axis + 1 :])
                position = stack // below if below > 1 else stack
                if axis and size_of(self.what.leading[:axis]) > 1:
                    position = position % size
                index = index + position * stride
        return index

    # Copies

    def keys_at(self, stack: Any) -> Any:
        return stack * (self.what.depth * self.padded)

    def values_at(self, stack: Any) -> Any:
        what = self.what
        return self.stack * what.depth * self.padded + stack * (what.keys * what.width)

    def copy(self, stack: Any) -> None:
        what = self.what
        down, right = what.key.strides[-2:]
        start = T.bind(self.at(what.key, stack))
        target = T.bind(self.keys_at(stack))

        def keys(vector: Any, used: int) -> None:
            first = vector * self.lanes

            def row(k: Any) -> None:
                place = start + k * down + first * right
                value = self.strided(self.key, place, right, used)
                index = target + k * self.padded + first
                T.buffer_store(self.memory, value, [lanes_at(index, self.lanes)])

            loop(what.depth, row)

        self.each_vector(self.vectors, self.tail, keys)
        if self.copied:
            source, values = T.bind(self.at(what.value, stack)), T.bind(self.values_at(stack))
            stride = what.value.strides[-2]

            def value_row(k: Any) -> None:
                def vector(number: Any, used: int) -> None:
                    at = number * self.lanes
                    value = load(self.value, source + k * stride + at, self.lanes, used)
                    store(
                        self.memory,
                        self.widened(value),
                        values + k * what.width + at,
                        self.lanes,
                        used,
                    )

                self.each_vector(self.columns, self.last, vector)

            loop(what.keys, value_row)

    def strided(self, buffer: tirx.Buffer, index: Any, stride: int, used: int) -> Any:
        if used == self.lanes and stride:
            return self.widened(buffer[tirx.Ramp(index, stride, self.lanes)])
        one = [buffer[index + lane * stride] for lane in range(used)]
        one += [zero(buffer.dtype)] * (self.lanes - used)
        return self.widened(tirx.Shuffle(one, list(range(self.lanes))))

    def widened(self, value: Any) -> Any:
        dtype = str(value.ty.dtype)
        if dtype.startswith(DTYPE):
            return value
        return tirx.Cast(f"{DTYPE}x{self.lanes}", value)

    def each_vector(self, count: int, tail: int, body: Callable[[Any, int], None]) -> None:
        whole = count - (tail < self.lanes)
        if whole:
            loop(whole, lambda i: body(i, self.lanes))
        if whole < count:
            body(whole, tail)

    # Rows

    def tasks(self, parallel: bool) -> None:
        """Emit a loop over blocks of rows of all matrices; what is left of the rows is one too."""
        rows, height = self.what.rows, self.tiling.rows
        whole, rest = divmod(rows, height)
        blocks = whole + (rest > 0)

        def task(number: Any) -> None:
            stack = T.bind(number // blocks) if blocks > 1 else number
            block = T.bind(number % blocks) if blocks > 1 else 0
            if rest == 0 or whole == 0:
                Rows(self, stack, block * height, rest or height).emit()
                return
            with T.If(block < whole):
                with T.Then():
                    Rows(self, stack, block * height, height).emit()
                with T.Else():
                    Rows(self, stack, whole * height, rest).emit()

        total = self.stack * blocks
        loop(total, task, parallel and total > 1)


class Rows:
    """Some rows of one of the stacked products."""

    def __init__(self, kernel: AttentionKernel, stack: Any, first: Any, count: int) -> None:
        self.kernel, self.what = kernel, kernel.what
        self.stack, self.first, self.count = stack, first, count
        self.lanes = kernel.lanes

    def emit(self) -> None:
        kernel = self.kernel
        self.places = [
            step.place and T.bind(kernel.at(step.place, self.stack)) for step in self.what.steps
        ]
        size = self.count * kernel.padded
        self.scores = T.alloc_buffer((size,), DTYPE, scope="global")
        self.inverse = T.alloc_buffer((self.count,), DTYPE, scope="global")
        self.emit_scores()
        loop(self.count, self.softmax)
        self.emit_values()

    def emit_scores(self) -> None:
        kernel, what = self.kernel, self.what
        query = T.bind(kernel.at(what.query, self.stack))
        down, right = what.query.strides[-2:]
        keys = T.bind(kernel.keys_at(self.stack))
        panels = parts(kernel.vectors, min(kernel.tiling.vectors, kernel.vectors))
        if kernel.tail < self.lanes:
            panels = with_last_alone(panels)

        def panel(first: Any, vectors: int) -> None:
            weights = Weights(
                kernel.memory,
                [keys + (first + j) * self.lanes for j in range(vectors)],
                kernel.padded,
                [self.lanes] * vectors,
            )
            part = Loops(
                (what.depth,),
                range(self.count),
                lambda i, k: query + (self.first + i) * down + k * right,
                lambda k: k,
            )
            sums = sum_up(Tiling(self.count, vectors), self.lanes, kernel.query, weights, [part])
            ends = isinstance(first, int) and first + vectors == kernel.vectors
            for i, totals in enumerate(sums):
                for j, total in enumerate(totals):
                    used = kernel.tail if ends and j == vectors - 1 else self.lanes
                    key = (first + j) * self.lanes
                    value = self.stepped(total.value, i, key, used)
                    index = i * kernel.padded + key
                    T.buffer_store(self.scores, value, [lanes_at(index, self.lanes)])

        each(panels, panel)

    def stepped(self, value: Any, row: int, key: Any, used: int) -> Any:
        """Apply all steps to a vector of scores; what is beyond the keys has no weight."""
        for step, place in zip(self.what.steps, self.places):
            value = T.bind(self.step(step, place, value, row, key, used))
        if used < self.lanes:
            inside = T.Ramp(0, 1, self.lanes) < broadcast(used, self.lanes)
            value = tirx.Select(inside, value, broadcast(tirx.const(-math.inf, DTYPE), self.lanes))
        return value

    def step(self, step: Step, place: Any, value: Any, row: int, key: Any, used: int) -> Any:
        number = broadcast(tirx.const(step.number, DTYPE), self.lanes)
        if step.kind == "multiply":
            return value * number
        assert step.place is not None
        kernel, (down, right) = self.kernel, step.place.strides[-2:]
        operand = kernel.operands[step.operand]
        index = place + (self.first + row) * down + key * right
        if right == 1:
            mask = kernel.widened(load(operand, index, self.lanes, used))
        elif right == 0:
            mask = broadcast(tirx.Cast(DTYPE, operand[index]), self.lanes)
        else:
            mask = kernel.strided(operand, index, right, used)
        if step.kind == "add":
            return value + mask
        return tirx.Select(mask != broadcast(zero(DTYPE), self.lanes), number, value)

    def softmax(self, row: Any) -> None:
        lanes, count = self.lanes, self.kernel.vectors
        start = T.bind(row * self.kernel.padded)

        def at(vector: Any) -> Any:
            return lanes_at(start + vector * lanes, lanes)

        largest = Accumulator(self.scores[at(0)], DTYPE, lanes)

        def compare(vector: Any) -> None:
            value = T.bind(self.scores[at(vector)])
            largest.set(tirx.Select(value > largest.value, value, largest.value))

        if count > 1:
            loop(count, compare)
        most = T.bind(broadcast(folded(largest.value, lanes, larger), lanes))
        total = Accumulator(broadcast(zero(DTYPE), lanes), DTYPE, lanes)

        def weigh(vector: Any) -> None:
            value = T.bind(self.scores[at(vector)] - most)
            value = T.bind(tirx.call_intrin(value.ty, "tirx.exp", value))
            T.buffer_store(self.scores, value, [at(vector)])
            total.set(total.value + value)

        loop(count, weigh)
        whole = folded(total.value, lanes, lambda a, b: a + b)
        T.buffer_store(self.inverse, tirx.const(1.0, DTYPE) / whole, [row])

    def emit_values(self) -> None:
        kernel, what = self.kernel, self.what
        if kernel.copied:
            buffer, stride = kernel.memory, what.width
            start = T.bind(kernel.values_at(self.stack))
        else:
            buffer, stride = kernel.value, what.value.strides[-2]
            start = T.bind(kernel.at(what.value, self.stack))
        result = T.bind(kernel.at(what.result, self.stack))
        down = what.result.strides[-2]
        wide = max(w for w in range(1, kernel.columns + 1) if w == 1 or self.has_room(w))
        panels = parts(kernel.columns, wide)
        if kernel.last < self.lanes:
            panels = with_last_alone(panels)

        def panel(first: Any, vectors: int) -> None:
            ends = isinstance(first, int) and first + vectors == kernel.columns
            used = [self.lanes] * vectors
            if ends:
                used[-1] = kernel.last
            columns = [(first + j) * self.lanes for j in range(vectors)]
            ahead = 0 if kernel.copied else AHEAD // 4
            weights = Weights(buffer, [start + column for column in columns], stride, used, ahead)
            part = Loops(
                (what.keys,),
                range(self.count),
                lambda i, k: i * kernel.padded + k,
                lambda k: k,
            )
            sums = sum_up(Tiling(self.count, vectors), self.lanes, self.scores, weights, [part])
            for i, totals in enumerate(sums):
                factor = T.bind(broadcast(self.inverse[i], self.lanes))
                for j, total in enumerate(totals):
                    value = total.value * factor
                    if kernel.y.dtype != DTYPE:
                        value = tirx.Cast(f"{kernel.y.dtype}x{self.lanes}", value)
                    index = result + (self.first + i) * down + columns[j]
                    store(kernel.y, value, index, self.lanes, used[j])

        each(panels, panel)

    def has_room(self, vectors: int) -> bool:
        return vectors <= 4 and fits(self.count, vectors, self.kernel.unit)


def larger(a: Any, b: Any) -> Any:
    return tirx.Select(a > b, a, b)


def folded(value: Any, lanes: int, combine: Callable[[Any, Any], Any]) -> Any:
    """Return what is left of a vector when halves have been combined."""
    while lanes > 1:
        whole = kept(value)
        lanes //= 2
        low = tirx.Shuffle([whole], list(range(lanes)))
        high = tirx.Shuffle([whole], list(range(lanes, 2 * lanes)))
        value = combine(low, high)
    return value
