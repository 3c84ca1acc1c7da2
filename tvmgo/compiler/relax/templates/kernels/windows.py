# SPDX-License-Identifier: Apache-2.0
"""Windows over images: sizes, and how the pixels of a row are cut into tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tvm.script.ir_builder import tirx as T

# Products below which a kernel takes less time than the threads need to begin.
FEWEST_PARALLEL = 500_000

# Tiles at the edges of a row are code of their own. Where there would be more than this, of tiles of
# about this size, the input is padded first. (That must not depend on the processor: one graph serves
# all.)
MOST_EDGES = 4
EDGE_TILE = 6


@dataclass(frozen=True)
class Spread:
    """Where the pixels of a result go that are not side by side.

    Attributes
    ----------
    size : tuple of int
        Height and width of what they are put into.
    strides : tuple of int
        From one to the next.
    first : tuple of int
    """

    size: tuple[int, int]
    strides: tuple[int, int]
    first: tuple[int, int]


@dataclass(frozen=True)
class Deep:
    """The axis before height and width, if an image has one: its size, and the window along it."""

    size: int = 1
    window: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    behind: int = 0

    @property
    def outputs(self) -> int:
        covered = (self.window - 1) * self.dilation + 1
        return (self.size + self.before + self.behind - covered) // self.stride + 1


@dataclass(frozen=True)
class Windows:
    """Sizes of a convolution or a pool. `padding` is top, left, bottom, right.

    `channels_first` says whether the input is NCHW; else it is NHWC, as the result always is.
    Its pixels are side by side if `spread` does not say otherwise.
    """

    batch: int
    height: int
    width: int
    channels: int
    outputs: int
    window: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    channels_first: bool = False
    spread: Spread | None = None
    deep: Deep = Deep()

    @property
    def out_height(self) -> int:
        return self.out_size(0, self.height)

    @property
    def out_width(self) -> int:
        return self.out_size(1, self.width)

    def out_size(self, axis: int, size: int) -> int:
        covered = (self.window[axis] - 1) * self.dilation[axis] + 1
        padded = size + self.padding[axis] + self.padding[axis + 2]
        return (padded - covered) // self.strides[axis] + 1

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        return self.batch, self.out_height, self.out_width, self.outputs

    @property
    def planes(self) -> int:
        """How many images of height and width the result has."""
        return self.batch * self.deep.outputs

    @property
    def rows(self) -> int:
        return self.planes * self.out_height

    @property
    def products(self) -> int:
        taps = self.deep.window * self.window[0] * self.window[1] * self.channels // self.groups
        return self.rows * self.out_width * self.outputs * taps

    def turned(self) -> Windows:
        """Return the same with rows for columns, if the image has one column: tiles lie in rows."""
        if self.width > 1 or self.window[1] > 1 or self.padding[1] or self.padding[3]:
            return self
        top, _, bottom, _ = self.padding
        return replace(
            self,
            height=1,
            width=self.height,
            window=self.window[::-1],
            strides=self.strides[::-1],
            dilation=self.dilation[::-1],
            padding=(0, top, 0, bottom),
        )

    def flattened(self) -> Windows:
        """Return the same with all pixels in one row, if each gives one pixel of the result."""
        plain = self.window == self.strides == (1, 1) and not any(self.padding)
        plain = plain and self.deep == Deep(self.deep.size)
        if not plain or self.channels_first or self.spread:
            return self
        width = self.batch * self.deep.size * self.height * self.width
        return replace(self, batch=1, height=1, width=width, deep=Deep())

    # Where the window of a pixel lies

    def at(self, row: Any) -> tuple[Any, Any]:
        """Return the plane of a row of the result, and in which row its windows begin."""
        plane, row = self.split(row)
        return plane, row * self.strides[0] - self.padding[0]

    def split(self, row: Any) -> tuple[Any, Any]:
        if self.planes == 1:
            return 0, row
        return row // self.out_height, row % self.out_height

    def pixel(self, row: Any, column: Any) -> Any:
        """Return where a pixel of the result goes; `step` is from one of a row to the next."""
        if self.spread is None:
            return row * self.out_width + column
        height, width = self.spread.size
        image, row = self.split(row)
        down = row * self.spread.strides[0] + self.spread.first[0]
        along = column * self.spread.strides[1] + self.spread.first[1]
        return (image * height + down) * width + along

    @property
    def step(self) -> int:
        return self.spread.strides[1] if self.spread else 1

    def window_rows(self, top: Any) -> tuple[Any, Any]:
        """Return the first row of a window that lies in the image, and how many do."""
        if self.padding[0] == self.padding[2] == 0:
            return 0, self.window[0]
        return inside(top, self.window[0], self.dilation[0], self.height)

    def window_planes(self, plane: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
        """Return the first plane of a window that lies in the image, how many do, and where each is."""
        deep = self.deep
        if deep == Deep():
            return 0, 1, lambda step: plane
        image, front = plane // deep.outputs, plane % deep.outputs * deep.stride - deep.before

        def place(step: Any) -> Any:
            return image * deep.size + front + step * deep.dilation

        if deep.before == deep.behind == 0:
            return 0, deep.window, place
        return *inside(front, deep.window, deep.dilation, deep.size), place

    def x(self, pixel: Any) -> Any:
        """Return the column of the image where the window of a pixel begins."""
        return pixel * self.strides[1] - self.padding[1]

    def spans(self, rows: int) -> Iterator[Span]:
        """Yield the tiles of a row, of up to `rows` pixels each."""
        start = 0
        while start < self.out_width:
            height = min(rows, self.out_width - start)
            edge = self.at_edge(start, height)
            count = 1
            while not edge:
                after = start + count * height
                if after + height > self.out_width or self.at_edge(after, height):
                    break
                count += 1
            yield Span(start, height, count, edge)
            start += count * height

    @property
    def is_mostly_edges(self) -> bool:
        return sum(span.edge for span in self.spans(EDGE_TILE)) > MOST_EDGES

    def at_edge(self, start: int, rows: int) -> bool:
        """Whether the window of one of these pixels reaches over an end of the row."""
        last = self.x(start + rows - 1) + (self.window[1] - 1) * self.dilation[1]
        return self.x(start) < 0 or last >= self.width

    def columns(self, span: Span) -> Iterator[tuple[int, int, list[int]]]:
        """Yield ranges of a window's columns, and the pixels of a tile that have them."""
        if not span.edge:
            yield 0, self.window[1], list(range(span.rows))
            return
        having = [
            [
                i
                for i in range(span.rows)
                if 0 <= self.x(span.start + i) + column * self.dilation[1] < self.width
            ]
            for column in range(self.window[1])
        ]
        begin = 0
        for end in range(1, self.window[1] + 1):
            if end == self.window[1] or having[end] != having[begin]:
                if having[begin]:
                    yield begin, end, having[begin]
                begin = end


def inside(start: Any, window: int, step: int, size: int) -> tuple[Any, Any]:
    """Return the first place of a window that lies in an axis, and how many do."""
    low = T.max(0, (step - 1 - start) // step)
    high = T.min(window, (size - 1 - start) // step + 1)
    return low, T.max(0, high - low)


@dataclass(frozen=True)
class Span:
    """Tiles side by side in a row: `count` of them, of `rows` pixels each.

    A tile at an edge, where windows reach over the end of the row, is alone.
    """

    start: int
    rows: int
    count: int
    edge: bool
