# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions and pools: each channel by itself, vectors along the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.passes.rewrite.nan import larger
from tvmgo.compiler.relax.templates.kernels.contraction import nest
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    lanes_at,
    load,
    loop,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import BLOCK
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL, Span, Windows

# Pixels of a tile; more bring nothing, as each has loads of its own.
ROWS = 8

# Statements in a row; a window with more columns is a loop.
MOST_UNROLLED = 64


class Depthwise:
    """The sum of what a window covers, weighted."""

    has_weights = True

    @staticmethod
    def sum_type(dtype: str) -> str:
        """Return the type of sums of products with weights of a type."""
        return dtype

    @staticmethod
    def read(value: Any, lanes: int) -> Any:
        """Return what is added of a value of the image."""
        return value

    @staticmethod
    def start(dtype: str) -> Any:
        return zero(dtype)

    @staticmethod
    def add(total: Any, value: Any, weight: Any) -> Any:
        return total + value * weight

    @staticmethod
    def finish(total: Any, count: Any) -> Any:
        return total


class Maximum(Depthwise):
    """The largest value that a window covers, or NaN if one is."""

    has_weights = False

    @staticmethod
    def start(dtype: str) -> Any:
        return tirx.min_value(dtype) if "int" in dtype else tirx.const(-np.inf, dtype)

    @staticmethod
    def add(total: Any, value: Any, weight: Any) -> Any:
        return larger(total, value)


class CentredDepthwise(Depthwise):
    """The weighted sum of bytes less their zero point."""

    def __init__(self, zero: int) -> None:
        self.zero = zero

    @staticmethod
    def sum_type(dtype: str) -> str:
        return "int32"

    def read(self, value: Any, lanes: int) -> Any:  # type: ignore[override]  # others need no self
        return value - broadcast(tirx.const(self.zero, "int32"), lanes) if self.zero else value


class Average(Depthwise):
    """The mean of the values that a window covers, whatever it covers of the padding."""

    has_weights = False

    @staticmethod
    def add(total: Any, value: Any, weight: Any) -> Any:
        return total + value

    @staticmethod
    def finish(total: Any, count: Any) -> Any:
        return total / count


class PaddedAverage(Average):
    """The mean over the window, with the padding as zeros."""


