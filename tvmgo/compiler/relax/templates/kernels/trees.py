# SPDX-License-Identifier: Apache-2.0
"""Decision trees: many paths from roots to leaves side by side, without a branch.

A path waits for memory at each of its steps, so several are gone at once: those of some rows through
one tree, or, where there are few rows, those of one row through some trees. Whoever is at a leaf stays
there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import Accumulator, Kernel, loop, zero
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.trees import Trees

# Paths at once: what registers hold.
PATHS = 8
# Rows for which a tree is gone through before the next one; it stays in the first caches meanwhile.
ROWS = 256
# Rows below which the paths are those of trees.
FEW = 4
# Steps of a task that are worth a thread, and tasks of one row.
FEWEST_PARALLEL = 16_000
TASKS = 8
NAN_MASK = (1 << 22) - 1


class TreesKernel:
    """Emits the sums of trees for rows of features."""

    def __init__(
        self, what: Trees, shape: Sequence[int], dtype: str, constants: Sequence[Sequence[int]]
    ) -> None:
        self.what, self.dtype = what, dtype
        self.rows, self.features = shape
        self.shapes = constants
        self.result = (self.rows, what.targets)
        self.few = self.rows < FEW
        self.tasks = 1
        if self.few and what.steps >= 2 * FEWEST_PARALLEL:
            self.tasks = min(TASKS, what.steps // FEWEST_PARALLEL)
        # Sums of tasks of one row.
        self.memory = (self.tasks, self.rows, what.targets) if self.tasks > 1 else ()

    def emit(self, name: str) -> tirx.PrimFunc:
        """Return the kernel.

        Its parameters are the features, the constants of the operator, the result and, if `memory` is
        not empty, memory in which it works.
        """
        names = ("nodes", "starts", "depths", "weights", "target_of")
        dtypes = ("int32", "int32", "int32", self.dtype, "int32")
        constants = list(zip(names, self.shapes, dtypes))
        memory = [("memory", self.memory, self.dtype)] if self.memory else []
        with Kernel(name) as kernel:
            self.x, self.nodes, self.starts, self.depths, self.weights, *others = kernel.tensors(
                [
                    ("x", (self.rows, self.features), self.dtype),
                    *constants,
                    ("y", self.result, "float32"),
                    *memory,
                ]
            )
            self.target_of = None if self.what.each else others.pop(0)
            self.y = others[0]
            if self.few:
                self.few_rows(others[-1])
            else:
                self.many_rows()
        return explained(kernel.function, "trees", 6.0 * self.rows * self.what.steps)

    # Rows through a tree

    def many_rows(self) -> None:
        """Threads share the rows."""
        most = min(ROWS, self.rows)
        whole, rest = divmod(self.rows, most)
        parallel = self.rows * self.what.steps >= 2 * FEWEST_PARALLEL
        if parallel and whole == 1 and self.rows >= 2 * PATHS:
            most = max(PATHS, -(-self.rows // (4 * PATHS)) * PATHS)
            whole, rest = divmod(self.rows, most)
        loop(whole, lambda i: self.block(i * most, most), parallel and whole > 1)
        if rest:
            self.block(whole * most, rest)

    def block(self, first: Any, count: int) -> None:
        targets = self.what.targets
        sums = T.alloc_buffer((count * targets,), self.dtype, scope="global")
        self.clear(sums, count * targets)
        with T.serial(0, self.what.count) as tree:
            depth = T.bind(self.depths[tree])
            start = T.bind(self.starts[tree])

            def paths(begin: Any, size: int) -> None:
                rows = [(first + begin + k) * self.features for k in range(size)]
                leaves = self.descend([start] * size, rows, depth)
                for k, leaf in enumerate(leaves):
                    self.add(sums, (begin + k) * targets, tree, leaf)

            each_part(count, PATHS, paths)
        self.finish(first * targets, sums, count * targets)

    # A row through trees

    def few_rows(self, memory: tirx.Buffer) -> None:
        """Threads share the trees, if there are many."""
        trees, targets, tasks = self.what.count, self.what.targets, self.tasks
        size = self.rows * targets
        for row in range(self.rows):
            if tasks == 1:
                sums = T.alloc_buffer((targets,), self.dtype, scope="global")
                self.clear(sums, targets)
                self.some_trees(row, 0, trees, sums, 0)
                self.finish(row * targets, sums, targets)
        if tasks == 1:
            return
        most = -(-trees // tasks // PATHS) * PATHS
        parts = -(-trees // most)

        def task(number: Any, count: int = most) -> None:
            base = number * size
            for row in range(self.rows):
                at = base + row * targets
                with T.serial(0, targets) as target:
                    T.buffer_store(memory, zero(self.dtype), [at + target])
                self.some_trees(row, number * most, count, memory, at)

        last = trees - (parts - 1) * most
        with T.parallel(0, parts) as number, T.If(number < parts - 1):
            with T.Then():
                task(number)
            with T.Else():
                task(number, last)
        with T.serial(0, size) as place:
            total = Accumulator(zero(self.dtype), self.dtype, 1)
            with T.serial(0, parts) as number:
                total.set(total.value + memory[number * size + place])
            T.buffer_store(self.y, self.short(total.value), [place])

    def some_trees(self, row: int, first: Any, count: int, sums: tirx.Buffer, at: Any) -> None:
        def paths(begin: Any, size: int) -> None:
            trees = [first + begin + k for k in range(size)]
            depth = self.depths[trees[0]]
            for tree in trees[1:]:
                depth = T.max(depth, self.depths[tree])
            starts = [T.bind(self.starts[tree]) for tree in trees]
            leaves = self.descend(starts, [row * self.features] * size, T.bind(depth))
            for tree, leaf in zip(trees, leaves):
                self.add(sums, at, tree, leaf)

        each_part(count, PATHS, paths)

    # What both have

    def descend(self, starts: Sequence[Any], rows: Sequence[Any], depth: Any) -> list[Any]:
        """Go down from nodes, and return the numbers of the leaves."""
        places = [Accumulator(start, "int32", 1) for start in starts]
        with T.serial(0, depth):
            for place, row in zip(places, rows):
                here = T.bind(place.value)
                threshold, ahead, feature = self.node(here)
                yes = tirx.Cast("int32", self.x[row + feature] <= threshold)
                following = T.bind(here + ahead + yes)
                place.set(following)
                self.expect(following)
        return [T.bind(self.leaf(T.bind(place.value))) for place in places]

    def expect(self, place: Any) -> None:
        """Have a node brought near.

        LLVM would put the paths into the lanes of vectors, which is slower, did the reads of their
        nodes not come before and behind this.
        """
        address = T.address_of(self.nodes[place * self.what.words])
        T.evaluate(
            tirx.call_intrin("void", "tirx.prefetch", address, T.int32(0), T.int32(3), T.int32(1))
        )

    def node(self, place: Any) -> tuple[Any, Any, Any]:
        words, bits = self.what.words, self.what.bits
        if words == 2:
            threshold = T.reinterpret("float32", self.nodes[place * 2])
            link = T.bind(self.nodes[place * 2 + 1])
            return (
                threshold,
                T.shift_right(link, T.int32(bits)),
                T.bitwise_and(link, T.int32((1 << bits) - 1)),
            )
        if self.dtype == "float32":
            threshold = T.reinterpret("float32", self.nodes[place * 4])
        else:
            threshold = T.reinterpret("float64", self.nodes[T.Ramp(place * 4, 1, 2)])
        return threshold, self.nodes[place * 4 + 2], self.nodes[place * 4 + 3]

    def leaf(self, place: Any) -> Any:
        words = self.what.words
        if words == 2:
            return T.bitwise_and(self.nodes[place * 2], T.int32(NAN_MASK))
        return self.nodes[place * 4 + (1 if self.dtype == "float32" else 0)]

    def add(self, sums: tirx.Buffer, at: Any, tree: Any, leaf: Any) -> None:
        targets = self.what.targets
        if self.target_of is not None:
            at = at if targets == 1 else T.bind(at + self.target_of[tree])
            T.buffer_store(sums, sums[at] + self.weights[leaf], [at])
            return
        with T.serial(0, targets) as target:
            total = sums[at + target] + self.weights[leaf * targets + target]
            T.buffer_store(sums, total, [at + target])

    def clear(self, sums: tirx.Buffer, count: int) -> None:
        with T.serial(0, count) as place:
            T.buffer_store(sums, zero(self.dtype), [place])

    def finish(self, first: Any, sums: tirx.Buffer, count: int) -> None:
        with T.serial(0, count) as place:
            T.buffer_store(self.y, self.short(sums[place]), [first + place])

    def short(self, value: Any) -> Any:
        return value if self.dtype == "float32" else tirx.Cast("float32", value)


def each_part(count: int, size: int, body: Callable[[Any, int], None]) -> None:
    """Emit a body for parts of a size, and one for what is left."""
    whole, rest = divmod(count, size)
    if whole:
        loop(whole, lambda i: body(i * size, size))
    if rest:
        body(whole * size, rest)
