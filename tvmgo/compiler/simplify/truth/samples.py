# SPDX-License-Identifier: Apache-2.0
"""Inputs for a model, made up: the same at every time, and such that the model can take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import helper

from tvmgo.compiler.simplify.truth.bounds import Bound, find_bound


class Style(NamedTuple):
    """How to draw floats, and integers of which nothing is known."""

    floats: Callable[[np.random.Generator, Sequence[int]], np.ndarray]
    integers: Bound


# In the order in which they are tried: a model may want positive numbers, small ones, or sizes.
STYLES = (
    Style(lambda random, shape: random.standard_normal(shape), Bound(-9, 9)),
    Style(lambda random, shape: random.uniform(0.01, 1, shape), Bound(0, 1)),
    Style(lambda random, shape: random.uniform(1, 3, shape), Bound(1, 1)),
)


def sample_inputs(model: Any, simple: Any, style: Style, seed: int) -> dict[str, np.ndarray]:
    """Return a value for each input of `model`.

    Parameters
    ----------
    model : onnx.ModelProto
        Its inputs have fixed shapes.
    simple : onnx.ModelProto
        The same in the normal form, from which the bounds of integers are read.
    style : Style
    seed : int
        Another one gives other values.
    """
    random = np.random.default_rng(seed)
    return {value.name: sample(value, simple.graph, style, random) for value in model.graph.input}


def sample(value: Any, graph: Any, style: Style, random: np.random.Generator) -> np.ndarray:
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    bound = find_bound(graph, value.name) if dtype.kind in "iu" else None
    if dtype.kind in "biu" and bound is None and "mask" in value.name:
        return prefix_mask(shape, random).astype(dtype)
    if dtype.kind in "iu":
        return integers(dtype, shape, bound or whole_range(dtype, style), random)
    if dtype.kind == "b":
        return random.uniform(size=shape) < 0.5
    if dtype.kind == "c":
        return (style.floats(random, shape) + 1j * style.floats(random, shape)).astype(dtype)
    return np.asarray(style.floats(random, shape)).astype(np.float32).astype(dtype)


def whole_range(dtype: np.dtype[Any], style: Style) -> Bound:
    """Bytes are pixels or quantised numbers, which have all values; others may be anything."""
    limits = np.iinfo(dtype)
    if dtype.itemsize == 1 and style is STYLES[0]:
        return Bound(int(limits.min), int(limits.max))
    return Bound(max(style.integers.low, int(limits.min)), style.integers.high)


def integers(
    dtype: np.dtype[Any], shape: Sequence[int], bound: Bound, random: np.random.Generator
) -> np.ndarray:
    if bound.distinct:
        return distinct(shape, bound, random).astype(dtype)
    if np.prod(shape, dtype=int) == 1 and bound.high == bound.low + 1:
        return np.full(shape, bound.low, dtype)  # a switch, set to what it is compared with
    return random.integers(bound.low, bound.high, shape, endpoint=True).astype(dtype)


def distinct(shape: Sequence[int], bound: Bound, random: np.random.Generator) -> np.ndarray:
    """Draw indices of which no two are the same along any axis: what is scattered must not meet."""
    count = bound.high - bound.low + 1
    diagonal = np.indices(shape).sum(axis=0) if shape else np.zeros((), int)
    return bound.low + random.permutation(count)[diagonal % count]


def prefix_mask(shape: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Ones, then zeros: how sequences of different lengths are padded."""
    if not shape:
        return np.ones(shape)
    lengths = random.integers(max(1, shape[-1] // 2), shape[-1], shape[:-1], endpoint=True)
    return np.arange(shape[-1]) < lengths[..., np.newaxis]
