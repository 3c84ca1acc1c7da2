# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products with few outputs: vectors along the channels, summed up in the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.channelwise import ROWS, best_rows
from tvmgo.compiler.relax.templates.kernels.contraction import nest
from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    lanes_at,
    loop,
    zero,
)
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import BLOCK
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import FEWEST_PARALLEL, Span, Windows

# More outputs than this fill vectors of their own well enough.
MOST_OUTPUTS = 4


def has_few_outputs(windows: Windows) -> bool:
    """Whether a convolution is one for `FewOutputsKernel`; that does not depend on the processor."""
    return (
        windows.outputs <= MOST_OUTPUTS
        and windows.groups == 1
        and windows.channels >= BLOCK
        and not windows.channels_first
    )


def pack_few_outputs(weights: np.ndarray) -> np.ndarray:
    """Pack weights of shape (outputs, channels, height, width) with the channels last, filled up."""
    outputs, channels, height, width = weights.shape
    packed = np.zeros((height, width, outputs, -(-channels // BLOCK) * BLOCK), weights.dtype)
    packed[..., :channels] = weights.transpose(2, 3, 0, 1)
    return packed


class FewOutputsKernel:
    """Emits one convolution."""

    def __init__(self, windows: Windows, epilogue: Epilogue, unit: VectorUnit) -> None:
        self.windows = windows = windows.flattened()
        self.epilogue = epilogue
        self.lanes = unit.lanes
        self.whole, self.tail = divmod(windows.channels, self.lanes)
        self.stride = -(-windows.channels // BLOCK) * BLOCK
        most = min(ROWS, (unit.registers - 2) // windows.outputs - 1)
        self.spans = list(windows.spans(best_rows(windows.out_width, most)))

    def emit(self, name: str, x_shape: Sequence[int], x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, the packed weights, operands, and the result."""
        windows, epilogue = self.windows, self.epilogue
        taps = (windows.deep.window * windows.window[0], windows.window[1])
        packed = (*taps, windows.outputs, self.stride)
        with Kernel(name, epilogue.in_place(2), epilogue.extends(2)) as kernel:
            self.x, self.weights, *others = kernel.tensors(
                [("x", x_shape, x_dtype), ("weights", packed, dtype), *epilogue.parameters()]
            )
            self.results = Results.of(epilogue, others)
            parallel = windows.products >= FEWEST_PARALLEL
            if windows.rows == 1:
                self.row(0, parallel)
            else:
                loop(windows.rows, self.row, parallel)
        tile = f"{self.spans[0].rows} x {windows.outputs}"
        return explained(kernel.function, "convolution", 2 * windows.products, tile)

    def row(self, row: Any, parallel: bool = False) -> None:
        for span in self.spans:

            def one(i: Any, span: Span = span) -> None:
                self.tile(row, span, span.start + i * span.rows)

            loop(span.count, one, parallel and span.count > 1)

    def tile(self, row: Any, span: Span, start: Any) -> None:
        windows, lanes, dtype = self.windows, self.lanes, self.weights.dtype
        nothing = broadcast(zero(dtype), lanes)
        totals = [
            [Accumulator(nothing, dtype, lanes) for _ in range(windows.outputs)]
            for _ in range(span.rows)
        ]
        plane, top = windows.at(row)
        low, count = windows.window_rows(top)
        lowest, planes, plane_of = windows.window_planes(plane)

        def tap(rows: list[int], deep: Any, tall: Any, wide: Any) -> None:
            y = top + (low + tall) * windows.dilation[0]
            at_row = (plane_of(lowest + deep) * windows.height + y) * windows.width
            step = ((lowest + deep) * windows.window[0] + low + tall) * windows.window[1] + wide

            def vector(number: Any, used: int) -> None:
                weights = [
                    T.bind(self.weights[lanes_at(at + number * lanes, lanes)])
                    for at in (
                        (step * windows.outputs + i) * self.stride for i in range(windows.outputs)
                    )
                ]
                for i in rows:
                    x = windows.x(start + i) + wide * windows.dilation[1]
                    at = (at_row + x) * windows.channels + number * lanes
                    value = load_with_zeros(self.x, at, lanes, used)
                    if self.x.dtype != dtype:
                        value = tirx.Cast(dtype if lanes == 1 else f"{dtype}x{lanes}", value)
                    value = T.bind(value)
                    for total, weight in zip(totals[i], weights):
                        total.set(total.value + value * weight)

            if self.whole:
                loop(self.whole, lambda number: vector(number, lanes))
            if self.tail:
                vector(self.whole, self.tail)

        def window_row(deep: Any, tall: Any) -> None:
            for begin, end, rows in windows.columns(span):
                nest(
                    (end - begin,),
                    lambda wide, rows=rows, begin=begin: tap(rows, deep, tall, begin + wide),
                )

        nest((planes, count), window_row)
        values = [[sum_of(total.value, lanes) for total in some] for some in totals]
        pixel = windows.pixel(row, start)
        self.results.put(values, pixel, 0, 1, [1] * windows.outputs, windows.step)


def load_with_zeros(buffer: tirx.Buffer, index: Any, lanes: int, used: int) -> Any:
    """Read a vector of which `used` lanes lie in the tensor; the others, which are added up, are 0.

    A masked load leaves them undefined; and where they are then replaced, LLVM forgets the mask.
    """
    if used == lanes:
        return buffer[lanes_at(index, lanes)]
    parts = [buffer[index + lane] for lane in range(used)]
    return tirx.Shuffle([*parts, *[zero(buffer.dtype)] * (lanes - used)], list(range(lanes)))


def sum_of(vector: Any, lanes: int) -> Any:
    """Add up a vector, half by half."""
    while lanes > 1:
        vector, lanes = T.bind(vector), lanes // 2
        halves = [list(range(begin, begin + lanes)) for begin in (0, lanes)]
        low, high = (tirx.Shuffle([vector], half) for half in halves)
        vector = low + high
    return T.bind(vector)
