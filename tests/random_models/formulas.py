# SPDX-License-Identifier: Apache-2.0
"""Operators of which neither ONNX Runtime nor onnx has a kernel for float64, as the standard defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper


def mean_variance(inputs: Sequence[np.ndarray], axes: Sequence[int] = (0, 2, 3)) -> np.ndarray:
    return centred(inputs[0], tuple(axes), lambda variance: np.sqrt(variance) + 1e-9)


def skip_layer(inputs: Sequence[np.ndarray], epsilon: float = 1e-12) -> np.ndarray:
    x, skip, scale, *shifts = inputs
    x = x + skip + sum(shifts[1:])  # the second is the bias of what is normalised
    return centred(x, (-1,), lambda variance: np.sqrt(variance + epsilon)) * scale + sum(shifts[:1])


def fast_gelu(inputs: Sequence[np.ndarray]) -> np.ndarray:
    x = sum(inputs)
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def centred(x: np.ndarray, axes: tuple[int, ...], deviation: Callable[[Any], Any]) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / deviation(x.var(axes, keepdims=True))


FORMULAS: Mapping[str, Callable[..., np.ndarray]] = {
    "FastGelu": fast_gelu,
    "MeanVarianceNormalization": mean_variance,
    "SkipLayerNormalization": skip_layer,
}


def by_formula(node: NodeProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return an operator's result.

    Raises
    ------
    KeyError
        If there is no formula for it.
    """
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return [FORMULAS[node.op_type]([inputs[name] for name in node.input], **attributes)]
