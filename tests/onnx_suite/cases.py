# SPDX-License-Identifier: Apache-2.0
"""The suite's cases: models with inputs and expected outputs."""

import warnings
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted")
# What is not for inference.
TRAINING = ("ai.onnx.preview.training",)
# Elements of an input that may stand for shapes, axes and the like.
SMALL = 16


@dataclass(frozen=True)
class Case:
    """One of the suite's; its models and values are read when they are wanted."""

    kind: str
    source: object  # the suite's own

    @property
    def name(self):
        return self.source.name.removeprefix("test_")

    @cached_property
    def model(self):
        if self.source.model is not None:
            return self.source.model
        return onnx.load(Path(self.source.model_dir, "model.onnx"))

    @cached_property
    def values(self):
        """Inputs and expected outputs, both by name."""
        if self.source.data_sets:
            inputs, outputs = self.source.data_sets[0]
        else:
            inputs, outputs = (self.read(kind) for kind in ("input", "output"))
        graph = self.model.graph
        return tuple(
            {value.name: as_array(each) for value, each in zip(declared, found)}
            for declared, found in ((graph.input, inputs), (graph.output, outputs))
        )

    def read(self, kind):
        folder = Path(self.source.model_dir, "test_data_set_0")
        count = len(list(folder.glob(f"{kind}_*.pb")))
        return [onnx.load_tensor(folder / f"{kind}_{i}.pb") for i in range(count)]

    @property
    def operator(self):
        """What the case is about: the operator, for models of more than one the suite's part."""
        if self.kind != "node":
            return f"({self.kind})"
        nodes = [n.op_type for n in self.model.graph.node if n.op_type != "Constant"]
        return nodes[0] if len(nodes) == 1 else None


def as_array(value):
    return (
        numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    )


@cache
def all_cases():
    """Return the cases of the suite that tensors of numbers can say, by name."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite overflows on purpose
        found = [Case(kind, each) for kind in KINDS for each in load_model_tests(kind=kind)]
    return {case.name: case for case in found if is_of_tensors(case.model)}


def is_of_tensors(model):
    """Whether a model takes and gives tensors of numbers, and is none of training."""
    return not any(each.domain in TRAINING for each in model.opset_import) and all(
        value.type.WhichOneof("value") == "tensor_type"
        and value.type.tensor_type.elem_type != onnx.TensorProto.STRING
        for value in (*model.graph.input, *model.graph.output)
    )


# Which small inputs become constants: integers beyond the first, all beyond the first, all.
CONSTANTS = {
    "integers": lambda position, array: position > 0 and array.dtype.kind in "iub",
    "others": lambda position, array: position > 0,
    "all": lambda position, array: True,
}


def with_constants(model, inputs, which):
    """Make small inputs constants, those of `CONSTANTS` that `which` names.

    Returns a model and the inputs that it still has.
    """
    made, left = onnx.ModelProto(), dict(inputs)
    made.CopyFrom(model)
    for position, value in enumerate(model.graph.input):
        array = left.get(value.name)
        if array is not None and array.size <= SMALL and CONSTANTS[which](position, array):
            made.graph.initializer.append(numpy_helper.from_array(left.pop(value.name), value.name))
    kept = [value for value in made.graph.input if value.name in left]
    del made.graph.input[:]
    made.graph.input.extend(kept)
    return made, left
