# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN in a Relax module, which has no operators for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RECURRENT = "tvmgo.recurrent"


@dataclass(frozen=True)
class Recurrent:
    """What the operator is.

    Attributes
    ----------
    operator : {"LSTM", "GRU", "RNN"}
    steps, batch, hidden : int
    backwards : sequence of bool
        Of each direction, whether it begins with the last step.
    batch_first : bool
        Whether the batch comes before the steps, and before the directions of a state.
    activations : sequence of (str, float, float)
        Names, alphas and betas.
    clip : float
        Bound of what goes into gates; 0 for none.
    option : bool
        Of an LSTM, that its forget gate is what its input gate leaves; of a GRU, that its state is
        reset before its product with weights, not after.
    optional : sequence of str
        Arguments that there are behind the inputs' part and the weights.
    """

    operator: str
    steps: int
    batch: int
    hidden: int
    backwards: Sequence[bool]
    batch_first: bool
    activations: Sequence[tuple[str, float, float]]
    clip: float
    option: bool
    optional: Sequence[str]
