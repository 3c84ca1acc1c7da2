# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions, as ordinary ones that take turns.

Where the stride is s, pixels of the result that lie s apart depend on the same taps of the window: they
are a convolution of stride 1 with these taps. Nothing is multiplied with the zeros that a stride would
put between the pixels of the image.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tvm import tirx

from tvmgo.compiler.relax.templates.kernels.channelwise import (
    ChannelwiseKernel,
    Depthwise,
    pack_channelwise,
)
from tvmgo.compiler.relax.templates.kernels.convolution import ConvolutionKernel
from tvmgo.compiler.relax.templates.kernels.emitting import Kernel, size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.packing import pack_weights
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit
from tvmgo.compiler.relax.templates.kernels.windows import Spread, Windows


@dataclass(frozen=True)
class Turn:
    """What one axis of a turn is.

    Attributes
    ----------
    first : int
        The first pixel of the result, of those a stride apart.
    count : int
        How many there are.
    taps : sequence of int
        Of the window, in the order in which they meet the pixels of the image.
    apart : int
        How far these pixels are from one another.
    before : int
        By how much the first window begins before the image.
    """

    first: int
    count: int
    taps: Sequence[int]
    apart: int
    before: int


def turns_of(
    size: int, outputs: int, window: int, stride: int, dilation: int, before: int
) -> Iterator[Turn]:
    """Yield the turns of an axis; pixel o of the result is made of h s + k d - before = o."""
    common = math.gcd(stride, dilation)
    step, apart = stride // common, dilation // common
    for first in range(min(stride, outputs)):
        count = -(-(outputs - first) // stride)
        taps = [k for k in range(window) if (first + before - k * dilation) % stride == 0]
        if not taps:  # a window of zeros
            yield Turn(first, count, (), 1, 0)
            continue
        assert taps == list(range(taps[0], window, step))
        latest = (first + before - taps[0] * dilation) // stride
        yield Turn(first, count, taps[::-1], apart, (len(taps) - 1) * apart - latest)


class TransposedKernel:
    """Emits a transposed convolution.

    Parameters
    ----------
    conv : Windows
        Sizes of the image, of the window and so on; `padding` is that of the operator.
    out : tuple of int
        Height and width of the result.
    epilogue : Epilogue
    unit : VectorUnit
    """

    def __init__(
        self, conv: Windows, out: tuple[int, int], epilogue: Epilogue, unit: VectorUnit
    ) -> None:
        self.conv, self.out, self.epilogue, self.unit = conv, out, epilogue, unit
        self.depthwise = 1 < conv.groups == conv.channels == conv.outputs
        sizes = (conv.height, conv.width)
        axes = zip(sizes, out, conv.window, conv.strides, conv.dilation, conv.padding)
        self.turns = list(itertools.product(*(turns_of(*axis) for axis in axes)))

    def windows(self, tall: Turn, wide: Turn) -> Windows:
        """Return the convolution of a turn."""

        def behind(turn: Turn, size: int) -> int:
            covered = (max(1, len(turn.taps)) - 1) * turn.apart + 1
            return turn.count - 1 + covered - size - turn.before

        return replace(
            self.conv,
            window=(max(1, len(tall.taps)), max(1, len(wide.taps))),
            strides=(1, 1),
            dilation=(tall.apart, wide.apart),
            padding=(
                *(tall.before, wide.before),
                *(behind(tall, self.conv.height), behind(wide, self.conv.width)),
            ),
            spread=Spread(self.out, self.conv.strides, (tall.first, wide.first)),
        )

    def pack(self, weights: np.ndarray) -> np.ndarray:
        """Pack weights of shape (input channels, output channels of a group, height, width)."""
        groups, size = self.conv.groups, weights.shape[2:]
        split = weights.reshape(groups, -1, *weights.shape[1:]).swapaxes(1, 2)
        plain = split.reshape(self.conv.outputs, -1, *size)
        parts = []
        for tall, wide in self.turns:
            part = plain[:, :, tall.taps][:, :, :, wide.taps]
            if part.size == 0:
                window = self.windows(tall, wide).window
                part = np.zeros((*plain.shape[:2], *window), plain.dtype)
            packed = (
                pack_channelwise(part)
                if self.depthwise
                else pack_weights(part, groups, self.conv.channels_first)
            )
            parts.append(packed.ravel())
        return np.concatenate(parts)

    def emit(self, name: str, x_shape: Sequence[int], x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are x, the packed weights, operands, and the result."""
        parts = [self.part(self.windows(*turn)) for turn in self.turns]
        sizes = [size_of(part.packed_shape) for part in parts]
        operands = [
            (f"operand{i}", operand.shape, operand.dtype)
            for i, operand in enumerate(self.epilogue.operands)
        ]
        with Kernel(name, self.epilogue.in_place(2)) as kernel:
            x, packed, *others, y = kernel.tensors(
                [
                    ("x", x_shape, x_dtype),
                    ("weights", (sum(sizes),), dtype),
                    *operands,
                    ("y", self.epilogue.shape, self.epilogue.dtype),
                ]
            )
            results = Results(self.epilogue, others, y)
            for i, part in enumerate(parts):
                part.emit_into(x, packed, sum(sizes[:i]), results)
        operations = 2 * sum(self.windows(*turn).products for turn in self.turns)
        return explained(kernel.function, "transposed convolution", operations)

    def part(self, windows: Windows) -> Any:
        if self.depthwise:
            return ChannelwiseKernel(windows, self.epilogue, self.unit, Depthwise)
        return ConvolutionKernel(windows, self.epilogue, self.unit)
