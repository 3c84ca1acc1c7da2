# SPDX-License-Identifier: Apache-2.0
"""What comes of one case."""

import tempfile
from dataclasses import asdict, dataclass, replace

import numpy as np

import tvmgo
from tests.onnx_suite.cases import CONSTANTS, with_constants
from tvmgo.compiler import ExportError, export

# By bytes of an element; the suite's own tolerance is for float32.
TOLERANCE = {1: 1e-1, 2: 1e-2}


@dataclass(frozen=True)
class Outcome:
    """``right``, ``wrong``, ``refused``, ``error`` (of another class), ``crash`` or ``time-out``.

    `constants` says which inputs were made constant, `caught` whether verification finds what is
    wrong.
    """

    result: str
    reason: str = ""
    constants: str = ""
    caught: bool = False

    def as_row(self):
        return asdict(self)


def outcome_of(case, compiler):
    """Export and run a case; what is refused is tried again with more constants."""
    inputs, expected = case.values
    for which in CONSTANTS:
        model, left = with_constants(case.model, inputs, which)
        options = {"compiler": compiler, "format": "graph", "target": "native"}
        outcome = replace(judge(model, left, list(expected.values()), options), constants=which)
        if outcome.result != "refused":
            break
    if outcome.result == "wrong":
        outcome = replace(outcome, caught=refused_by_verification(model, left, options))
    return outcome


def exported(model, folder, inputs, options):
    shapes = {name: value.shape for name, value in inputs.items()}
    return export(model, folder, shapes=shapes, **options)


def judge(model, inputs, expected, options):
    try:
        with tempfile.TemporaryDirectory() as folder:
            results = run(exported(model, folder, inputs, {**options, "verify": False}), inputs)
    except ExportError as error:
        return Outcome("refused", str(error))
    except Exception as error:
        return Outcome("error", f"{type(error).__name__}: {error}")
    problems = [problem(result, each) for result, each in zip(results, expected)]
    wrong = "; ".join(filter(None, problems))
    return Outcome("wrong" if wrong else "right", wrong)


def refused_by_verification(model, inputs, options):
    try:
        with tempfile.TemporaryDirectory() as folder:
            exported(model, folder, inputs, {**options, "verify": "auto", "inputs": inputs})
    except ExportError:
        return True
    return False


def run(artifacts, inputs):
    graph = tvmgo.graph_executor.create(
        artifacts.graph.read_text(encoding="utf-8"),
        tvmgo.load_module(artifacts.library),
        tvmgo.cpu(0),
    )
    graph.load_params(artifacts.params.read_bytes())
    graph.run(**inputs)
    return [graph.get_output(i).numpy() for i in range(graph.get_num_outputs())]


def problem(result, expected):
    """Say how a result differs from what is expected; nothing if it does not."""
    if result.dtype != expected.dtype or result.shape != expected.shape:
        return (
            f"{result.dtype} of shape {list(result.shape)} instead of "
            f"{expected.dtype} of shape {list(expected.shape)}"
        )
    if result.dtype.kind in "iub":
        differ = result != expected
    else:
        tolerance = TOLERANCE.get(result.dtype.itemsize, 1e-3)
        found, wanted = (each.astype(np.float64) for each in (result, expected))
        with np.errstate(invalid="ignore"):
            differ = ~np.isclose(found, wanted, rtol=tolerance, atol=tolerance / 10, equal_nan=True)
    if not differ.any():
        return ""
    first = np.argwhere(differ)[0]
    place = tuple(int(i) for i in first)
    return f"{int(differ.sum())} of {differ.size} elements; [{place}] is {result[place]}, not {expected[place]}"
