# SPDX-License-Identifier: Apache-2.0
"""Weights in the order in which tiles read them, the same for every processor."""

from __future__ import annotations

import numpy as np

BLOCK = 16  # output channels side by side: vectors of all processors divide it


def block_of(channels: int) -> int:
    """Return the channels of a block: fewer than `BLOCK` only where groups have fewer."""
    block = BLOCK
    while block // 2 >= channels:
        block //= 2
    return block


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
