# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products with constant matrices, by the register tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.contraction import Loops, Weights, steps_ahead, sum_up
from tvmgo.compiler.relax.templates.kernels.emitting import Kernel, lanes_at, loop
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import block_of, place_of, vectors_per_line
from tvmgo.compiler.relax.templates.kernels.products import Products
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, choose_tiling
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL, Span, Windows

# Weights up to this size stay in the second cache while the pixels pass by; of larger ones each
# panel is read once, and the pixels pass by again for each.
CACHED = 640 * 1024


@dataclass(frozen=True)
class Panel:
    """Vectors of weights that pixels pass by: `count` panels of as many, one behind the other."""

    first: int
    vectors: int
    count: int
    used: int  # lanes of the last vector

    def cut(self, width: int, lanes: int) -> Iterator[Panel]:
        """Yield the panels of at most `width` vectors that a panel is cut into."""
        whole, rest = divmod(self.vectors, width)
        if rest == 0 and self.used < lanes:
            whole, rest = whole - 1, width
        if whole:
            yield Panel(0, width, whole, lanes)
        if rest:
            yield Panel(whole * width, rest, 1, self.used)


class ConvolutionKernel:
    """Emits one convolution."""

    def __init__(
        self,
        conv: Windows,
        epilogue: Epilogue,
        unit: VectorUnit,
        products: Products | None = None,
    ) -> None:
        self.products = products or Products()
        self.conv = conv = conv.flattened()
        self.epilogue = epilogue
        self.inputs = conv.channels // conv.groups
        self.outputs = conv.outputs // conv.groups
        self.block = block_of(self.outputs)
        self.lanes = min(unit.lanes, self.block)
        self.vectors = -(-self.outputs // self.lanes)
        used = self.outputs - (self.vectors - 1) * self.lanes
        self.whole = Panel(0, self.vectors, 1, used)
        self.window_rows = conv.deep.window * conv.window[0]
        self.pass_size = self.window_rows * conv.window[1] * self.inputs * self.block
        self.block_size = self.pass_size * self.products.passes
        self.blocks = -(-self.outputs // self.block)
        cached = CACHED // (self.block_size // self.block * self.lanes * 4)
        self.tiling = choose_tiling(conv.out_width, self.vectors, unit, self.products.fits, cached)
        self.spans = list(conv.spans(self.tiling.rows))

    def emit(self, name: str, x_shape: Sequence[int], x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, the packed weights, operands, and the result.

        Behind the weights is what sums begin at, if that is not 0, for each channel of the blocks.

        Parameters
        ----------
        name : str
        x_shape : sequence of int
            As the caller has it; only the order in memory matters.
        x_dtype : str
        dtype : str
            Of the weights and of sums.
        """
        specs = [("x", x_shape, x_dtype), ("weights", self.packed_shape, dtype)]
        if self.products.starts:
            specs.append(("starts", (self.conv.groups, self.blocks * self.block), dtype))
        epilogue, first = self.epilogue, len(specs)
        with Kernel(name, epilogue.in_place(first), epilogue.extends(first)) as kernel:
            x, packed, *others = kernel.tensors([*specs, *epilogue.parameters()])
            starts = others.pop(0) if self.products.starts else None
            self.emit_into(x, packed, 0, Results.of(epilogue, others), starts)
        pointwise = (self.window_rows, self.conv.window[1]) == (1, 1)
        template = "product" if pointwise else "convolution"
        return explained(kernel.function, template, 2 * self.conv.products, str(self.tiling))

    @property
    def packed_shape(self) -> tuple[int, ...]:
        conv = self.conv
        order = (conv.window[1], self.inputs)
        if conv.channels_first:
            order = order[::-1]
        passes = (self.products.passes,) if self.products.passes > 1 else ()
        return (conv.groups, self.blocks, *passes, self.window_rows, *order, self.block)

    def emit_into(
        self,
        x: tirx.Buffer,
        packed: tirx.Buffer,
        base: int,
        results: Results,
        starts: tirx.Buffer | None = None,
    ) -> None:
        """Emit what is to be done; the packed weights begin at `base`."""
        self.packed, self.base, self.results = packed, base, results
        self.starts = starts
        # The weights of a single row are read once: it waits for memory, twice as long.
        alone = self.conv.rows * self.conv.out_width == 1
        parallel = self.conv.products * (2 if alone else 1) >= FEWEST_PARALLEL
        self.x = self.products.prepare(x, self.lanes, parallel)
        if packed.shape[0] * 4 <= CACHED:
            self.emit_rows(parallel)
        else:
            self.emit_panels(parallel)

    def emit_rows(self, parallel: bool) -> None:
        """Rows outside, weights inside."""

        def all_tiles(row: Any, parallel: bool) -> None:
            for span in self.spans:

                def all_panels(start: Any, span: Span = span) -> None:
                    self.each_panel(
                        self.tiling.width(span.rows),
                        lambda group, panel, first: self.tile(
                            row, span, start, group, panel, first
                        ),
                    )

                self.each_tile(span, all_panels, parallel)

        self.each_row(all_tiles, parallel)

    def emit_panels(self, parallel: bool) -> None:
        """Weights outside, rows inside."""

        def all_rows(group: Any, panel: Panel, first: Any) -> None:
            def all_tiles(row: Any, parallel: bool) -> None:
                for span in self.spans:
                    for part in panel.cut(self.tiling.width(span.rows), self.lanes):

                        def pass_by(i: Any, span: Span = span, part: Panel = part) -> None:
                            at = first + part.first + i * part.vectors
                            self.each_tile(
                                span,
                                lambda start: self.tile(row, span, start, group, part, at),
                                parallel,
                            )

                        loop(part.count, pass_by)

            # A panel alone is shared by its rows.
            self.each_row(all_tiles, parallel and self.conv.groups * panel.count == 1)

        self.each_panel(self.tiling.panel, all_rows, parallel)

    def each_row(self, body: Callable[[Any, bool], None], parallel: bool) -> None:
        """Emit a body for each row; a row alone is told whether to be shared by threads."""
        if self.conv.rows == 1:
            body(0, parallel)
        else:
            loop(self.conv.rows, lambda row: body(row, False), parallel)

    def each_tile(self, span: Span, body: Callable[[Any], None], parallel: bool) -> None:
        """Emit a body for each tile of a span, given its first pixel."""
        loop(span.count, lambda i: body(span.start + i * span.rows), parallel and span.count > 1)

    def each_panel(self, width: int, body: Callable[..., None], parallel: bool = False) -> None:
        for panel in self.whole.cut(width, self.lanes):
            total = self.conv.groups * panel.count

            def one(i: Any, panel: Panel = panel) -> None:
                first = panel.first + i % panel.count * panel.vectors
                body(i // panel.count, panel, first)

            loop(total, one, parallel and total > 1)

    def tile(self, row: Any, span: Span, start: Any, group: Any, panel: Panel, first: Any) -> None:
        """Emit the tile of the pixels from `start` and the vectors from `first` of a group."""
        lanes = self.lanes
        used = [lanes] * (panel.vectors - 1) + [panel.used]
        weights = Weights(
            self.packed,
            [self.weights_at(group, first, i) for i in range(panel.vectors)],
            self.block,
            [lanes] * panel.vectors,
            steps_ahead(span.rows, panel.vectors),
            vectors_per_line(panel.vectors, lanes, self.block),
            [self.pass_size * i for i in range(self.products.at_once(lanes))],
        )
        parts = list(self.parts(row, span, start, group))
        starts = None
        if self.starts is not None:
            at = group * self.blocks * self.block + first * lanes
            starts = [
                T.bind(self.starts[lanes_at(at + i * lanes, lanes)]) for i in range(panel.vectors)
            ]
        tile = Tiling(span.rows, panel.vectors)
        sums = sum_up(tile, lanes, self.x, weights, parts, self.products, starts)
        values = [[total.value for total in totals] for totals in sums]
        column = group * self.outputs + first * lanes
        pixel = self.conv.pixel(row, start)
        self.results.put(values, pixel, column, lanes, used, self.conv.step)

    def weights_at(self, group: Any, first: Any, i: int) -> Any:
        """Return where the weights of vector `first + i` of a group begin."""
        block, within = place_of(first + i, self.lanes, self.block)
        return self.base + (group * self.blocks + block) * self.block_size + within

    def parts(self, row: Any, span: Span, start: Any, group: Any) -> Iterator[Loops]:
        """Yield the loops over the window, for each set of weights."""
        for each in range(self.products.passes // self.products.at_once(self.lanes)):
            before = each * (self.pass_size // self.block)
            for part in self.window_parts(row, span, start, group):
                step = part.step
                yield replace(part, step=lambda *at, step=step, before=before: before + step(*at))

    def window_parts(self, row: Any, span: Span, start: Any, group: Any) -> Iterator[Loops]:
        """Yield the loops over the window, cut where pixels of the tile have no more of it."""
        conv, inputs = self.conv, self.inputs
        plane, top = conv.at(row)
        low, count = conv.window_rows(top)
        lowest, planes, plane_of = conv.window_planes(plane)

        def tap(deep: Any, tall: Any) -> Any:
            return (lowest + deep) * conv.window[0] + low + tall

        def value(i: int, deep: Any, tall: Any, wide: Any, channel: Any) -> Any:
            image = plane_of(lowest + deep)
            y = top + (low + tall) * conv.dilation[0]
            x = conv.x(start + i) + wide * conv.dilation[1]
            channel = group * inputs + channel
            if conv.channels_first:
                return ((image * conv.channels + channel) * conv.height + y) * conv.width + x
            return ((image * conv.height + y) * conv.width + x) * conv.channels + channel

        for begin, end, rows in conv.columns(span):
            if conv.channels_first:
                yield Loops(
                    (planes, count, inputs, end - begin),
                    rows,
                    lambda i, deep, tall, channel, wide, at=begin: value(
                        i, deep, tall, at + wide, channel
                    ),
                    lambda deep, tall, channel, wide, at=begin: (
                        (tap(deep, tall) * inputs + channel) * conv.window[1] + at + wide
                    ),
                )
            elif end - begin == 1 or (conv.dilation[1] == 1 and conv.groups == 1):
                # Columns of the window lie side by side in x as in the weights.
                yield Loops(
                    (planes, count, (end - begin) * inputs),
                    rows,
                    lambda i, deep, tall, along, at=begin: value(i, deep, tall, at, along),
                    lambda deep, tall, along, at=begin: (
                        (tap(deep, tall) * conv.window[1] + at) * inputs + along
                    ),
                )
            else:
                yield Loops(
                    (planes, count, end - begin, inputs),
                    rows,
                    lambda i, deep, tall, wide, channel, at=begin: value(
                        i, deep, tall, at + wide, channel
                    ),
                    lambda deep, tall, wide, channel, at=begin: (
                        (tap(deep, tall) * conv.window[1] + at + wide) * inputs + channel
                    ),
                )
