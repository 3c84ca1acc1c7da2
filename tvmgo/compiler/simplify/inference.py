# SPDX-License-Identifier: Apache-2.0
"""Types and shapes of all values of a model, by ONNX's own inference."""

from __future__ import annotations

from typing import Any

import onnx

from tvmgo.compiler.simplify.weights import without_weights


def infer(model: Any) -> Any:
    """Return the model with types and shapes written into it, as far as they can be known."""
    return without_weights(
        lambda skeleton: onnx.shape_inference.infer_shapes(skeleton, data_prop=True), model
    )
