# SPDX-License-Identifier: Apache-2.0
"""Kernels that write their result into some channels of a wider image."""

import numpy as np
import pytest

from tests.compiler.templates.kernels import (
    TARGETS,
    channelwise,
    convolution,
    covered,
    error,
    mapped,
    normal,
    true_convolution,
)
from tvmgo.compiler.relax.templates.kernels.channelwise import Maximum
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue, Part
from tvmgo.compiler.relax.templates.kernels.windows import Windows

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

WHOLE, COUNT = 61, 37
WINDOWS = Windows(2, 6, 9, COUNT, COUNT, (3, 3), padding=(1, 1, 1, 1))


def run_part(kind, first, target, follows=False):
    """Run a kernel of a kind; return its whole image, and what belongs into the part, as NCHW."""
    epilogue = Epilogue(WINDOWS.out_shape, "float32", part=Part(WHOLE, follows))
    operands = [np.array([first], "int32")]
    if follows:
        operands.append(np.zeros(epilogue.whole, "float32"))
    x = normal(2, COUNT, 6, 9)
    weights = normal(COUNT, COUNT, 3, 3)
    rest = {"epilogue": epilogue, "operands": operands}
    if kind == "pool":
        result = channelwise(WINDOWS, x, target, Maximum, **rest)
        return result, covered(WINDOWS, x, -np.inf).max(-1)
    if kind == "copy":
        wide = normal(2, 6, 9, COUNT + 8)
        result = mapped(wide, target, channels=COUNT + 8, first=5, **rest)
        return result.transpose(0, 3, 1, 2), wide[..., 5:-3].transpose(0, 3, 1, 2)
    result = convolution(WINDOWS, x, weights, target, squares=4 * (kind == "winograd"), **rest)
    return result, true_convolution(WINDOWS, x, weights)


KINDS = ("sum", "winograd", "pool", "copy")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("first", "begin"),
    [(0, 0), (7, 7), (WHOLE - COUNT, WHOLE - COUNT), (99, WHOLE - COUNT), (-1, 0)],
)
def test_kernel_writes_its_part_and_nothing_beside_it(first, begin, kind, target):
    """Who calls a kernel with a channel that there is not gets the nearest part."""
    result, truth = run_part(kind, first, target)
    assert error(result[:, begin : begin + COUNT], truth) < 3e-6
    assert np.isnan(np.delete(result, range(begin, begin + COUNT), 1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_not_touched(kind):
    result, truth = run_part(kind, 3, TARGETS[0].values[0], follows=True)
    assert error(result[:, 3 : 3 + COUNT], truth) < 3e-6
    assert np.isnan(np.delete(result, range(3, 3 + COUNT), 1)).all()
