# SPDX-License-Identifier: Apache-2.0
"""Several unsigned integers in a byte, the first in the lowest bits."""

from __future__ import annotations

import numpy as np


def unpacked(rows: np.ndarray, bits: int) -> np.ndarray:
    """Return the integers of `bits` bits, 2, 4 or 8, in rows of bytes."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return (rows[..., None] >> shifts & np.uint8((1 << bits) - 1)).reshape(len(rows), -1)


def pack(rows: np.ndarray, bits: int) -> np.ndarray:
    """Return rows of integers as bytes, filled up with zeros."""
    count = 8 // bits
    filled = np.zeros((len(rows), -(-rows.shape[1] // count) * count), np.uint8)
    filled[:, : rows.shape[1]] = rows
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return np.bitwise_or.reduce(filled.reshape(len(rows), -1, count) << shifts, axis=-1)