def pack_channelwise(weights: np.ndarray) -> np.ndarray:
    """Pack weights of shape (channels, 1, height, width) as (height, width, channels), filled up."""
    channels, _, height, width = weights.shape
    packed = np.zeros((height, width, -(-channels // BLOCK) * BLOCK), weights.dtype)
    packed[:, :, :channels] = weights[:, 0].transpose(1, 2, 0)
    return packed


class ChannelwiseKernel:
    """Emits one kernel of a `kind`, which is one of the classes above, or an object of such."""

    def __init__(
        self,
        windows: Windows,
        epilogue: Epilogue,
        unit: VectorUnit,
        kind: type[Depthwise] | Depthwise,
        lanes: int = 0,
    ) -> None:
        self.windows = windows
        self.epilogue = epilogue
        self.kind = kind
        self.lanes = lanes or unit.lanes
        self.vectors = -(-windows.channels // self.lanes)
        self.tail = windows.channels - (self.vectors - 1) * self.lanes
        self.stride = -(-windows.channels // BLOCK) * BLOCK
        self.spans = list(windows.spans(best_rows(windows.out_width)))

    def emit(self, name: str, x_shape: Sequence[int], x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, packed weights if any, operands, the result.

        The weights are of `dtype`, as are the sums, unless the kind says otherwise.
        """
        specs = [("x", x_shape, x_dtype)]
        if self.kind.has_weights:
            specs.append(("weights", self.packed_shape, dtype))
        epilogue = self.epilogue
        with Kernel(name, epilogue.in_place(len(specs)), epilogue.extends(len(specs))) as kernel:
            x, *others = kernel.tensors([*specs, *epilogue.parameters()])
            weights = others.pop(0) if self.kind.has_weights else None
            self.dtype = dtype
            self.emit_into(x, weights, 0, Results.of(epilogue, others))
        template = "depthwise convolution" if self.kind.has_weights else "pool"
        tile = f"{self.spans[0].rows} x 1"
        return explained(kernel.function, template, 2 * self.windows.products, tile)

    @property
    def packed_shape(self) -> tuple[int, ...]:
        tall, wide = self.windows.window
        return (self.windows.deep.window * tall, wide, self.stride)

    def emit_into(
        self, x: tirx.Buffer, weights: tirx.Buffer | None, base: int, results: Results
    ) -> None:
        """Emit what is to be done; the packed weights, if any, begin at `base`."""
        self.x, self.weights, self.base, self.results = x, weights, base, results
        if weights is not None:
            self.dtype = self.kind.sum_type(weights.dtype)
        loop(self.windows.rows, self.row, self.windows.products >= FEWEST_PARALLEL)

    def row(self, row: Any) -> None:
        whole = self.vectors - (self.tail < self.lanes)
        for span in self.spans:

            def tile(i: Any, span: Span = span) -> None:
                start = span.start + i * span.rows
                if whole:
                    loop(whole, lambda vector: self.tile(row, span, start, vector, self.lanes))
                if whole < self.vectors:
                    self.tile(row, span, start, whole, self.tail)

            loop(span.count, tile)

    def tile(self, row: Any, span: Span, start: Any, vector: Any, used: int) -> None:
        windows, lanes = self.windows, self.lanes
        first = self.kind.start(self.dtype)
        totals = [Accumulator(broadcast(first, lanes), self.dtype, lanes) for _ in range(span.rows)]
        plane, top = windows.at(row)
        low, count = windows.window_rows(top)
        lowest, planes, plane_of = windows.window_planes(plane)

        def step(rows: list[int], deep: Any, tall: Any, wide: Any) -> None:
            image = plane_of(lowest + deep)
            y = top + (low + tall) * windows.dilation[0]
            weight = None
            if self.weights is not None:
                tap = ((lowest + deep) * windows.window[0] + low + tall) * windows.window[1] + wide
                at = tap * self.stride + vector * lanes
                weight = T.bind(self.cast(self.weights[lanes_at(self.base + at, lanes)]))
            for i in rows:
                x = windows.x(start + i) + wide * windows.dilation[1]
                at = (image * windows.height + y) * windows.width + x
                value = load(self.x, at * windows.channels + vector * lanes, lanes, used)
                value = T.bind(self.kind.read(self.cast(value), lanes))
                totals[i].set(self.kind.add(totals[i].value, value, weight))

        columns = [0] * span.rows
        parts = list(windows.columns(span))
        unrolled = sum((end - begin) * len(rows) for begin, end, rows in parts) <= MOST_UNROLLED
        for begin, end, rows in parts:
            for i in rows:
                columns[i] += end - begin

        def window_row(deep: Any, tall: Any) -> None:
            for begin, end, rows in parts:
                if unrolled:
                    for wide in range(begin, end):
                        step(rows, deep, tall, wide)
                else:
                    nest(
                        (end - begin,),
                        lambda wide, rows=rows, begin=begin: step(rows, deep, tall, begin + wide),
                    )

        nest((planes, count), window_row)
        values = []
        for i, total in enumerate(totals):
            covered = planes * count * columns[i]
            if self.kind is PaddedAverage:
                covered = windows.deep.window * windows.window[0] * windows.window[1]
            covered = tirx.Cast(self.dtype, tirx.convert(covered))
            values.append([self.kind.finish(total.value, broadcast(covered, lanes))])
        pixel = windows.pixel(row, start)
        self.results.put(values, pixel, vector * lanes, lanes, [used], windows.step)

    def cast(self, value: Any) -> Any:
        """Return a vector in the type of the sums."""
        dtype = self.dtype if self.lanes == 1 else f"{self.dtype}x{self.lanes}"
        return value if str(value.ty.dtype) == dtype else tirx.Cast(dtype, value)


def best_rows(width: int, most: int = ROWS) -> int:
    """Return the pixels of a tile with which a row of `width` pixels has the fewest odd ends."""
    return max(
        range(1, min(most, width) + 1),
        key=lambda rows: (-(-(-width // rows) * (rows + 2)), -(width % rows)),
    )
