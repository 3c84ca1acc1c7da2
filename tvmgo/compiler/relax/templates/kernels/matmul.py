# SPDX-License-Identifier: Apache-2.0
"""Products of matrices that are both computed when the model runs, by the register tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.templates.kernels.contraction import Loops, Weights, sum_up
from tvmgo.compiler.relax.templates.kernels.convolution import CACHED
from tvmgo.compiler.relax.templates.kernels.emitting import Kernel, loop, size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import block_of
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, choose_tiling, cut
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL


class MatmulKernel:
    """Emits the product of stacks of matrices; stacks broadcast as NumPy's do."""

    def __init__(
        self, a: Sequence[int], b: Sequence[int], epilogue: Epilogue, unit: VectorUnit
    ) -> None:
        self.shapes = tuple(a), tuple(b)
        self.epilogue = epilogue
        self.stack = epilogue.shape[:-2]
        self.rows, self.columns, self.depth = *epilogue.shape[-2:], a[-1]
        if size_of(b[:-2]) == 1:  # rows of all matrices are rows of one
            self.rows, self.stack = self.rows * size_of(self.stack), ()
        self.lanes = min(unit.lanes, block_of(self.columns))
        self.vectors = -(-self.columns // self.lanes)
        self.tail = self.columns - (self.vectors - 1) * self.lanes
        self.tiling = choose_tiling(self.rows, self.vectors, unit)

    def emit(self, name: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are both matrices, operands, and the result."""
        operands = [
            (f"operand{i}", operand.shape, operand.dtype)
            for i, operand in enumerate(self.epilogue.operands)
        ]
        count = size_of(self.stack)
        with Kernel(name, self.epilogue.in_place(2)) as kernel:
            self.a, self.b, *operands, y = kernel.tensors(
                [
                    ("a", self.shapes[0], dtype),
                    ("b", self.shapes[1], dtype),
                    *operands,
                    ("y", self.epilogue.shape, self.epilogue.dtype),
                ]
            )
            self.results = Results(self.epilogue, operands, y)
            products = count * self.rows * self.columns * self.depth
            parallel = products >= FEWEST_PARALLEL
            loop(
                count,
                lambda matrix: self.product(matrix, parallel and count == 1),
                parallel and count > 1,
            )
        return explained(kernel.function, "product", 2 * products, str(self.tiling))

    def product(self, matrix: Any, parallel: bool) -> None:
        tiling, rows = self.tiling, parts(self.rows, self.tiling.rows)

        def all_panels(row: Any, height: int) -> None:
            each(
                self.panels(0, self.vectors, tiling.width(height)),
                lambda first, vectors: self.tile(matrix, row, height, first, vectors),
            )

        def all_rows(first: Any, vectors: int) -> None:
            for start, height, count in rows:

                def pass_by(at: Any, width: int, rows: Parts = (start, height, count)) -> None:
                    each([rows], lambda row, tall: self.tile(matrix, row, tall, at, width))

                each(self.panels(first, vectors, tiling.width(height)), pass_by)

        if self.depth * self.columns * 4 <= CACHED:
            each(rows, all_panels, parallel)
        else:
            each(self.panels(0, self.vectors, tiling.panel), all_rows, parallel)

    def panels(self, first: Any, vectors: int, width: int) -> list[Parts]:
        """Cut vectors from `first` on into panels; the last of all is alone if it is incomplete."""
        found = parts(vectors, width)
        if self.tail < self.lanes and isinstance(first, int) and first + vectors == self.vectors:
            found = with_last_alone(found)
        return [(first + start, size, count) for start, size, count in found]

    def tile(self, matrix: Any, row: Any, rows: int, first: Any, vectors: int) -> None:
        lanes, depth, columns = self.lanes, self.depth, self.columns
        used = [lanes] * vectors
        if isinstance(first, int) and first + vectors == self.vectors:
            used[-1] = self.tail
        a_at, b_at = (self.matrix_at(shape, matrix) for shape in self.shapes)
        weights = Weights(
            self.b,
            [b_at * (depth * columns) + (first + i) * lanes for i in range(vectors)],
            columns,
            used,
        )
        part = Loops(
            (depth,),
            range(rows),
            lambda i, k: (a_at * self.rows + row + i) * depth + k,
            lambda k: k,
        )
        sums = sum_up(Tiling(rows, vectors), lanes, self.a, weights, [part])
        values = [[total.value for total in totals] for totals in sums]
        self.results.put(values, matrix * self.rows + row, first * lanes, lanes, used)

    def matrix_at(self, shape: Sequence[int], matrix: Any) -> Any:
        """Return which matrix of a stack of this shape belongs to a matrix of the result."""
        own = shape[:-2]
        if not self.stack or size_of(own) == 1:
            return 0
        own = (1,) * (len(self.stack) - len(own)) + tuple(own)
        if own == self.stack:
            return matrix
        index: Any = 0
        for axis, size in enumerate(own):
            if size > 1:
                position = matrix // size_of(self.stack[axis + 1 :]) % size
                index = index + position * size_of(own[axis + 1 :])
        return index


# Equal parts of a length: where they begin, the size of each, how many there are.
Parts = tuple[Any, int, int]


def parts(length: int, size: int) -> list[Parts]:
    """Cut a length into parts of a size, and what is left."""
    start = 0
    found = []
    for each_size, count in cut(length, size):
        found.append((start, each_size, count))
        start += each_size * count
    return found


def with_last_alone(found: list[Parts]) -> list[Parts]:
    """Cut the last part off those before it: it ends in an incomplete vector."""
    *others, (start, size, count) = found
    if count == 1:
        return found
    return [*others, (start, size, count - 1), (start + size * (count - 1), size, 1)]


def each(found: list[Parts], body: Callable[[Any, int], None], parallel: bool = False) -> None:
    """Emit a body for each part, given where it begins and its size."""
    for start, size, count in found:
        emit_loop(start, size, count, body, parallel and count > 1)


def emit_loop(
    start: Any, size: int, count: int, body: Callable[[Any, int], None], parallel: bool
) -> None:
    loop(count, lambda i: body(start + i * size, size), parallel)
