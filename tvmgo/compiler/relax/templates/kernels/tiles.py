# SPDX-License-Identifier: Apache-2.0
"""How a matrix of results is cut into tiles that fit the registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Cycles that a sum waits for the one before it.
LATENCY = 4.0
# How far a step that is busy for about as long takes longer than either: measured.
OVERLAP = 6
LOOP = 0.1  # cycles of the loop around a step

WIDEST = 8  # vectors of the widest tile, which a single row takes
WIDE = 4  # of others


@dataclass(frozen=True)
class Tiling:
    """`rows` times `vectors` results are computed at once.

    Of the rows that are left over in the end, which are fewer, `wide` vectors are: a multiple, as few
    sums would wait for each other. 0 if there are no such rows.
    """

    rows: int
    vectors: int
    wide: int = 0

    def __str__(self) -> str:
        return f"{self.rows} x {self.vectors}"

    @property
    def panel(self) -> int:
        """Vectors of weights that all rows pass by, before the next ones do."""
        return self.wide or self.vectors

    def width(self, rows: int) -> int:
        """Return the vectors of a tile of so many rows."""
        return self.vectors if rows == self.rows else self.panel


Fits = Callable[[int, int, VectorUnit], bool]


def step_cost(rows: int, vectors: int) -> float:
    """Cycles of one step: two multiplications, or two loads, begin in each."""
    busy = max(rows * vectors, rows + vectors) / 2
    return (busy**OVERLAP + LATENCY**OVERLAP) ** (1 / OVERLAP) + LOOP


def fits(rows: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether sums, weights, a value of the rows, and perhaps a product are in registers.

    The weights of a single row are used once, from memory.
    """
    weights = vectors if rows > 1 else 0
    return rows * vectors + weights + (1 if unit.fused else 2) <= unit.registers


def choose_tiling(
    rows: int, vectors: int, unit: VectorUnit, fits: Fits = fits, cached: int = WIDEST
) -> Tiling:
    """Choose the tile with which all steps of `rows` by `vectors` results cost least.

    Tiles are cut off at the end of the rows and of the vectors. The weights of `cached` vectors stay in
    the cache while all rows pass by.
    """
    best = None
    for width in range(1, min(vectors, WIDEST if rows == 1 else WIDE) + 1):
        for height in range(1, rows + 1):
            if not fits(height, width, unit):
                break
            left = rows % height
            wide = widest(left, width, min(cached, vectors), unit, fits) if left else 0
            tiling = Tiling(height, width, wide)
            forms = [
                (repeated * count, tall, wide)
                for tall, repeated in cut(rows, height)
                for wide, count in cut(vectors, tiling.width(tall))
            ]
            cost = sum(count * step_cost(tall, wide) for count, tall, wide in forms)
            cost *= 1 + 0.003 * len(forms)  # every other form of a tile is more code
            if best is None or cost < best[0]:
                best = cost, tiling
    assert best is not None
    return best[1]


def widest(rows: int, vectors: int, most: int, unit: VectorUnit, fits: Fits) -> int:
    """Return how many times the vectors a tile of so many rows takes at best."""
    candidates = [
        wide
        for wide in range(vectors, max(vectors, min(most, WIDEST)) + 1, vectors)
        if wide == vectors or fits(rows, wide, unit)
    ]
    return min(candidates, key=lambda wide: step_cost(rows, wide) / wide)


def cut(length: int, size: int) -> list[tuple[int, int]]:
    """Return the sizes of the parts that a length is cut into, each with its number."""
    whole, rest = divmod(length, size)
    return [(size, whole)] * (whole > 0) + [(rest, 1)] * (rest > 0)
