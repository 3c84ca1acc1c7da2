# SPDX-License-Identifier: Apache-2.0
"""Weights in the order in which tiles read them, the same for every processor."""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK = 16  # output channels side by side: vectors of all processors divide it


def block_of(channels: int) -> int:
    """Return the channels of a block: fewer than `BLOCK` only where groups have fewer."""
    block = BLOCK
    while block // 2 >= channels:
        block //= 2
    return block


def place_of(vector: Any, lanes: int, block: int = BLOCK) -> tuple[Any, Any]:
    """Return in which block a vector of weights lies, and where it begins there."""
    per_block = block // lanes
    return vector // per_block, vector % per_block * lanes


def vectors_per_line(vectors: int, lanes: int, block: int = BLOCK) -> int:
    """Return how many vectors of a tile lie in each line of the cache, which is a block."""
    per_block = block // lanes
    return 1 if vectors % per_block and per_block % vectors else min(vectors, per_block)


def pack_weights(weights: np.ndarray, groups: int, channels_first: bool) -> np.ndarray:
    """Pack the weights of a convolution.

    Parameters
    ----------
    weights : numpy.ndarray
        Of shape (output channels, input channels of a group, window height, window width).
    groups : int
    channels_first : bool
        Whether the convolution walks along the window before it goes on to the next input channel,
        as it does where the input is NCHW.

    Returns
    -------
    numpy.ndarray
        Of shape (groups, blocks, window height, window width, input channels, channels of a
        block), or with the two before the last exchanged; filled up with zeros.
    """
    outputs, inputs, height, width = weights.shape
    each = outputs // groups
    block = block_of(each)
    blocks = -(-each // block)
    filled = np.zeros((groups, blocks * block, inputs, height, width), weights.dtype)
    filled[:, :each] = weights.reshape(groups, each, inputs, height, width)
    split = filled.reshape(groups, blocks, block, inputs, height, width)
    return np.ascontiguousarray(split.transpose(packed_order(channels_first)))


def packed_order(channels_first: bool) -> tuple[int, ...]:
    """Return the order in which (groups, blocks, block, inputs, rows, columns) are packed."""
    return (0, 1, 4, 3, 5, 2) if channels_first else (0, 1, 4, 5, 3, 2)


FOUR = 4  # bytes that are multiplied at once


def pack_bytes(weights: np.ndarray, groups: int) -> np.ndarray:
    """Pack weights as bytes, four input channels in an int32.

    Parameters
    ----------
    weights : numpy.ndarray
        Of shape (output channels, input channels of a group, window height, window width); whole
        numbers.
    groups : int

    Returns
    -------
    numpy.ndarray
        As `pack_weights` packs a fourth of the channels, the first of the four in the lowest byte;
        channels are filled up with zeros. If int8 cannot hold the weights, there is an axis more
        behind the blocks, for parts of them that add up.
    """
    parts: list[np.ndarray] = []
    rest = weights
    while not parts or rest.any():
        parts.append(np.clip(rest, -128, 127))
        rest = rest - parts[-1]
    outputs, inputs, height, width = weights.shape
    packed = []
    for part in parts:
        filled = np.zeros((outputs, -(-inputs // FOUR) * FOUR, height, width), "int8")
        filled[:, :inputs] = part
        fours = filled.reshape(outputs, -1, FOUR, height, width).transpose(0, 1, 3, 4, 2)
        words = np.ascontiguousarray(fours).view("<i4")[..., 0].astype("int32")
        packed.append(pack_weights(words, groups, False))
    return packed[0] if len(packed) == 1 else np.stack(packed, 2)


def pack_starts(starts: np.ndarray, groups: int) -> np.ndarray:
    """Return numbers of output channels as (groups, channels of all blocks), filled up with zeros."""
    each = starts.size // groups
    block = block_of(each)
    filled = np.zeros((groups, -(-each // block) * block), starts.dtype)
    filled[:, :each] = starts.reshape(groups, each)
    return filled
