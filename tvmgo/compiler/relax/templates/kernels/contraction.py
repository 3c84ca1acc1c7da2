# SPDX-License-Identifier: Apache-2.0
"""The register tile: some rows of results by some vectors, summed up in registers.

Each step of the sum loads the vectors of the weights and, for each row, one value that is multiplied
with all of them. Where that value lies does not matter, so that the rows of a tile may be pixels of
any window and of any layout, or rows of a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import Accumulator, broadcast, load, zero
from tvmgo.compiler.relax.templates.kernels.products import ONE_BY_ONE, Products
from tvmgo.compiler.relax.templates.kernels.tiles import Tiling, step_cost

# Steps by which weights are fetched ahead: in a network they are not in the cache.
AHEAD = 48
# Cycles that this takes: steps of small tiles are shorter.
CYCLES_AHEAD = 600


@dataclass(frozen=True)
class Loops:
    """Nested loops of a sum.

    Attributes
    ----------
    extents : sequence of int or Expr
    rows : sequence of int
        Rows of the tile that have these steps.
    value : callable
        Takes the row and the variables; returns the flat index of the row's value.
    step : callable
        Takes the variables; returns the number of the step, as the weights are ordered.
    """

    extents: Sequence[Any]
    rows: Sequence[int]
    value: Callable[..., Any]
    step: Callable[..., Any]


@dataclass(frozen=True)
class Weights:
    """Vectors of weights.

    Attributes
    ----------
    buffer : tirx.Buffer
    bases : sequence of Expr
        Flat index of each vector at step 0.
    stride : int
        Elements from one step to the next.
    used : sequence of int
        Lanes of each vector that lie in the tensor.
    ahead : int
        Steps by which they are fetched ahead; 0 if they are not.
    per_line : int
        Vectors in a row that are in one line of the cache.
    apart : sequence of int
        Elements to the vectors that are added up, of which each step takes the sum.
    """

    buffer: tirx.Buffer
    bases: Sequence[Any]
    stride: int
    used: Sequence[int]
    ahead: int = 0
    per_line: int = 1
    apart: Sequence[int] = (0,)

    def fetch(self, step: Any) -> None:
        if self.ahead:
            for base in self.bases[:: self.per_line]:
                for more in self.apart:
                    at = base + more + (step + self.ahead) * self.stride
                    address = T.address_of(self.buffer[at])
                    T.evaluate(T.call_intrin("void", "tirx.prefetch", address, 0, 3, 1))

    def at(self, step: Any, lanes: int) -> Iterator[list[Any]]:
        """Yield what is to be added up for each vector of a step."""
        for base, used in zip(self.bases, self.used):
            yield [
                load(self.buffer, base + more + step * self.stride, lanes, used)
                for more in self.apart
            ]


def steps_ahead(rows: int, vectors: int) -> int:
    """Return by how many steps a tile's weights are fetched ahead; a single row waits for them."""
    return round(CYCLES_AHEAD / step_cost(rows, vectors)) if rows > 1 else 0


def sum_up(
    tile: Tiling,
    lanes: int,
    values: tirx.Buffer,
    weights: Weights,
    parts: Sequence[Loops],
    products: Products = ONE_BY_ONE,
    starts: Sequence[Any] | None = None,
) -> list[list[Accumulator]]:
    """Emit the sum of a tile over all `parts`; return its accumulators by row and vector.

    `starts` are what the sums of each vector begin at, 0 if not given.
    """
    dtype = weights.buffer.dtype
    starts = starts or [broadcast(zero(dtype), lanes)] * tile.vectors
    sums = [[Accumulator(start, dtype, lanes) for start in starts] for _ in range(tile.rows)]

    def step(part: Loops, *variables: Any) -> None:
        number = part.step(*variables)
        weights.fetch(number)
        vectors = [products.weight(each, lanes) for each in weights.at(number, lanes)]
        for row in part.rows:
            value = products.value(values, part.value(row, *variables), dtype, lanes)
            for total, vector in zip(sums[row], vectors):
                total.set(products.add(total.value, value, vector, lanes))

    for part in parts:
        nest(part.extents, lambda *variables, part=part: step(part, *variables))
    return sums


def nest(extents: Sequence[Any], body: Callable[..., None], *variables: Any) -> None:
    """Emit a loop for each extent; loops of one step are none."""
    if not extents:
        body(*variables)
    elif isinstance(extents[0], int) and extents[0] == 1:
        nest(extents[1:], body, *variables, 0)
    else:
        with T.serial(0, extents[0]) as variable:
            nest(extents[1:], body, *variables, variable)
