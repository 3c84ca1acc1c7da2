# SPDX-License-Identifier: Apache-2.0
"""Models of any size, though a protobuf message has at most 2 GiB."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto

# Bytes of weights from which they are a file of their own.
LARGE = 1 << 30

# Bytes from which a weight is put aside. Shapes, axes and scales are smaller.
LARGE_WEIGHT = 1 << 16
# Integers may be shapes, whose values inference wants to see.
NEVER_ASIDE = {TensorProto.INT32, TensorProto.INT64, TensorProto.STRING}


def weight_bytes(model: Any) -> int:
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def save_model(model: Any, path: Path) -> bool:
    """Write a model, its weights beside it if they are large; tells whether they were moved out."""
    large = weight_bytes(model) > LARGE
    onnx.save(model, path, save_as_external_data=large, location=f"{path.stem}.data")
    return large


def without_weights(step: Callable[[Any], Any], model: Any) -> Any:
    """Return `step(model)`, for steps that read no large weight and keep the names of all.

    They serialise the model, which is slow with its weights and impossible with many of them.
    """
    aside = {}
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) >= LARGE_WEIGHT and tensor.data_type not in NEVER_ASIDE:
            aside[tensor.name] = tensor.raw_data
            tensor.ClearField("raw_data")
    try:
        result = step(model)
    finally:
        restore(model, aside)
    if result is not model:
        restore(result, aside)
    return result


def restore(model: Any, weights: dict[str, bytes]) -> None:
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            tensor.raw_data = weights[tensor.name]
