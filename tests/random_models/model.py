# SPDX-License-Identifier: Apache-2.0
"""Random small ONNX models: ranks 0 to 5, sizes of 1, primes and tails, many element types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.random_models.formulas import by_formula

SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 19, 31, 33, 49, 64, 67, 129)
LARGEST = 40_000  # elements
LARGEST_NUMBER = 1e4
FLOATS = ("float32", "float32", "float32", "float64", "float16")
INTEGERS = (
    *("int64", "int64", "int32", "int32", "int8", "uint8"),
    *("int16", "uint16", "uint32", "uint64"),
)
OPSETS = {"": 23, "com.microsoft": 1}

# Their results jump, or have no bound, near what rounding may turn into something else.
JUMPS = {
    *("Ceil", "Floor", "Round", "Sign", "Not", "Equal", "Less", "LessOrEqual", "Greater"),
    *("GreaterOrEqual", "Mod", "Hardmax", "Shrink", "ThresholdedRelu", "ArgMax", "ArgMin", "TopK"),
    *("Reciprocal", "Div", "Tan", "Sqrt", "Log", "Pow", "Acos", "Asin", "Acosh", "Atanh"),
    *("QuantizeLinear", "DynamicQuantizeLinear", "ReduceLogSum", "LpNormalization"),
    *("ReduceL2", "LpPool", "GlobalLpPool", "IsInf", "IsNaN"),
}
# The standard does not say where they put NaN.
ORDERS = {"ArgMax", "ArgMin", "TopK"}
# Their results are values of their inputs.
MOVES = {
    *("Transpose", "Reshape", "Concat", "Split", "Slice", "Pad", "Expand", "Tile", "Gather"),
    *("GatherElements", "GatherND", "ScatterElements", "ScatterND", "Identity", "Neg", "Abs"),
    *("Relu", "Max", "Min", "Flatten", "Squeeze", "Unsqueeze", "Where", "MaxPool", "Trilu"),
    *("DepthToSpace", "SpaceToDepth", "ReverseSequence", "CenterCropPad", "GlobalMaxPool"),
    *("ReduceMax", "ReduceMin", "Sign", "Ceil", "Floor", "Round", "Cast"),
}


class Value(NamedTuple):
    name: str
    array: np.ndarray
    exact: bool  # not rounded yet


class RandomModel:
    """A model that grows by random operators until it has so many.

    Attributes
    ----------
    nodes : list of NodeProto
    inputs, constants : dict of str to ndarray
    """

    def __init__(self, seed: int, operators: int | None = None) -> None:
        from tests.random_models.operators import OPERATORS

        self.rng = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self.values: list[Value] = []
        operators = operators or int(self.rng.integers(2, 10))
        while len(self.nodes) < operators:
            self.pick(OPERATORS)(self)
        made = [name for node in self.nodes for name in node.output if name]
        used = {name for node in self.nodes for name in node.input}
        # Some values are both outputs and read by others.
        self.outputs = [name for name in made if name not in used or self.chance(0.1)]
        self.inputs = {name: array for name, array in self.inputs.items() if name in used}

    # What operators use

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def integer(self, low: int, high: int) -> int:
        """Draw an integer, `high` among them."""
        return int(self.rng.integers(low, high + 1))

    def shape(self, rank: int, sizes: Sequence[int] = SIZES) -> tuple[int, ...]:
        while True:
            shape = tuple(int(self.pick(sizes)) for _ in range(rank))
            if math.prod(shape) <= LARGEST:
                return shape

    def array(self, dtype: Any, shape: Sequence[int]) -> np.ndarray:
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            return self.rng.integers(0, 2, shape).astype(bool)
        if dtype.kind in "iu":
            return self.rng.integers(0 if dtype.kind == "u" else -9, 10, shape).astype(dtype)
        return np.asarray(self.rng.standard_normal(shape)).astype(dtype)

    def given(self, array: np.ndarray) -> Value:
        value = Value(
            f"x{len(self.inputs)}", np.ascontiguousarray(array).reshape(array.shape), True
        )
        self.inputs[value.name] = value.array
        self.values.append(value)
        return value

    def constant(self, array: Any, dtype: Any = None) -> Value:
        value = Value(f"c{len(self.constants)}", np.asarray(array, dtype), True)
        self.constants[value.name] = value.array
        return value

    def new_input(self, dtype: Any, shape: Sequence[int]) -> Value:
        return self.given(self.array(dtype, shape))

    def weights(self, dtype: Any, shape: Sequence[int], scale: float = 1) -> Value:
        return self.constant((self.array(dtype, shape) * scale).astype(dtype))

    def other(self, dtype: Any, shape: Sequence[int]) -> Value:
        """Return an input, a constant, or a value that is there."""
        fitting = [v for v in self.values if (v.array.dtype, v.array.shape) == (dtype, shape)]
        if fitting and self.chance(0.5):
            return self.pick(fitting)
        array = self.array(dtype, shape)
        return self.given(array) if self.chance(0.5) else self.constant(array)

    def some(self, rank: int = 0, kind: str = "f", dtype: str = "", most: int = 5) -> Value:
        """Return a value of at least this rank, in a chain the last one; `dtype` alone if given."""
        fitting = [
            value
            for value in self.values
            if rank <= value.array.ndim <= most
            and value.array.dtype.kind in kind
            and dtype in ("", value.array.dtype.name)
        ]
        if fitting and self.chance(0.8):
            return fitting[-1] if self.chance(0.4) else self.pick(fitting)
        chosen = {"f": FLOATS, "b": ("bool",)}.get(self.pick(kind), INTEGERS)
        return self.new_input(dtype or self.pick(chosen), self.shape(self.integer(rank, most)))

    def exact(self, rank: int = 0, kind: str = "f") -> Value:
        value = self.some(rank, kind)
        shape = self.shape(self.integer(rank, 5))
        return value if value.exact else self.new_input(self.pick(FLOATS), shape)

    def axis(self, value: Value) -> int:
        rank = value.array.ndim
        return int(self.rng.integers(-rank, rank))

    def axes(self, value: Value) -> list[int]:
        rank = value.array.ndim
        return sorted(int(x) for x in self.rng.permutation(rank)[: self.integer(1, rank)])

    def add(self, operator: str, *inputs: Value | None, **attributes: Any) -> list[Value]:
        """Add an operator, if ONNX Runtime has it for these types; return its results, if any."""
        given = [value for value in inputs if value is not None]
        if operator in JUMPS and not all(value.exact for value in given):
            return []
        if operator in ORDERS and any(np.isnan(value.array).any() for value in given):
            return []
        name = f"v{len(self.nodes)}"
        count = attributes.pop("outputs", 1)
        names = [f"{name}_{i}" for i in range(count)]
        node = helper.make_node(
            operator, [value.name if value else "" for value in inputs], names, **attributes
        )
        try:
            results = evaluate_node(node, {value.name: value.array for value in given})
        except (
            Exception
        ):  # ONNX Runtime has no such operator of this type; its classes have no base
            return []
        for array in results:
            if array.size > LARGEST or array.ndim > 5 or array.size == 0:
                return []
            if array.dtype.kind == "f" and not (np.abs(array.astype("f8")) < LARGEST_NUMBER).all():
                return []
        exact = all(value.exact for value in given) and all(
            array.dtype.kind in "iub" or (operator in MOVES and array.itemsize >= largest)
            for array in results
            for largest in [
                max((v.array.itemsize for v in given if v.array.dtype.kind == "f"), default=0)
            ]
        )
        self.nodes.append(node)
        made = [Value(n, array, exact) for n, array in zip(names, results)]
        self.values += made
        return made

    # What comes out

    def model(self) -> ModelProto:
        return model_of(self.nodes, self.inputs, self.constants, self.outputs)

    def expected(self) -> list[np.ndarray]:
        """Return what ONNX Runtime computes."""
        return evaluate(self.model(), self.inputs)

    def truth(self) -> list[np.ndarray]:
        """Return what the model computes where every float has 64 bits."""
        values = {name: widened(a) for name, a in {**self.inputs, **self.constants}.items()}
        for node in self.nodes:
            inputs = {name: values[name] for name in node.input if name}
            narrow = {name: values_of(self, name) for name in inputs}
            values.update(zip(filter(None, node.output), evaluate_wide(node, inputs, narrow)))
        return [values[name] for name in self.outputs]


def values_of(model: RandomModel, name: str) -> np.ndarray:
    known = {**model.inputs, **model.constants}
    return known[name] if name in known else next(v.array for v in model.values if v.name == name)


def widened(array: np.ndarray) -> np.ndarray:
    return array.astype("float64") if array.dtype.kind == "f" else array


def evaluate_wide(
    node: NodeProto, inputs: Mapping[str, np.ndarray], narrow: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Evaluate one operator in float64; in its own type where nobody can."""
    for run in (by_formula, evaluate_node, reference):
        try:
            return [widened(np.asarray(each)) for each in run(node, inputs)]
        except Exception:  # an operator that it does not know, or not of this type
            pass
    same = {name: inputs[name].astype(array.dtype) for name, array in narrow.items()}
    return [widened(array) for array in evaluate_node(node, same)]


def reference(node: NodeProto, inputs: Mapping[str, np.ndarray]) -> list[Any]:
    return ReferenceEvaluator(model_of([node], inputs, {}, node.output)).run(None, dict(inputs))


def evaluate_node(node: NodeProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return evaluate(model_of([node], inputs, {}, node.output), inputs)


def evaluate(model: ModelProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return what ONNX Runtime makes of each operator by itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(each) for each in session.run(None, dict(inputs))]


def model_of(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, np.ndarray],
    constants: Mapping[str, np.ndarray],
    outputs: Sequence[str],
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "random",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid(*each) for each in OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)
