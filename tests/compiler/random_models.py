# SPDX-License-Identifier: Apache-2.0
"""Random small ONNX models: ranks 0 to 5, sizes of 1, primes and tails, many element types."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from onnx import ModelProto, helper, numpy_helper

SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 19, 31, 33, 49, 64, 67, 129)
LARGEST = 40_000  # elements
FLOATS = ("float32", "float32", "float32", "float64", "float16")
INTEGERS = ("int64", "int32", "int8", "uint8")

UNARY = [
    "Abs",
    "Ceil",
    "Erf",
    "Exp",
    "Floor",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Neg",
    "Reciprocal",
    "Relu",
    "Elu",
    "Selu",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Tanh",
    "Sin",
    "Cos",
    "Identity",
]
INTEGER_UNARY = ["Abs", "Neg", "Identity", "Sign"]
BINARY = ["Add", "Sub", "Mul", "Div", "Max", "Min"]
COMPARE = ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]
REDUCE = [
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
]
# Their results jump: of inputs that are right but for rounding they may be far off.
JUMPS = {"Ceil", "Floor", "Sign", "Reciprocal", "Div", *COMPARE}


class Value(NamedTuple):
    name: str
    array: np.ndarray
    exact: bool  # not rounded yet


class RandomModel:
    """A model that grows by random operators; `refused` are those that ONNX Runtime lacks."""

    def __init__(self, seed: int, operators: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self.values: list[Value] = []
        for _ in range(self.rng.integers(1, 4)):
            self.new_input(self.pick(FLOATS), self.shape(int(self.rng.integers(0, 6))))
        while len(self.nodes) < operators:
            self.pick(OPERATORS)(self)

    # What operators use

    def pick(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def shape(self, rank: int) -> tuple[int, ...]:
        while True:
            shape = tuple(int(self.pick(SIZES)) for _ in range(rank))
            if math.prod(shape) <= LARGEST:
                return shape

    def array(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        if dtype == "bool":
            return self.rng.integers(0, 2, shape).astype(bool)
        if np.dtype(dtype).kind in "iu":
            return self.rng.integers(0 if dtype[0] == "u" else -9, 10, shape).astype(dtype)
        return np.asarray(self.rng.standard_normal(shape)).astype(dtype)

    def new_input(self, dtype: str, shape: tuple[int, ...]) -> Value:
        return self.given(self.array(dtype, shape))

    def given(self, array: np.ndarray) -> Value:
        value = Value(f"x{len(self.inputs)}", array, exact=True)
        self.inputs[value.name] = array
        self.values.append(value)
        return value

    def constant(self, array: Any) -> Value:
        value = Value(f"c{len(self.constants)}", np.asarray(array), exact=True)
        self.constants[value.name] = value.array
        return value

    def other(self, dtype: Any, shape: tuple[int, ...]) -> Value:
        """Return an input or a constant."""
        array = self.array(np.dtype(dtype).name, shape)
        return self.given(array) if self.rng.random() < 0.5 else self.constant(array)

    def some(self, rank: int = 0, kind: str = "f") -> Value:
        fitting = [v for v in self.values if v.array.ndim >= rank and v.array.dtype.kind in kind]
        if fitting and self.rng.random() < 0.8:
            return self.pick(fitting)
        dtype = {"f": FLOATS, "b": ("bool",)}.get(self.pick(kind), INTEGERS)
        return self.new_input(self.pick(dtype), self.shape(int(self.rng.integers(rank, 6))))

    def add(self, operator: str, *inputs: Value, **attributes: Any) -> None:
        if operator in JUMPS and not all(value.exact for value in inputs):
            return
        name = f"v{len(self.nodes)}"
        count = attributes.pop("outputs", 1)
        names = [f"{name}_{i}" for i in range(count)]
        node = helper.make_node(operator, [value.name for value in inputs], names, **attributes)
        model = model_of([node], {v.name: v.array for v in inputs}, {}, names)
        try:
            results = evaluate(model, {value.name: value.array for value in inputs})
        except Exception:  # ONNX Runtime has no such operator of this type
            return
        for array in results:
            if array.size > LARGEST or (
                array.dtype.kind == "f" and not (np.abs(array.astype("float64")) < 1e4).all()
            ):
                return
        moved = operator in MOVES and all(value.exact for value in inputs)
        self.nodes.append(node)
        self.values += [Value(n, array, moved) for n, array in zip(names, results)]

    def model(self) -> ModelProto:
        used = {name for node in self.nodes for name in node.input}
        made = [name for node in self.nodes for name in node.output]
        outputs = [name for name in made if name not in used]
        inputs = {name: array for name, array in self.inputs.items() if name in used}
        self.inputs = inputs
        return model_of(self.nodes, inputs, self.constants, outputs)


def model_of(
    nodes: list[Any], inputs: dict[str, np.ndarray], constants: dict[str, Any], outputs: list[str]
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
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def evaluate(model: ModelProto, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    wanted = {value.name for value in session.get_inputs()}
    return session.run(None, {name: a for name, a in inputs.items() if name in wanted})


# Operators


def unary(m: RandomModel) -> None:
    if m.rng.random() < 0.8:
        m.add(m.pick(UNARY), m.some())
    else:
        m.add(m.pick(INTEGER_UNARY), m.some(kind="iu"))


def partner(m: RandomModel, a: Value) -> Value:
    shape = [1 if m.rng.random() < 0.3 else size for size in a.array.shape]
    shape = shape[int(m.rng.integers(0, len(shape) + 1)) if m.rng.random() < 0.3 else 0 :]
    return m.other(a.array.dtype, tuple(shape))


def binary(m: RandomModel) -> None:
    a = m.some(kind=m.pick(("f", "f", "iu")))
    pair = [a, partner(m, a)]
    if m.rng.random() < 0.5:
        pair.reverse()
    operators = BINARY if a.array.dtype.kind == "f" else ("Add", "Sub", "Mul", "Max", "Min")
    m.add(m.pick(operators), *pair)


def compare(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fi"))
    m.add(m.pick(COMPARE), a, partner(m, a))


def power(m: RandomModel) -> None:
    a = m.some()
    exponent = m.pick((2.0, 3.0, 0.5, 1.7, -1.0))
    m.add("Pow", a, m.constant(np.asarray(exponent, a.array.dtype)))


def logarithm(m: RandomModel) -> None:
    shape = m.shape(int(m.rng.integers(0, 6)))
    m.add("Log", m.given(np.abs(m.array(m.pick(FLOATS), shape)) + 1))


def clip(m: RandomModel) -> None:
    a = m.some()
    limits = (m.constant(np.asarray(x, a.array.dtype)) for x in (-0.5, 0.7))
    m.add("Clip", a, *limits)


def where(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fi"))
    m.add("Where", m.other("bool", a.array.shape), a, partner(m, a))


def cast(m: RandomModel) -> None:
    a = m.some(kind=m.pick(("f", "i", "u", "b")))
    to = m.pick(("float32", "float64", "float16", *INTEGERS, "bool"))
    if a.array.dtype.kind == "f" and np.dtype(to).kind != "f" and not a.exact:
        return
    if to == "uint8" and a.array.dtype.kind in "fi":
        return  # of negative numbers C says nothing
    m.add("Cast", a, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def axes_of(m: RandomModel, a: Value) -> list[int]:
    rank = a.array.ndim
    return sorted(int(x) for x in m.rng.permutation(rank)[: m.rng.integers(1, rank + 1)])


def reduce(m: RandomModel) -> None:
    a = m.some(1, m.pick(("f", "f", "f", "i")))
    operator, keep = m.pick(REDUCE), int(m.rng.integers(2))
    axes = axes_of(m, a)
    if operator == "ReduceSum":
        m.add(operator, a, m.constant(np.array(axes)), keepdims=keep)
    else:
        m.add(operator, a, axes=axes, keepdims=keep)


def arg(m: RandomModel) -> None:
    a = m.some(1)
    if a.exact:
        axis = int(m.rng.integers(a.array.ndim))
        m.add(m.pick(("ArgMax", "ArgMin")), a, axis=axis, keepdims=int(m.rng.integers(2)))


def softmax(m: RandomModel) -> None:
    a = m.some(1)
    axis = int(m.rng.integers(-a.array.ndim, a.array.ndim))
    m.add(m.pick(("Softmax", "LogSoftmax")), a, axis=axis)


def layer_norm(m: RandomModel) -> None:
    a = m.some(1)
    axis = int(m.rng.integers(a.array.ndim))
    weights = [m.constant(m.array(a.array.dtype.name, a.array.shape[axis:])) for _ in "wb"]
    m.add("LayerNormalization", a, *weights, axis=axis)


def instance_norm(m: RandomModel) -> None:
    a = m.some(3)
    weights = [m.constant(m.array(a.array.dtype.name, a.array.shape[1:2])) for _ in "wb"]
    m.add("InstanceNormalization", a, *weights)


def transpose(m: RandomModel) -> None:
    a = m.some(1, m.pick("fiub"))
    m.add("Transpose", a, perm=[int(x) for x in m.rng.permutation(a.array.ndim)])


def reshape(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fi"))
    shape = list(a.array.shape)
    if len(shape) > 1 and m.rng.random() < 0.5:
        at = int(m.rng.integers(len(shape) - 1))
        shape[at : at + 2] = [shape[at] * shape[at + 1]]
    else:
        shape.insert(int(m.rng.integers(len(shape) + 1)), 1)
    if len(shape) <= 5:
        m.add("Reshape", a, m.constant(np.array(shape, "int64")))


def concat(m: RandomModel) -> None:
    a = m.some(1, m.pick("fiub"))
    axis = int(m.rng.integers(a.array.ndim))
    parts = [a]
    for _ in range(int(m.rng.integers(1, 4))):
        shape = list(a.array.shape)
        shape[axis] = int(m.pick(SIZES[:10]))
        parts.append(m.other(a.array.dtype, tuple(shape)))
    m.add("Concat", *parts, axis=axis)


def split(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    axis = int(m.rng.integers(a.array.ndim))
    size = a.array.shape[axis]
    if size > 1:
        at = int(m.rng.integers(1, size))
        m.add("Split", a, m.constant(np.array([at, size - at])), axis=axis, outputs=2)


def slice_(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    axis = int(m.rng.integers(a.array.ndim))
    size = a.array.shape[axis]
    begin = int(m.rng.integers(size))
    step = int(m.pick((1, 1, 2, 3, -1)))
    end = size if step > 0 else -size - 1
    m.add("Slice", a, *(m.constant(np.array([x])) for x in (begin, end, axis, step)))


def pad(m: RandomModel) -> None:
    a = m.some(1, "f")
    mode = m.pick(("constant", "constant", "edge", "reflect"))
    most = [min(4, size) if mode == "reflect" else 4 for size in a.array.shape] * 2
    m.add("Pad", a, m.constant(np.array([m.rng.integers(n) for n in most])), mode=mode)


def expand(m: RandomModel) -> None:
    a = m.some(kind=m.pick("fi"))
    shape = [int(m.pick(SIZES[:10])) if size == 1 else size for size in a.array.shape]
    m.add("Expand", a, m.constant(np.array(shape, "int64")))


def tile(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    m.add("Tile", a, m.constant(m.rng.integers(1, 4, a.array.ndim)))


def gather(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    axis = int(m.rng.integers(a.array.ndim))
    size, shape = a.array.shape[axis], m.shape(int(m.rng.integers(0, 3)))
    m.add("Gather", a, m.given(np.asarray(m.rng.integers(-size, size, shape))), axis=axis)


def gather_elements(m: RandomModel) -> None:
    a = m.some(1)
    axis = int(m.rng.integers(a.array.ndim))
    size = a.array.shape[axis]
    m.add("GatherElements", a, m.given(m.rng.integers(-size, size, a.array.shape)), axis=axis)


def scatter_elements(m: RandomModel) -> None:
    a = m.some(1)
    axis = int(m.rng.integers(a.array.ndim))
    shape = list(a.array.shape)
    size = shape[axis]
    shape[axis] = count = int(m.rng.integers(1, size + 1))
    places = np.argsort(m.rng.random(a.array.shape), axis=axis)
    index = np.take(places, range(count), axis=axis)
    m.add("ScatterElements", a, m.given(index), m.other(a.array.dtype, tuple(shape)), axis=axis)


def cumulate(m: RandomModel) -> None:
    a = m.some(1)
    m.add("CumSum", a, m.constant(np.asarray(int(m.rng.integers(a.array.ndim)))))


def matmul(m: RandomModel) -> None:
    a = m.some(2)
    *batch, _, inner = a.array.shape
    columns = int(m.pick(SIZES))
    shape = (*(batch if m.rng.random() < 0.5 else ()), inner, columns)
    if math.prod(shape) <= LARGEST:
        m.add("MatMul", a, m.other(a.array.dtype, shape))


def gemm(m: RandomModel) -> None:
    a = m.array("float32", m.shape(2))
    outer, inner = a.shape
    columns = int(m.pick(SIZES))
    flipped = [int(m.rng.integers(2)), int(m.rng.integers(2))]
    first = m.given(np.ascontiguousarray(a.T) if flipped[0] else a)
    second = m.other("float32", (columns, inner) if flipped[1] else (inner, columns))
    bias = m.constant(m.array("float32", m.pick(((columns,), (outer, 1), ()))))
    m.add("Gemm", first, second, bias, transA=flipped[0], transB=flipped[1], alpha=0.5, beta=2.0)


def convolution(m: RandomModel) -> None:
    rank = int(m.rng.integers(1, 3))
    groups, per_group = m.pick(((1, 1), (1, 3), (1, 8), (2, 4), (5, 1), (8, 1)))
    out = groups * int(m.rng.integers(1, 9))
    size = [int(x) for x in m.rng.integers(5, 20, rank)]
    kernel = [int(x) for x in m.rng.integers(1, 5, rank)]
    x = m.new_input("float32", (int(m.rng.integers(1, 3)), groups * per_group, *size))
    weights = m.constant(m.array("float32", (out, per_group, *kernel)) * np.float32(0.3))
    attributes = dict(
        group=groups,
        strides=[int(s) for s in m.rng.integers(1, 3, rank)],
        pads=[int(p) for p in m.rng.integers(0, 2, 2 * rank)],
        dilations=[int(d) for d in m.rng.integers(1, 3, rank)],
    )
    m.add("Conv", x, weights, m.constant(m.array("float32", (out,))), **attributes)


def pool(m: RandomModel) -> None:
    size = tuple(int(x) for x in m.rng.integers(4, 20, 2))
    x = m.new_input("float32", (1, int(m.pick((1, 3, 16))), *size))
    operator = m.pick(("MaxPool", "AveragePool"))
    m.add(
        operator,
        x,
        kernel_shape=[int(k) for k in m.rng.integers(2, 4, 2)],
        strides=[int(k) for k in m.rng.integers(1, 3, 2)],
        pads=[int(k) for k in m.rng.integers(0, 2, 4)],
    )


def global_pool(m: RandomModel) -> None:
    m.add(
        m.pick(("GlobalAveragePool", "GlobalMaxPool")),
        m.new_input(
            "float32", (1, int(m.pick(SIZES)), int(m.pick(SIZES[:12])), int(m.pick(SIZES[:12])))
        ),
    )


Operator = Callable[[RandomModel], None]
MOVES = {
    *("Transpose", "Reshape", "Concat", "Split", "Slice", "Pad", "Expand", "Tile", "Gather"),
    *("GatherElements", "ScatterElements", "Identity", "Neg", "Abs", "Relu", "Max", "Min"),
}
OPERATORS: tuple[Operator, ...] = (
    *(unary, unary, unary, binary, binary, binary, compare, power, logarithm, clip, where, cast),
    *(reduce, reduce, arg, softmax, layer_norm, instance_norm, transpose, transpose, reshape),
    *(concat, split, slice_, pad, expand, tile, gather, gather_elements, scatter_elements),
    *(cumulate, matmul, gemm, convolution, pool, global_pool),
)
