# SPDX-License-Identifier: Apache-2.0
"""What a converter is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

OPSET = 17  # of ONNX: what converters have known longest of those that need no raising or lowering


@dataclass(frozen=True)
class Request:
    """A model, and what `export` was told of its inputs.

    Attributes
    ----------
    title : str
        The framework's.
    model : pathlib.Path
        What the framework wrote: a file or a folder.
    shapes : mapping of str to sequence of int
    inputs : mapping of str to numpy.ndarray
    rows : int or None
        How many rows a batch has, if first dimensions are to stay open.
    """

    title: str
    model: Path
    shapes: Mapping[str, list[int]]
    inputs: Mapping[str, np.ndarray]
    rows: int | None
