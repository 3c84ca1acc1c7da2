# SPDX-License-Identifier: Apache-2.0
"""How a matrix of results is cut into tiles that fit the registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Cycles that a step of a tile costs at least: a sum waits that long for the one before it.
LATENCY = 4.0
LOOP = 0.4  # cycles of the loop around a step

WIDEST = 8  # vectors of the widest tile, which a single row takes


@dataclass(frozen=True)
class Tiling:
    """`rows` times `vectors` results are computed at once."""

    rows: int
    vectors: int

    def __str__(self) -> str:
        return f"{self.rows} x {self.vectors}"


def step_cost(rows: int, vectors: int) -> float:
    """Cycles of one step: two multiplications, or two loads, begin in each."""
    return max(rows * vectors / 2, (rows + vectors) / 2, LATENCY) + LOOP


def fits(rows: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether sums, weights, a value of the rows, and perhaps a product are in registers."""
    return rows * vectors + vectors + (1 if unit.fused else 2) <= unit.registers


def choose_tiling(
    rows: int,
    vectors: int,
    per_block: int,
    unit: VectorUnit,
    fits: Callable[[int, int, VectorUnit], bool] = fits,
) -> Tiling:
    """Choose the tile with which all steps of `rows` by `vectors` results cost least.

    Tiles are cut off at the end of the rows and of the vectors. A tile is whole blocks of weights, or
    an even part of one; a block is `per_block` vectors.
    """
    best = None
    for width in range(1, min(vectors, WIDEST if rows == 1 else 4) + 1):
        if width % per_block and per_block % width:
            continue
        for height in range(1, rows + 1):
            if not fits(height, width, unit):
                break
            cost = sum(
                count * repeated * step_cost(tall, wide)
                for wide, count in cut(vectors, width)
                for tall, repeated in cut(rows, height)
            )
            # Every other form of a tile is more code.
            cost *= 1 + 0.01 * (len(cut(vectors, width)) + len(cut(rows, height)))
            if best is None or cost < best[0]:
                best = cost, Tiling(height, width)
    assert best is not None
    return best[1]


def cut(length: int, size: int) -> list[tuple[int, int]]:
    """Return the sizes of the parts that a length is cut into, each with its number."""
    whole, rest = divmod(length, size)
    return [(size, whole)] * (whole > 0) + [(rest, 1)] * (rest > 0)
