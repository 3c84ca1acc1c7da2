# SPDX-License-Identifier: Apache-2.0
"""Convolutions of 3 by 3 pixels by Winograd's algorithm: fewer products, and sums around them.

The result is cut into squares. What each needs of the input is transformed, point by point multiplied
with the transformed weights, and transformed back. The products of one point and of all squares are a
product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tvm
from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.contraction import Loops, Weights, steps_ahead, sum_up
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Kernel,
    broadcast,
    lanes_at,
    load,
    loop,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import BLOCK, place_of, vectors_per_line
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, choose_tiling, cut
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL, Windows
from tvmgo.compiler.relax.templates.kernels.winograd_numbers import (
    numbers_for,
    transform_input,
    transform_output,
)

# Bytes between the transforms that stay in the second cache. Weights that do not are read for each
# block again, which is worth while for so many squares.
CACHED = 768 * 1024
FEWEST_SQUARES = 96

# What the choice of squares goes by: products a cycle, cycles of the transforms for a vector of a point,
# bytes of weights that come from memory in a cycle, and how much better than the plain sum it must be.
PRODUCTS = 32
TRANSFORM = 3.5
BANDWIDTH = 6
GAIN = 0.9
FEWEST_CHANNELS = 16

# Blocks of squares that are enough for the threads to share; fewer are shared within.
MANY_BLOCKS = 8


class WinogradKernel:
    """Emits one convolution, in squares of `outputs` by `outputs` pixels."""

    def __init__(self, conv: Windows, epilogue: Epilogue, unit: VectorUnit, outputs: int) -> None:
        self.conv = conv
        self.epilogue = epilogue
        self.numbers = numbers_for(outputs)
        self.lanes = unit.lanes
        self.points = self.numbers.size**2
        self.down, self.across = -(-conv.out_height // outputs), -(-conv.out_width // outputs)
        self.rows = conv.batch * self.down  # of squares
        self.in_vectors = -(-conv.channels // self.lanes)
        self.out_vectors = -(-conv.outputs // self.lanes)
        # A vector more between rows, so that rows do not fall on each other in the first cache.
        self.depth = (self.in_vectors + 1) * self.lanes
        self.width = -(-conv.outputs // BLOCK) * BLOCK
        self.height = self.rows_of_a_block()
        self.squares = self.height * self.across
        self.blocks = -(-self.rows // self.height)
        self.tiling = choose_tiling(self.squares, self.width // self.lanes, unit)

    def rows_of_a_block(self) -> int:
        """Return how many rows of squares are worked on at once."""
        nbytes = self.points * (self.depth + self.width) * 4
        most = max(1, CACHED // (nbytes * self.across))
        if self.points * self.conv.channels * self.width * 4 > CACHED:
            most = max(most, -(-FEWEST_SQUARES // self.across))
        return -(-self.rows // -(-self.rows // most))

    def emit(self, name: str, x_shape: Sequence[int], x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, the packed weights, operands, and the result.

        Parameters are those of `ConvolutionKernel.emit`.
        """
        conv = self.conv
        self.dtype = dtype
        packed = (self.points, self.width // BLOCK, conv.channels, BLOCK)
        epilogue = self.epilogue
        with Kernel(name, epilogue.in_place(2), epilogue.extends(2)) as kernel:
            self.x, self.packed, *others = kernel.tensors(
                [("x", x_shape, x_dtype), ("weights", packed, dtype), *epilogue.parameters()]
            )
            self.results = Results.of(epilogue, others)
            parallel = conv.products >= FEWEST_PARALLEL
            outside = parallel and self.blocks >= MANY_BLOCKS
            loop(self.blocks, lambda i: self.block(i, parallel and not outside), outside)
        products = self.points * self.rows * self.across * conv.channels * conv.outputs
        tile = str(self.tiling)
        return explained(kernel.function, "Winograd convolution", 2 * products, tile)

    def block(self, block: Any, parallel: bool) -> None:
        """Emit what a block of rows of squares takes."""
        inputs = T.alloc_buffer(
            (self.points * self.squares * self.depth,), self.dtype, scope="global"
        )
        sums = T.alloc_buffer(
            (self.points * self.squares * self.width,), self.dtype, scope="global"
        )

        def each_row(vectors: int, body: Any) -> None:
            def one(i: Any) -> None:
                row = i // vectors
                if self.rows % self.height == 0:
                    body(block * self.height + row, row, i % vectors)
                    return
                with T.If(block * self.height + row < self.rows), T.Then():
                    body(block * self.height + row, row, i % vectors)

            loop(self.height * vectors, one, parallel)

        each_row(self.in_vectors, lambda *where: self.read(inputs, *where))
        self.multiply(inputs, sums, parallel)
        each_row(self.out_vectors, lambda *where: self.write(sums, *where))

    def image_of(self, row: Any) -> tuple[Any, Any]:
        """Return the image of a row of squares, and its first row of pixels."""
        image, row = (row // self.down, row % self.down) if self.conv.batch > 1 else (0, row)
        return image, row * self.numbers.outputs

    # The transform of the input

    def read(self, inputs: tirx.Buffer, row: Any, place: Any, vector: Any) -> None:
        """Transform a vector of channels of a row of squares."""
        lanes, size, outputs = self.lanes, self.numbers.size, self.numbers.outputs
        width = self.across * outputs + size - outputs
        pixels = T.alloc_buffer((size * width * lanes,), self.dtype, scope="global")
        self.copy(pixels, row, vector, width)

        def square(i: Any) -> None:
            def pixel(y: int, x: int) -> Any:
                at = (y * width + i * outputs + x) * lanes
                return T.bind(pixels[lanes_at(at, lanes)])

            columns = [
                transform_input(
                    self.numbers, [pixel(y, x) for y in range(size)], self.number, T.bind
                )
                for x in range(size)
            ]
            for y in range(size):
                values = transform_input(
                    self.numbers, [column[y] for column in columns], self.number, T.bind
                )
                for x, value in enumerate(values):
                    at = (y * size + x) * self.squares + place * self.across + i
                    T.buffer_store(
                        inputs, value, [lanes_at(at * self.depth + vector * lanes, lanes)]
                    )

        loop(self.across, square)

    def copy(self, pixels: tirx.Buffer, row: Any, vector: Any, width: int) -> None:
        """Copy a vector of channels of the pixels that a row of squares needs, zeros around them."""
        conv, lanes = self.conv, self.lanes
        image, top = self.image_of(row)
        top = top - conv.padding[0]
        left = min(conv.padding[1], width)
        inside = min(conv.width, width - left)
        nothing = broadcast(zero(self.dtype), lanes)

        def clear(y: Any, start: int, stop: int) -> None:
            def one(x: Any) -> None:
                T.buffer_store(pixels, nothing, [lanes_at((y * width + start + x) * lanes, lanes)])

            if stop > start:
                loop(stop - start, one)

        def line(y: Any) -> None:
            def fill(used: int) -> None:
                def one(x: Any) -> None:
                    at = (image * conv.height + top + y) * conv.width + x
                    value = load(self.x, at * conv.channels + vector * lanes, lanes, used)
                    if self.x.dtype != self.dtype:
                        value = tirx.Cast(f"{self.dtype}x{lanes}", value)
                    at = (y * width + left + x) * lanes
                    T.buffer_store(pixels, value, [lanes_at(at, lanes)])

                if inside > 0:
                    loop(inside, one)

            clear(y, 0, left)
            clear(y, left + inside, width)
            with T.If(tirx.all(top + y >= 0, top + y < conv.height)):
                with T.Then():
                    self.by_use(vector, self.in_vectors, conv.channels, fill)
                with T.Else():
                    clear(y, left, left + inside)

        loop(self.numbers.size, line)

    def by_use(self, vector: Any, vectors: int, channels: int, body: Any) -> None:
        """Emit a body for vectors that are used as a whole, and one for the last if that is not."""
        tail = channels - (vectors - 1) * self.lanes
        if tail == self.lanes:
            body(self.lanes)
        elif vectors == 1:
            body(tail)
        else:
            with T.If(vector < vectors - 1):
                with T.Then():
                    body(self.lanes)
                with T.Else():
                    body(tail)

    def number(self, value: float) -> Any:
        return broadcast(tirx.const(value, self.dtype), self.lanes)

    # The products

    def multiply(self, inputs: tirx.Buffer, sums: tirx.Buffer, parallel: bool) -> None:
        """For each point, multiply the matrices of the squares and of the weights."""
        vectors = self.width // self.lanes
        for width, start, count in parts_of(vectors, self.tiling.panel):

            def panel(i: Any, width: int = width, start: int = start, count: int = count) -> None:
                point, first = i // count, start + i % count * width
                for height, *squares in parts_of(self.squares, self.tiling.rows):
                    for own, *panels in parts_of(width, self.tiling.width(height)):
                        tile = Tiling(height, own)
                        self.tiles(inputs, sums, point, first, tile, squares, panels)

            loop(self.points * count, panel, parallel)

    def tiles(
        self,
        inputs: tirx.Buffer,
        sums: tirx.Buffer,
        point: Any,
        first: Any,
        tile: Tiling,
        squares: Sequence[int],
        panels: Sequence[int],
    ) -> None:
        """Emit tiles of a point; where they begin and how many there are, each way, from `first` on."""
        channels, lanes = self.conv.channels, self.lanes

        def vector(panel: Any, i: int) -> Any:
            return first + panels[0] + panel * tile.vectors + i

        def weights_at(panel: Any, i: int) -> Any:
            block, within = place_of(vector(panel, i), lanes)
            return (point * (self.width // BLOCK) + block) * channels * BLOCK + within

        def one(panel: Any, number: Any) -> None:
            start = point * self.squares + squares[0] + number * tile.rows
            weights = Weights(
                self.packed,
                [weights_at(panel, i) for i in range(tile.vectors)],
                BLOCK,
                [lanes] * tile.vectors,
                steps_ahead(tile.rows, tile.vectors),
                vectors_per_line(tile.vectors, lanes),
            )
            steps = Loops(
                (channels,),
                range(tile.rows),
                lambda i, channel: (start + i) * self.depth + channel,
                lambda channel: channel,
            )
            for i, row in enumerate(sum_up(tile, lanes, inputs, weights, [steps])):
                for j, total in enumerate(row):
                    at = (start + i) * self.width + vector(panel, j) * lanes
                    T.buffer_store(sums, total.value, [lanes_at(at, lanes)])

        loop(panels[1], lambda panel: loop(squares[1], lambda number: one(panel, number)))

    # The transform of the sums

    def write(self, sums: tirx.Buffer, row: Any, place: Any, vector: Any) -> None:
        """Transform a vector of channels of a row of squares back, and store the result."""
        conv, lanes = self.conv, self.lanes
        size, outputs = self.numbers.size, self.numbers.outputs
        image, top = self.image_of(row)

        def square(i: Any) -> None:
            def total(y: int, x: int) -> Any:
                at = (y * size + x) * self.squares + place * self.across + i
                return T.bind(sums[lanes_at(at * self.width + vector * lanes, lanes)])

            columns = [
                transform_output(
                    self.numbers, [total(y, x) for y in range(size)], self.number, T.bind
                )
                for x in range(size)
            ]
            values = [
                transform_output(
                    self.numbers, [column[y] for column in columns], self.number, T.bind
                )
                for y in range(outputs)
            ]

            def finish(used: int) -> None:
                for y in range(outputs):
                    with_rows = conv.out_height % outputs > 0 and y > 0
                    for x in range(outputs):
                        with_columns = conv.out_width % outputs > 0 and x > 0
                        conditions = [top + y < conv.out_height] * with_rows
                        conditions += [i * outputs + x < conv.out_width] * with_columns
                        pixel = (image * conv.out_height + top + y) * conv.out_width
                        pixel = pixel + i * outputs + x

                        def put(pixel: Any = pixel, value: Any = values[y][x]) -> None:
                            self.results.store(value, pixel, vector * lanes, lanes, used)

                        if conditions:
                            with T.If(tirx.all(*conditions)), T.Then():
                                put()
                        else:
                            put()

            self.by_use(vector, self.out_vectors, conv.outputs, finish)

        loop(self.across, square)


def parts_of(length: int, size: int) -> list[tuple[int, int, int]]:
    """Return the parts that a length is cut into: the size, where they begin, and how many."""
    parts, begin = [], 0
    for part, count in cut(length, size):
        parts.append((part, begin, count))
        begin += part * count
    return parts


def best_outputs(conv: Windows) -> int:
    """Return the size of the squares with which a convolution is fastest, 0 for none.

    One graph serves all processors, so that this depends on sizes alone.
    """
    fits = conv.window == (3, 3) and conv.strides == conv.dilation == (1, 1) and conv.groups == 1
    if not fits or conv.channels_first or min(conv.channels, conv.outputs) < FEWEST_CHANNELS:
        return 0
    costs = {outputs: cost(conv, outputs) for outputs in (2, 4)}
    best = min(costs, key=costs.__getitem__)
    return best if costs[best] < GAIN * conv.products / PRODUCTS else 0


def may_reorder(target: tvm.target.Target) -> bool:
    """Whether sums may be computed in another way than the model says: unless told otherwise."""
    return bool(target.attrs.get("fast-math-reassoc", True))


def cost(conv: Windows, outputs: int) -> float:
    """Return the cycles that a convolution takes in squares, of a processor with 16 lanes."""
    points = (outputs + 2) ** 2
    squares = conv.batch * -(-conv.out_height // outputs) * -(-conv.out_width // outputs)
    vectors = -(-conv.channels // BLOCK) + -(-conv.outputs // BLOCK)
    weights = conv.channels * conv.outputs
    return (
        points * squares * weights / PRODUCTS
        + points * squares * vectors * TRANSFORM
        + (points - conv.window[0] * conv.window[1]) * weights * 4 / BANDWIDTH
    )
