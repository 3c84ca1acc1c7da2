# SPDX-License-Identifier: Apache-2.0
"""Tensors against pages that nobody may touch; run alone, as a mistake ends the process.

`python -m tests.compiler.templates.guarded TARGET` calls kernels of each template with every tensor
first at the end of its pages and then at the beginning, and prints how many it called.
"""

import sys

import tvm_ffi

from tests.compiler.guard_pages import guarded_copy
from tests.compiler.templates import (
    test_attention,
    test_channelwise,
    test_convolution,
    test_few_outputs,
    test_joining,
    test_matmul,
    test_recurrence,
    test_scanning,
    test_transposed,
    test_volumes,
    test_winograd,
)
from tests.compiler.templates.kernels import (
    channelwise,
    convolution,
    few_outputs,
    matmul,
    normal,
    silu_of_a_sum,
    transposed,
    volume,
)
from tvmgo.compiler.relax.templates.kernels.channelwise import Average, Depthwise, Maximum


class Guarded:
    """Copies arrays into pages of their own, between two that cannot be read."""

    def __init__(self, at_end):
        self.at_end = at_end

    def __call__(self, array):
        copy = guarded_copy(array, self.at_end)
        return Tensor(tvm_ffi.from_dlpack(copy), copy)


class Tensor:
    """What a kernel takes, with the array that looks at the same memory."""

    def __init__(self, tensor, array):
        self.tensor, self.array = tensor, array

    def __tvm_ffi_object__(self):
        return self.tensor

    def numpy(self):
        return self.array


def main(target):
    calls = 0
    options = {"placements": (Guarded(at_end=True), Guarded(at_end=False))}
    for name, channels_first in test_convolution.CASES:
        convolution(*test_convolution.case(name, channels_first), target, **options)
        calls += 1
    for name in test_winograd.SHAPES:
        for squares in (2, 4):
            convolution(*test_winograd.case(name), target, squares=squares, **options)
            calls += 1
    for kind in test_joining.KINDS:
        for first in (0, 7, 99):
            test_joining.run_part(kind, first, target, **options)
            calls += 1
    for name in test_channelwise.SHAPES:
        windows, x = test_channelwise.case(name)
        weights = normal(windows.channels, 1, *windows.window)
        for kind in (Depthwise, Maximum, Average):
            channelwise(windows, x, target, kind, weights, **options)
            calls += 1
    for a, b in test_matmul.SHAPES:
        matmul(normal(*a), normal(*b), target, **options)
        calls += 1
    for name in test_convolution.WITH_EPILOGUE:
        windows, x, weights = test_convolution.case(name, False)
        epilogue, operands, _ = silu_of_a_sum(windows.out_shape, "float32")
        convolution(windows, x, weights, target, epilogue, operands, **options)
        calls += 1
    for name in test_attention.CASES:
        test_attention.Case(*test_attention.CASES[name]).run(target, **options)
        calls += 1
    for name, shape in test_recurrence.CASES:
        test_recurrence.case(name, shape).run(target, **options)
        calls += 1
    for name in test_transposed.SHAPES:
        transposed(*test_transposed.case(name), target, **options)
        calls += 1
    for name in test_volumes.SHAPES:
        kinds = [None] if name in test_volumes.DENSE else [Depthwise, Maximum]
        for kind in kinds:
            volume(*test_volumes.case(name), target, kind, **options)
            calls += 1
    for name in test_few_outputs.SHAPES:
        few_outputs(*test_few_outputs.case(name), target, **options)
        calls += 1
    for shape, axis in test_scanning.SHAPES:
        test_scanning.scan(shape, axis, normal(*shape), target, "float32", **options)
        calls += 1
    print(calls)


if __name__ == "__main__":
    main(sys.argv[1])
