# SPDX-License-Identifier: Apache-2.0
"""ONNX graphs written node by node, for formats that no kept converter knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper, save, shape_inference

OPSET = 13  # unless told


class Writer:
    """A graph that grows."""

    def __init__(self, opset: int = OPSET) -> None:
        self.opset = opset
        self.nodes: list[Any] = []
        self.weights: list[TensorProto] = []
        self.outputs: list[Any] = []

    def constant(self, values: Any, name: str = "") -> str:
        name = name or f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(
        self, operator: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        """Add a node, and return its first output."""
        names = outputs or [f"{operator}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def reshape(self, x: str, *sizes: int) -> str:
        return self.add("Reshape", x, self.constant(np.array(sizes, np.int64)))

    def name_output(self, x: str, name: str, shape: Sequence[Any] | None) -> None:
        if x != name:
            self.add("Identity", x, outputs=[name])
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def model(
        self, inputs: Mapping[str, Sequence[Any]], types: Mapping[str, int] = {}
    ) -> ModelProto:
        values = [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ]
        graph = helper.make_graph(self.nodes, "model", values, self.outputs, self.weights)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )

    def save(
        self, path: Path, inputs: Mapping[str, Sequence[Any]], types: Mapping[str, int] = {}
    ) -> None:
        model = shape_inference.infer_shapes(self.model(inputs, types), strict_mode=True)
        checker.check_model(model)
        save(model, path)
