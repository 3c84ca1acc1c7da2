# SPDX-License-Identifier: Apache-2.0
"""The largest or smallest elements of rows, in order, and where they were.

The result's own memory holds a heap of the best so far, the worst on top. Whole vectors are compared
with that one, and hardly any has a better element. In the end the heap is sorted in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    lanes_at,
    loop,
    size_of,
)
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Elements below which threads are not worth while.
FEWEST_PARALLEL = 16 * 1024


class Item(NamedTuple):
    """An element, and its place in its row."""

    value: Any
    place: Any


class SelectionKernel:
    """Emits the choice of the `count` largest or smallest elements of each row, a tensor's last axis.

    Of equal elements the first is chosen first.
    """

    def __init__(self, shape: Sequence[int], count: int, largest: bool, unit: VectorUnit) -> None:
        self.shape = tuple(shape)
        self.rows, self.length, self.count = size_of(shape[:-1]), shape[-1], count
        self.largest = largest
        self.lanes = unit.lanes

    def emit(self, name: str, dtype: str, place_dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are the rows, the chosen elements and their places."""
        chosen = (*self.shape[:-1], self.count)
        specs = [
            ("x", self.shape, dtype),
            ("values", chosen, dtype),
            ("places", chosen, place_dtype),
        ]
        self.has_nan = "float" in dtype
        with Kernel(name) as kernel:
            self.x, self.values, self.places = kernel.tensors(specs)
            loop(self.rows, self.row, self.rows * self.length >= FEWEST_PARALLEL)
        levels = max(1, math.ceil(math.log2(self.count)))
        operations = self.rows * (self.length + 2 * levels * self.count)
        return explained(kernel.function, "selection", operations)

    def row(self, row: Any) -> None:
        self.start = T.bind(row * self.length)
        self.heap = T.bind(row * self.count)
        self.take_first()
        self.take_better()
        self.sort()

    def take_first(self) -> None:
        with T.serial(0, self.count) as i:
            self.sink(self.item(i), self.count - 1 - i, self.count)

    def take_better(self) -> None:
        lanes = self.lanes
        whole, rest = divmod(self.length - self.count, lanes)
        self.worst = Accumulator(self.values[self.heap], self.x.dtype, 1)

        def vector(i: Any) -> None:
            first = T.bind(self.count + i * lanes)
            values = self.x[lanes_at(self.start + first, lanes)]
            better = self.is_better(values, broadcast(self.worst.value, lanes))
            with T.If(any_of(better)), T.Then(), T.serial(0, lanes) as lane:
                self.take(first + lane)

        if whole:
            loop(whole, vector)
        if rest:
            loop(rest, lambda i: self.take(self.length - rest + i))

    def take(self, place: Any) -> None:
        item = self.item(place)
        with T.If(self.is_better(item.value, self.worst.value)), T.Then():
            self.sink(item, 0, self.count)
            self.worst.set(self.values[self.heap])

    def sort(self) -> None:
        """Exchange the worst and the last, over and over; what is left is a heap again."""
        with T.serial(0, self.count - 1) as i:
            last = T.bind(self.count - 1 - i)
            worst, item = self.kept(0), self.kept(last)
            self.keep(worst, last)
            self.sink(item, 0, last)

    def sink(self, item: Item, at: Any, size: Any) -> None:
        """Put an item where it belongs below a place of the heap, whose own item goes."""
        hole = Accumulator(at, "int32", 1)
        sinks = Accumulator(True, "bool", 1)
        with T.While(sinks.value):
            left = T.bind(hole.value * 2 + 1)
            with T.If(left < size):
                with T.Then():
                    # An only child is taken for both.
                    right = T.bind(T.min(left + 1, size - 1))
                    one, other = self.kept(left), self.kept(right)
                    with T.If(self.comes_before(one, other)):
                        with T.Then():
                            self.rise(other, right, item, hole, sinks)
                        with T.Else():
                            self.rise(one, left, item, hole, sinks)
                with T.Else():
                    sinks.set(False)
        self.keep(item, hole.value)

    def rise(self, child: Item, at: Any, item: Item, hole: Accumulator, sinks: Accumulator) -> None:
        """Let the worse child of a hole fill it, if it is worse than the item that sinks."""
        with T.If(self.comes_before(item, child)):
            with T.Then():
                self.keep(child, hole.value)
                hole.set(at)
            with T.Else():
                sinks.set(False)

    def is_better(self, a: Any, b: Any) -> Any:
        """Whether an element is chosen before another one; NaN is larger than any number."""
        if not self.largest:
            return self.is_larger(b, a)
        return self.is_larger(a, b)

    def is_larger(self, a: Any, b: Any) -> Any:
        if self.has_nan:
            return tirx.Or(a > b, tirx.And(tirx.isnan(a), tirx.Not(tirx.isnan(b))))
        return a > b

    def comes_before(self, a: Item, b: Item) -> Any:
        same = a.value == b.value
        if self.has_nan:
            same = tirx.Or(same, tirx.And(tirx.isnan(a.value), tirx.isnan(b.value)))
        return tirx.Or(self.is_better(a.value, b.value), tirx.And(same, a.place < b.place))

    def item(self, place: Any) -> Item:
        return Item(T.bind(self.x[self.start + place]), T.bind(place))

    def kept(self, at: Any) -> Item:
        place = T.bind(self.places[self.heap + at])
        return Item(T.bind(self.values[self.heap + at]), tirx.Cast("int32", place))

    def keep(self, item: Item, at: Any) -> None:
        place = tirx.Cast(self.places.dtype, item.place)
        T.buffer_store(self.values, item.value, [self.heap + at])
        T.buffer_store(self.places, place, [self.heap + at])


def any_of(mask: Any) -> Any:
    return tirx.call_llvm_pure_intrin("bool", "llvm.vector.reduce.or", mask)
