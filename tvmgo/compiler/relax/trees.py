# SPDX-License-Identifier: Apache-2.0
"""Sums of decision trees in a Relax module, which has no operator for them."""

from __future__ import annotations

from dataclasses import dataclass

TREES = "tvmgo.trees"


@dataclass(frozen=True)
class Trees:
    """What the operator is, and how its nodes lie in memory.

    A node takes `words` integers of 32 bits: its threshold (two words for float64), then one that
    holds how far behind it the node for "no" is and, in the last `bits` bits, its feature; with four
    words these two have a word each. Behind the node for "no" is that for "yes". A leaf's threshold is
    a NaN, and how far its next node is, 0. The number of its weights is in the NaN's last bits, or
    with four words and float32 in the second word.

    Attributes
    ----------
    count : int
        Of trees.
    targets : int
        Of sums.
    words, bits : int
    each : bool
        Whether a leaf adds to all targets; else a tree's leaves add to one, which is said of each tree.
    steps : int
        Of all trees, from root to leaf at most.
    """

    count: int
    targets: int
    words: int
    bits: int
    each: bool
    steps: int
