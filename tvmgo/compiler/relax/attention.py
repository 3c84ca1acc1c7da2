# SPDX-License-Identifier: Apache-2.0
"""Attention in a Relax module: two products with a softmax between, as one operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ATTENTION = "tvmgo.attention"


@dataclass(frozen=True)
class Place:
    """Where the elements of a tensor lie in another one: in elements, for all axes."""

    strides: Sequence[int]
    offset: int


@dataclass(frozen=True)
class Step:
    """What is done to scores before the softmax.

    Attributes
    ----------
    kind : {"add", "multiply", "where"}
        ``"where"`` puts `number` where the operand is not 0.
    number : float
    operand : int
        Which of the tensors behind query, key and value; -1 for none.
    place : Place or None
        Of the operand, as large as the scores.
    """

    kind: str
    number: float = 0.0
    operand: int = -1
    place: Place | None = None


@dataclass(frozen=True)
class Attention:
    """What is computed: for each of `leading`, softmax(query @ key * scale, steps) @ value.

    Attributes
    ----------
    leading : sequence of int
        The sizes over which the products are stacked.
    rows, keys, depth, width : int
        The query has `rows` by `depth` elements, the key `depth` by `keys`, the value `keys` by
        `width`.
    query, key, value, result : Place
        The last stride of `value` and `result` is 1.
    """

    leading: Sequence[int]
    rows: int
    keys: int
    depth: int
    width: int
    query: Place
    key: Place
    value: Place
    result: Place
    steps: Sequence[Step]

    @staticmethod
    def read(said: dict[str, Any]) -> Attention:
        """Return what `dataclasses.asdict` has said."""
        steps = [
            Step(**{**step, "place": step["place"] and Place(**step["place"])})
            for step in said["steps"]
        ]
        places = {name: Place(**said[name]) for name in ("query", "key", "value", "result")}
        return Attention(**{**said, **places, "steps": steps})
