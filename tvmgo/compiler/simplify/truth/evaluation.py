# SPDX-License-Identifier: Apache-2.0
"""A model run as it is, by ONNX Runtime, or by onnx's reference evaluator where that has no kernel."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx

from tvmgo.compiler.simplify.graph_editor import subgraphs
from tvmgo.compiler.simplify.reference import RANDOM
from tvmgo.compiler.simplify.truth.definitions import CORRECTED

Values = Mapping[str, np.ndarray]
Run = Callable[[Values], dict[str, np.ndarray]]


class NoTruth(Exception):
    """Why there is nothing to hold an exported model beside."""


def evaluators_of(model: Path | bytes) -> Iterator[tuple[str, Run]]:
    """Give those who run the model, each with the function that does; the best first.

    Raises
    ------
    NoTruth
        If nobody can load it.
    """
    failures = []
    for evaluator in (onnx_runtime, reference):
        try:
            found = evaluator(model)
        except Exception as error:  # ONNX Runtime's classes have no common base
            failures.append(first_line(error))
        else:
            yield found
    if len(failures) == 2:
        raise NoTruth(
            f"ONNX Runtime cannot load the model ({failures[0]}), nor can onnx's reference "
            f"evaluator ({failures[1]})"
        )


def onnx_runtime(model: Path | bytes) -> tuple[str, Run]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    # The truth is the model's own operators.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=["CPUExecutionProvider"],
    )
    types = {output.name: output.type for output in session.get_outputs()}

    def run(values: Values) -> dict[str, np.ndarray]:
        feeds = {name: ort_value(value) for name, value in values.items()}
        found = session.run_with_ort_values(list(types), feeds)
        return {name: array_of(value, types[name]) for name, value in zip(types, found)}

    return f"ONNX Runtime {ort.__version__}", run


def ort_value(value: np.ndarray) -> Any:
    """Return a value for ONNX Runtime, which knows short floats but not as arrays of NumPy."""
    import onnxruntime as ort

    if value.dtype.name not in SHORT_FLOATS.values():
        return ort.OrtValue.ortvalue_from_numpy(value)
    code = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    bits = value.view(f"u{value.dtype.itemsize}")
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, code)


def array_of(value: Any, name: str) -> np.ndarray:
    """Return what came from ONNX Runtime as an array of an element type, which it names so."""
    if name not in SHORT_FLOATS:
        return np.asarray(value.numpy())
    dtype = np.dtype(getattr(ml_dtypes, SHORT_FLOATS[name]))
    shape = value.shape()
    content = ctypes.string_at(value.data_ptr(), math.prod(shape) * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape(shape)


SHORT_FLOATS = {
    "tensor(bfloat16)": "bfloat16",
    "tensor(float8e4m3fn)": "float8_e4m3fn",
    "tensor(float8e4m3fnuz)": "float8_e4m3fnuz",
    "tensor(float8e5m2)": "float8_e5m2",
    "tensor(float8e5m2fnuz)": "float8_e5m2fnuz",
}


def reference(model: Path | bytes) -> tuple[str, Run]:
    from onnx.reference import ReferenceEvaluator

    given = model if isinstance(model, bytes) else str(model)
    evaluator = ReferenceEvaluator(given, new_ops=CORRECTED)
    names = list(evaluator.output_names)

    def run(values: Values) -> dict[str, np.ndarray]:
        return dict(zip(names, map(np.asarray, evaluator.run(names, dict(values)))))

    return f"onnx {onnx.__version__}'s reference evaluator", run


def first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:300]


def refuse_random(model: Any) -> None:
    """Raise `NoTruth` if the model draws numbers."""
    graphs = [model.graph, *model.functions]
    while graphs:
        for node in graphs.pop().node:
            if node.op_type in RANDOM:
                raise NoTruth(f"the model draws random numbers (operator {node.op_type})")
            graphs += subgraphs(node)
