# SPDX-License-Identifier: Apache-2.0
"""Operators that onnx's reference evaluator defines otherwise than the standard."""

from __future__ import annotations

import numpy as np
from onnx.reference.op_run import OpRun


class LRN(OpRun):  # type: ignore[misc]
    """Its own goes through as many channels as there are images in the batch."""

    def _run(
        self, x: np.ndarray, alpha: float, beta: float, bias: float, size: int
    ) -> tuple[np.ndarray]:
        squares = np.zeros(x.shape, np.float64)
        for channel in range(x.shape[1]):
            window = x[:, max(channel - (size - 1) // 2, 0) : channel + size // 2 + 1]
            squares[:, channel] = np.sum(window.astype(np.float64) ** 2, axis=1)
        return ((x / (bias + alpha / size * squares) ** beta).astype(x.dtype),)


CORRECTED = [LRN]
