# SPDX-License-Identifier: Apache-2.0
"""Kernels that go through the steps of LSTM, GRU and RNN, for every kind of vectors."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    call_all,
    error,
    lowered_length,
    normal,
    unit_of,
)
from tvmgo.compiler.relax.templates.kernels.cells import (
    Activation,
    Gru,
    GruResetBefore,
    Lstm,
    Rnn,
)
from tvmgo.compiler.relax.templates.kernels.recurrence import RecurrenceKernel
from tvmgo.compiler.relax.templates.kernels.recurrent_tensors import Recurrence, pack_recurrent

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

SIGMOID, TANH = Activation("Sigmoid"), Activation("Tanh")
CELLS = {
    "lstm": Lstm([SIGMOID, TANH, TANH]),
    "gru": Gru([SIGMOID, TANH]),
    "gru, reset before": GruResetBefore([SIGMOID, TANH]),
    "rnn": Rnn([TANH]),
}
FORWARD, BACKWARD, BOTH = (False,), (True,), (False, True)
ALL = ("lengths", "bias", "peepholes", "initial_h", "initial_c")
# Steps, batch, hidden, directions, whether the batch is first, and what else is given.
SHAPES = [
    (1, 1, 1, FORWARD, False, ()),
    (5, 1, 16, BACKWARD, False, ()),
    (4, 2, 7, BOTH, True, ("initial_h",)),
    (3, 1, 33, BOTH, False, ALL),
    (4, 9, 20, FORWARD, True, ALL),
    (3, 13, 48, BOTH, False, ALL),
    (6, 5, 100, BACKWARD, True, ALL),
    (2, 1, 300, FORWARD, False, ("initial_h", "initial_c")),  # threads share a step
    (2, 30, 64, BOTH, False, ()),  # and rows
]
# Each shape with one of the cells; one with all.
CASES = [
    (name, shape)
    for i, shape in enumerate(SHAPES)
    for j, name in enumerate(CELLS)
    if (i + j) % 4 == 0 or shape == SHAPES[3]
]


@dataclass
class Case:
    what: Recurrence
    inputs: np.ndarray
    weights: np.ndarray
    given: dict

    def run(self, target):
        what = self.what
        function = RecurrenceKernel(what, unit_of(target)).emit("kernel")
        results = [what.series_shape, *([what.state_shape] * what.cell.results), what.memory_shape]
        packed = pack_recurrent(self.weights, what.cell)
        arguments = [self.inputs, *packed, *self.given.values()]
        results = [(shape, "float32") for shape in results]
        *made, _ = call_all(function, target, results, *arguments)
        return made


def case(name, shape):
    steps, batch, hidden, backwards, batch_first, optional = shape
    cell = CELLS[name]
    kept = ["lengths", "initial_h"]
    kept += ["bias"] if name == "gru" else []
    kept += ["peepholes", "initial_c"] if name == "lstm" else []
    names = [each for each in optional if each in kept]
    what = Recurrence(cell, steps, batch, hidden, backwards, batch_first, names)
    given = {}
    for each in names:
        size, dtype = what.optional_shape(each)
        random = np.random.default_rng(len(given))
        if dtype == "int32":
            given[each] = random.integers(0, steps + 2, size, dtype)  # one too many
        else:
            given[each] = normal(*size)
    weights = normal(len(backwards), cell.gates * hidden, hidden) / hidden**0.5
    return Case(what, normal(*what.input_shape), weights, given)


def truth(case):
    """Return the series and the last states, step by step in float64."""
    what, given = case.what, case.given
    batch, hidden, directions = what.batch, what.hidden, what.directions
    inputs = case.inputs.astype("float64")
    if what.batch_first:
        inputs = inputs.swapaxes(0, 1)
    inputs = inputs.reshape(what.steps, batch, directions, what.cell.gates, hidden)
    series = np.zeros((what.steps, directions, batch, hidden))
    states = np.zeros((what.cell.results, directions, batch, hidden))
    for state, name in zip(states, ("initial_h", "initial_c")):
        if name in given:
            state[...] = given[name].swapaxes(0, 1) if what.batch_first else given[name]
    for d, back in enumerate(what.backwards):
        weights = case.weights[d].astype("float64").reshape(-1, hidden, hidden)
        for b in range(batch):
            length = given["lengths"][b] if "lengths" in given else what.steps
            if length == 0:
                states[:, d, b] = 0  # as in ONNX Runtime
            for t in range(min(length, what.steps))[:: -1 if back else 1]:
                states[:, d, b] = step(
                    what.cell, inputs[t, b, d], weights, states[:, d, b], d, given
                )
                series[t, d, b] = states[0, d, b]
    if what.batch_first:
        return [series.transpose(2, 0, 1, 3), *(each.swapaxes(0, 1) for each in states)]
    return [series, *states]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(cell, x, weights, states, direction, given):
    h = states[0]
    if isinstance(cell, Rnn):
        return [np.tanh(x[0] + weights[0] @ h)]
    if isinstance(cell, Lstm):
        c = states[1]
        p = np.zeros((3, len(h)))
        if "peepholes" in given:
            p = given["peepholes"][direction].reshape(p.shape)
        i, o, f, fresh = x + weights @ h
        c = sigmoid(f + p[2] * c) * c + sigmoid(i + p[0] * c) * np.tanh(fresh)
        return [sigmoid(o + p[1] * c) * np.tanh(c), c]
    update, reset = sigmoid(x[:2] + weights[:2] @ h)
    if isinstance(cell, GruResetBefore):
        inner = weights[2] @ (reset * h)
    else:
        inner = weights[2] @ h
        inner = reset * (inner + given["bias"][direction] if "bias" in given else inner)
    return [(1 - update) * np.tanh(x[2] + inner) + update * h]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_steps_are_right(name, shape, target):
    made = case(name, shape)
    results, expected = made.run(target), truth(made)
    for result, right in zip(results, expected, strict=True):
        assert error(result, right) < 2e-6


ACTIVATIONS = {
    "Affine": lambda x: 0.5 * x + 0.25,
    "Elu": lambda x: np.where(x < 0, 0.5 * (np.exp(x) - 1), x),
    "HardSigmoid": lambda x: np.clip(0.5 * x + 0.25, 0, 1),
    "LeakyRelu": lambda x: np.where(x < 0, 0.5 * x, x),
    "Relu": lambda x: np.maximum(x, 0),
    "ScaledTanh": lambda x: 0.5 * np.tanh(0.25 * x),
    "Sigmoid": sigmoid,
    "Softplus": lambda x: np.log(1 + np.exp(x)),
    "Softsign": lambda x: x / (1 + abs(x)),
    "Tanh": np.tanh,
    "ThresholdedRelu": lambda x: np.where(x > 0.5, x, 0),
}


@pytest.mark.parametrize("target", TARGETS[-1:])
@pytest.mark.parametrize(("name", "clip"), [*((each, 0) for each in ACTIVATIONS), ("Tanh", 2)])
def test_activations_are_right(name, clip, target):
    """One step from a state of zeros: what comes out is the function of what goes in."""
    what = Recurrence(Rnn([Activation(name, 0.5, 0.25, clip)]), 1, 1, 50, FORWARD)
    x = np.linspace(-5, 5, 50, dtype="float32").reshape(what.input_shape)
    made = Case(what, x, np.zeros((1, 50, 50), "float32"), {})
    expected = ACTIVATIONS[name](np.clip(x, -clip, clip) if clip else x)
    assert error(made.run(target)[0].reshape(x.shape), expected) < 1e-6


def test_nan_remains():
    made = case("lstm", (2, 1, 16, FORWARD, False, ()))
    made.inputs[0, 0, 3] = np.nan
    series, *_ = made.run("llvm -mcpu=x86-64")
    assert np.isnan(series[0, 0, 0]).tolist() == [unit == 3 for unit in range(16)]
    assert np.isnan(series[1]).all()


@pytest.mark.parametrize("target", TARGETS)
def test_what_tvm_makes_of_a_kernel_is_hardly_longer(target):
    """Each function looks several times at what those before it give."""
    names = ("Affine", "LeakyRelu", "ScaledTanh")
    cell = Lstm([Activation(name, 0.3, 0.5, clip=1.0) for name in names], input_forget=True)
    what = Recurrence(cell, 4, 1, 2, BACKWARD, False, ("lengths", "peepholes", "initial_c"))
    function = RecurrenceKernel(what, unit_of(target)).emit("kernel")
    assert lowered_length(function, target) < 2 * len(function.script())
