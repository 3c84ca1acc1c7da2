# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN over sequences of open lengths, beside ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest

from tests.compiler.vm import run, start
from tests.compiler.vm_models import (
    FLOAT,
    assert_like_onnx_runtime,
    assert_same,
    compile_model,
    model_of,
    node,
    normal,
)

pytestmark = pytest.mark.slow

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
SIZES = ((1, 1), (2, 7), (3, 4))  # of a batch, and steps
STATES = {"LSTM": ["h", "c"], "GRU": ["h"], "RNN": ["h"]}


def recurrence(operator, direction, *, full=True, layout=0, **attributes):
    """Return a model with a recurrence of 5 numbers over vectors of 3, and its outputs."""
    ways, rows = 1 + (direction == "bidirectional"), GATES[operator] * 5
    weights = {"w": normal(ways, rows, 3), "r": normal(ways, rows, 5)}
    inputs = {"x": (FLOAT, ["n", "steps", 3] if layout else ["steps", "n", 3])}
    names = ["x", "w", "r"]
    outputs = ["y", *STATES[operator]]
    if full:
        weights["b"] = normal(ways, 2 * rows)
        names += ["b", "", *(f"{name}0" for name in outputs[1:])]
        shape = ["n", ways, 5] if layout else [ways, "n", 5]
        inputs |= {f"{name}0": (FLOAT, shape) for name in outputs[1:]}
        if operator == "LSTM":
            names, weights["p"] = [*names, "p"], normal(ways, 15)
    words = dict(hidden_size=5, direction=direction, **attributes)
    if layout:
        words["layout"] = 1
    return model_of([node(operator, names, outputs, **words)], inputs, outputs, weights)


def request(model, batch, steps):
    sizes = {"n": batch, "steps": steps}
    shapes = [each.type.tensor_type.shape.dim for each in model.graph.input]
    return [normal(*(sizes.get(dim.dim_param, dim.dim_value) for dim in shape)) for shape in shapes]


@pytest.mark.parametrize(
    ("operator", "direction", "words"),
    [
        ("LSTM", "bidirectional", {}),
        ("LSTM", "reverse", {"full": False}),
        ("GRU", "bidirectional", {"linear_before_reset": 1}),
        ("GRU", "forward", {"full": False}),
        (
            "RNN",
            "bidirectional",
            {"activations": ["LeakyRelu", "HardSigmoid"], "activation_alpha": [0.1, 0.3]},
        ),
    ],
)
def test_open_number_of_steps(tmp_path, operator, direction, words):
    model = recurrence(operator, direction, **words)
    requests = [request(model, *sizes) for sizes in SIZES]
    assert_like_onnx_runtime(tmp_path / "deploy.so", model, *requests)


def test_batch_before_the_steps(tmp_path):
    """ONNX Runtime has no kernels of layout 1, so it gets the same numbers the other way round."""
    state = np.random.RandomState(1)
    plain, turned = (recurrence("LSTM", "bidirectional", layout=layout) for layout in (0, 1))
    del plain.graph.initializer[:]
    plain.graph.initializer.extend(turned.graph.initializer)
    session = onnxruntime.InferenceSession(
        plain.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    machine = start(compile_model(turned, tmp_path / "deploy.so"))
    for n, steps in SIZES:
        shapes = ((n, steps, 3), (n, 2, 5), (n, 2, 5))
        values = [state.standard_normal(shape).astype("float32") for shape in shapes]
        feeds = {name: each.swapaxes(0, 1) for name, each in zip(("x", "h0", "c0"), values)}
        y, *states = session.run(None, feeds)
        expected = [y.transpose(2, 0, 1, 3), *(each.swapaxes(0, 1) for each in states)]
        assert_same(run(machine, values), expected)
