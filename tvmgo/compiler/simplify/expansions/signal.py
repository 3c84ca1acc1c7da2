# SPDX-License-Identifier: Apache-2.0
"""Fourier transforms, as products with a constant matrix."""

from __future__ import annotations

import numpy as np

from tvmgo.compiler.simplify.expansions.widening import finish, wide_dtype, widen
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def transform(size: int, length: int, *, inverse: bool = False) -> np.ndarray:
    """Return the matrix of a transform of `length` numbers, of which `size` are given.

    Its rows are the given numbers, its columns the frequencies.
    """
    # Whole turns are taken away from the angles before they lose digits.
    turns = np.outer(np.arange(min(size, length)), np.arange(length)) % length / length
    matrix = np.exp((2j if inverse else -2j) * np.pi * turns) / (length if inverse else 1)
    return np.concatenate([matrix, np.zeros((max(size - length, 0), length))])


def as_real(matrix: np.ndarray, components: int) -> np.ndarray:
    """Return the matrix for pairs of real and imaginary parts, or for real parts alone, to pairs."""
    rows = [np.stack([matrix.real, matrix.imag], -1)]
    if components == 2:
        rows.append(np.stack([-matrix.imag, matrix.real], -1))
    return np.stack(rows, 1).reshape(matrix.shape[0] * components, -1)


def dft(node: Node, g: GraphEditor, axis: int) -> bool:
    shape, dtype = g.need_shape(node), wide_dtype(g, node)
    axis %= len(shape)
    inverse, onesided = (bool(node.attributes.get(name, 0)) for name in ("inverse", "onesided"))
    if node.input(1) is not None:
        length = int(g.need_constant(node, 1, "dft_length").reshape(()))
    else:
        length = 2 * (shape[axis] - 1) if inverse and onesided else shape[axis]
    x, components = widen(g, node), shape[-1]
    if inverse and onesided:
        matrix = to_real_signal(shape[axis], length)
    else:
        matrix = transform(shape[axis], length, inverse=inverse)
        if onesided:
            matrix = matrix[:, : length // 2 + 1]
        matrix = as_real(matrix, components)
    width = 1 if inverse and onesided else 2
    # The axis goes beside the parts of numbers, and back.
    ndim = len(shape)
    order = [*(i for i in range(ndim - 1) if i != axis), axis, ndim - 1]
    x = g.add("Transpose", [x], perm=order)
    rest = [shape[i] for i in order[:-2]]
    x = g.add("Reshape", [x, g.integers(*rest, shape[axis] * components)])
    x = g.add("MatMul", [x, g.add_constant(matrix, dtype)])
    x = g.add("Reshape", [x, g.integers(*rest, matrix.shape[1] // width, width)])
    x = g.add("Transpose", [x], perm=[int(i) for i in np.argsort(order)])
    finish(g, x, node)
    return True


def to_real_signal(size: int, length: int) -> np.ndarray:
    """Return the matrix from the first half of a spectrum, in pairs, to a real signal."""
    half = length // 2 + 1
    matrix = transform(length, length, inverse=True)[: min(size, half)]
    # Each frequency stands for its conjugate too, but the first, and the middle one of an even length.
    twice = np.full((len(matrix), 1), 2.0)
    twice[0] = 1
    if length % 2 == 0 and len(matrix) == half:
        twice[-1] = 1
    matrix = np.concatenate([matrix * twice, np.zeros((size - len(matrix), length))])
    return np.stack([matrix.real, -matrix.imag], 1).reshape(2 * size, length)


def dft_with_attribute(node: Node, g: GraphEditor) -> bool:
    return dft(node, g, node.attributes.get("axis", 1))


def dft_with_input(node: Node, g: GraphEditor) -> bool:
    """The axis is an input since opset 20."""
    if node.input(2) is None:
        return dft(node, g, -2)
    return dft(node, g, int(g.need_constant(node, 2, "axis").reshape(())))


def stft(node: Node, g: GraphEditor) -> bool:
    """Cut the signal into frames that overlap, weigh them and transform each."""
    shape, dtype = g.need_shape(node), wide_dtype(g, node)
    batch, samples, components = shape if len(shape) == 3 else [*shape, 1]
    step = int(g.need_constant(node, 1, "frame_step").reshape(()))
    if node.input(3) is not None:
        length = int(g.need_constant(node, 3, "frame_length").reshape(()))
    else:
        (length,) = g.need_shape(node, 2)
    frames = (samples - length) // step + 1
    matrix = transform(length, length)
    if node.attributes.get("onesided", 1):
        matrix = matrix[:, : length // 2 + 1]
    x = g.add("Reshape", [widen(g, node), g.integers(batch, samples, components)])
    places = np.arange(frames)[:, None] * step + np.arange(length)
    x = g.add("Gather", [x, g.add_constant(places)], axis=1)
    if node.input(2) is not None:
        window = g.cast(node.input(2), dtype)
        x = g.add("Mul", [x, g.add("Reshape", [window, g.integers(length, 1)])])
    x = g.add("Reshape", [x, g.integers(batch, frames, length * components)])
    x = g.add("MatMul", [x, g.add_constant(as_real(matrix, components), dtype)])
    x = g.add("Reshape", [x, g.integers(batch, frames, matrix.shape[1], 2)])
    finish(g, x, node)
    return True
