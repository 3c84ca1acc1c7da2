# SPDX-License-Identifier: Apache-2.0
"""Recurrent operators: what their kernels are given, and where it lies in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tvmgo.compiler.relax.templates.kernels.cells import Cell
from tvmgo.compiler.relax.templates.kernels.packing import block_of

DTYPE = "float32"


@dataclass(frozen=True)
class Recurrence:
    """A recurrent operator.

    Attributes
    ----------
    cell : Cell
    steps, batch, hidden : int
    backwards : tuple of bool
        Of each direction, whether it begins with the last step.
    batch_first : bool
        Whether the batch comes before the steps, and before the directions of a state.
    optional : sequence of str
        Which parameters of `OPTIONAL` there are.
    """

    cell: Cell
    steps: int
    batch: int
    hidden: int
    backwards: tuple[bool, ...]
    batch_first: bool = False
    optional: Sequence[str] = ()

    @property
    def directions(self) -> int:
        return len(self.backwards)

    @property
    def width(self) -> int:
        """How many values the inputs give for a direction of a step."""
        return self.cell.gates * self.hidden

    @property
    def input_shape(self) -> tuple[int, ...]:
        leading = (self.steps, self.batch)
        return (*self._ordered(leading), self.directions * self.width)

    @property
    def series_shape(self) -> tuple[int, ...]:
        if self.batch_first:
            return self.batch, self.steps, self.directions, self.hidden
        return self.steps, self.directions, self.batch, self.hidden

    @property
    def state_shape(self) -> tuple[int, ...]:
        return (*self._ordered((self.directions, self.batch)), self.hidden)

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """Of all states between steps; the hidden one is there twice."""
        return self.directions, self.cell.states + 1, self.batch, self.hidden

    def optional_shape(self, name: str) -> tuple[tuple[int, ...], str]:
        """Return the shape and the element type of a parameter of `OPTIONAL`."""
        if name == "lengths":
            return (self.batch,), "int32"
        if name == "bias":
            return (self.directions, self.hidden), DTYPE
        if name == "peepholes":
            return (self.directions, 3 * self.hidden), DTYPE
        return self.state_shape, DTYPE

    def _ordered(self, pair: tuple[int, int]) -> tuple[int, int]:
        return pair[::-1] if self.batch_first else pair

    # Flat indices

    def input_at(self, direction: Any, step: Any, row: Any) -> Any:
        place = row * self.steps + step if self.batch_first else step * self.batch + row
        return (place * self.directions + direction) * self.width

    def series_at(self, direction: Any, step: Any, row: Any) -> Any:
        if self.batch_first:
            return ((row * self.steps + step) * self.directions + direction) * self.hidden
        return ((step * self.directions + direction) * self.batch + row) * self.hidden

    def state_at(self, direction: Any, row: Any) -> Any:
        if self.batch_first:
            return (row * self.directions + direction) * self.hidden
        return (direction * self.batch + row) * self.hidden

    def memory_at(self, direction: Any, slot: Any, row: Any) -> Any:
        slots = self.cell.states + 1
        return ((direction * slots + slot) * self.batch + row) * self.hidden


# Parameters that a kernel may have, in order: lengths of the sequences, the bias of the recurrent
# weights of a GRU's hidden gate, weights of a cell's state, and the first states.
OPTIONAL = ("lengths", "bias", "peepholes", "initial_h", "initial_c")


def pack_recurrent(weights: np.ndarray, cell: Cell) -> list[np.ndarray]:
    """Pack recurrent weights, for each product of a step.

    Parameters
    ----------
    weights : numpy.ndarray
        Of shape (directions, gates * hidden, hidden).
    cell : Cell

    Returns
    -------
    list of numpy.ndarray
        Of shape (directions, blocks, hidden, gates of the product, units of a block), filled up
        with zeros.
    """
    directions, _, hidden = weights.shape
    block = block_of(hidden)
    blocks = -(-hidden // block)
    filled = np.zeros((directions, cell.gates, blocks * block, hidden), weights.dtype)
    filled[:, :, :hidden] = weights.reshape(directions, cell.gates, hidden, hidden)
    split = filled.reshape(directions, cell.gates, blocks, block, hidden).transpose(0, 2, 4, 1, 3)
    return [np.ascontiguousarray(split[:, :, :, list(each.gates)]) for each in cell.products]
