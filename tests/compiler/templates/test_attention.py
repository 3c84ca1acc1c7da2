# SPDX-License-Identifier: Apache-2.0
"""Attention kernels, for every kind of vectors, beside float64."""

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
from tvmgo.compiler.relax.attention import Attention, Place, Step
from tvmgo.compiler.relax.templates.kernels.attention import AttentionKernel

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


def place(view, base):
    """Where the elements of a view of an array lie in it."""
    at = view.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return Place([each // base.itemsize for each in view.strides], at // base.itemsize)


class Case:
    """Heads that lie side by side, (batch, rows, heads, depth), as networks have them."""

    def __init__(
        self, leading, rows, keys, depth, width, dtype="float32", steps=(), key_first=True
    ):
        batch, heads = leading
        self.rows, self.dtype = rows, dtype
        self.sizes = (leading, rows, keys, depth, width)
        self.query = normal(batch, rows, heads, depth, dtype=dtype)
        self.value = normal(batch, keys, heads, width, dtype=dtype)
        self.views = [self.query.transpose(0, 2, 1, 3)]
        if key_first:
            self.key = normal(batch, keys, heads, depth, dtype=dtype)
            self.views.append(self.key.transpose(0, 2, 3, 1))
        else:  # transposed already
            self.key = normal(batch, heads, depth, keys, dtype=dtype)
            self.views.append(self.key)
        self.views.append(self.value.transpose(0, 2, 1, 3))
        self.steps, self.operands, self.masks = [], [], []
        shape = (*leading, rows, keys)
        for kind, number, size in steps:
            if kind == "multiply":
                self.steps.append(Step(kind, number))
                self.masks.append(None)
                continue
            mask = normal(*size)
            if kind == "where":
                mask = (mask > 0.3).astype("float32")
            self.masks.append(np.broadcast_to(mask, shape))
            self.steps.append(Step(kind, number, len(self.operands), place(self.masks[-1], mask)))
            self.operands.append(mask)

    def run(self, target):
        function, results, arguments = self.kernel(target)
        return call_all(function, target, results, *arguments)[0]

    def kernel(self, target):
        """Return the kernel, shapes and element types of its results, and its arguments."""
        leading, rows, _, _, width = self.sizes
        bases = (self.query, self.key, self.value)
        places = [place(view, base) for view, base in zip(self.views, bases)]
        shape = (leading[0], rows, leading[1], width)
        result = np.empty(shape, self.dtype)
        what = Attention(
            *(*self.sizes, *places),
            place(result.transpose(0, 2, 1, 3), result),
            self.steps,
        )
        kernel = AttentionKernel(what, self.dtype, unit_of(target))
        arguments = [*bases, *self.operands]
        specs = [(each.shape, str(each.dtype)) for each in arguments]
        function = kernel.emit("kernel", specs, shape, self.dtype)
        results = [(shape, self.dtype), ((kernel.memory_size,), "float32")]
        return function, results, arguments

    def truth(self):
        query, key, value = (each.astype("float64") for each in self.views)
        scores = query @ key
        for step, mask in zip(self.steps, self.masks):
            if step.kind == "multiply":
                scores = scores * step.number
            elif step.kind == "add":
                scores = scores + mask
            else:
                scores = np.where(mask != 0, step.number, scores)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return (weights / weights.sum(-1, keepdims=True) @ value).transpose(0, 2, 1, 3)


SCALE = ("multiply", 0.125, None)
CASES = {
    "one of all": ((1, 1), 1, 1, 1, 1),
    "tails": ((2, 3), 7, 5, 6, 9),
    "whole vectors": ((1, 2), 32, 32, 16, 32, "float32", (SCALE,)),
    "one more": ((1, 2), 17, 33, 8, 17),
    "wide": ((1, 1), 5, 40, 3, 130),
    "keys transposed": ((2, 2), 9, 21, 8, 8, "float32", (SCALE,), False),
    "mask of keys": ((2, 2), 10, 19, 8, 16, "float32", (SCALE, ("add", 0, (2, 1, 1, 19)))),
    "mask of rows": ((2, 2), 10, 19, 8, 16, "float32", (("add", 0, (1, 1, 10, 1)),)),
    "mask of all": ((2, 2), 10, 37, 8, 16, "float32", (("add", 0, (2, 2, 10, 37)), SCALE)),
    "number": ((1, 2), 4, 9, 8, 8, "float32", (("add", 0, (1, 1, 1, 1)),)),
    "hidden": ((2, 2), 6, 35, 8, 16, "float32", (("where", -1e4, (2, 1, 1, 35)), SCALE)),
    "halves": ((2, 2), 9, 21, 8, 20, "float16", (SCALE,)),
    "threads share rows": ((1, 1), 64, 130, 64, 64, "float32", (SCALE,)),
    "threads share heads": ((2, 3), 40, 40, 64, 64, "float32", (SCALE,)),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_attention_is_right(name, target):
    case = Case(*CASES[name])
    assert error(case.run(target), case.truth()) < (1e-3 if case.dtype == "float16" else 3e-6)


def test_scores_may_be_large_or_minus_infinity():
    case = Case((1, 1), 4, 20, 8, 8, "float32", (("multiply", 50, None), ("add", 0, (1, 1, 1, 20))))
    case.operands[0][..., :5] = -np.inf
    assert error(case.run(TARGETS[0].values[0]), case.truth()) < 2e-5


def test_rows_without_any_key_are_nan():
    case = Case((1, 1), 4, 20, 8, 8, "float32", (("add", 0, (1, 1, 4, 1)),))
    case.operands[0][0, 0, 2] = -np.inf
    result = case.run(TARGETS[0].values[0])
    assert np.isnan(result[0, :, 0]).all(1).tolist() == [False, False, True, False]


@pytest.mark.parametrize("target", TARGETS)
def test_what_tvm_makes_of_a_kernel_is_hardly_longer(target):
    """It puts values with names into one another, and the largest score is found in many steps."""
    function, _, _ = Case(*CASES["tails"]).kernel(target)
    assert lowered_length(function, target) < 2 * len(function.script())
