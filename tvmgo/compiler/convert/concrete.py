# SPDX-License-Identifier: Apache-2.0
"""Functions of TensorFlow to ONNX, by tf2onnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf2onnx
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tvmgo.compiler.convert.request import OPSET


def write_function(
    function: Any, inputs: Iterable[str], outputs: Iterable[str], path: Path
) -> dict[str, str]:
    """Write a concrete function as ONNX, under the user's names of its inputs and outputs, in order."""
    frozen = convert_variables_to_constants_v2(
        function, lower_control_flow=False, aggressive_inlining=True
    )
    return write_graph(
        frozen.graph.as_graph_def(),
        {tensor.name: name for tensor, name in zip(frozen.inputs, inputs)},
        {tensor.name: name for tensor, name in zip(frozen.outputs, outputs)},
        path,
    )


def write_graph(
    graph: Any,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    path: Path,
    shapes: Mapping[str, list[int]] | None = None,
) -> dict[str, str]:
    """Write a graph that has its weights inside; `inputs` and `outputs` say the user's names of tensors, and
    `shapes` those of inputs whose number of dimensions it leaves open."""
    tf2onnx.convert.from_graph_def(
        graph,
        input_names=list(inputs),
        output_names=list(outputs),
        opset=OPSET,
        tensors_to_rename={**inputs, **outputs},
        shape_override=shapes or None,
        output_path=str(path),
    )
    return {"tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__}
