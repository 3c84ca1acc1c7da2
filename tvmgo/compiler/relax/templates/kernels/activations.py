# SPDX-License-Identifier: Apache-2.0
"""The activation functions of recurrent networks, of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import broadcast


def call(name: str, x: Any) -> Any:
    return T.bind(tirx.call_intrin(x.ty, f"tirx.{name}", x))


def like(value: float, x: Any) -> Any:
    dtype, _, lanes = str(x.ty.dtype).partition("x")
    return broadcast(tirx.const(value, dtype), int(lanes or 1))


def within(x: Any, low: float, high: float) -> Any:
    """Return the nearest number between two; NaN stays."""
    x = T.bind(tirx.Select(x < like(low, x), like(low, x), x))
    return T.bind(tirx.Select(x > like(high, x), like(high, x), x))


def above(x: Any, limit: float, value: Any, other: Any) -> Any:
    return tirx.Select(x > like(limit, x), value, other)


def elu(x: Any, alpha: float, _: float) -> Any:
    negative = (call("exp", x) - like(1.0, x)) * like(alpha, x)
    return tirx.Select(x < like(0.0, x), negative, x)


def softplus(x: Any, *_: float) -> Any:
    size = T.bind(tirx.Select(x < like(0.0, x), like(0.0, x) - x, x))
    positive = tirx.Select(x < like(0.0, x), like(0.0, x), x)
    return positive + call("log1p", call("exp", like(0.0, x) - size))


def softsign(x: Any, *_: float) -> Any:
    return x / (like(1.0, x) + tirx.Select(x < like(0.0, x), like(0.0, x) - x, x))


# By the names that simplified models have; each takes a named vector, alpha and beta.
ACTIVATIONS: dict[str, Callable[[Any, float, float], Any]] = {
    "Affine": lambda x, alpha, beta: x * like(alpha, x) + like(beta, x),
    "Elu": elu,
    "HardSigmoid": lambda x, alpha, beta: within(x * like(alpha, x) + like(beta, x), 0.0, 1.0),
    "LeakyRelu": lambda x, alpha, _: tirx.Select(x < like(0.0, x), x * like(alpha, x), x),
    "Relu": lambda x, *_: tirx.Select(x < like(0.0, x), like(0.0, x), x),
    "ScaledTanh": lambda x, alpha, beta: call("tanh", x * like(beta, x)) * like(alpha, x),
    "Sigmoid": lambda x, *_: call("sigmoid", x),
    "Softplus": softplus,
    "Softsign": softsign,
    "Tanh": lambda x, *_: call("tanh", x),
    "ThresholdedRelu": lambda x, alpha, _: above(x, alpha, x, like(0.0, x)),
}
