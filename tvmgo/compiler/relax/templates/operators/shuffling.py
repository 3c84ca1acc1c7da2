# SPDX-License-Identifier: Apache-2.0
"""Channel shuffles without copies, as between the grouped convolutions of ShuffleNet.

A shuffle (a reshape, a transposition and a reshape back) is remembered instead of done. A depthwise
convolution computes the channels as they lie, with its weights in their order, and its result is to be
shuffled then. A convolution of single pixels reads each of the shuffled parts as a pixel of its own, so that the
shuffle is a matter of where its window lies. Anybody else gets the channels in order.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tvm
from tvm import relax

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.windows import Deep, Windows
from tvmgo.compiler.relax.templates.operators.context import Context
from tvmgo.compiler.relax.templates.values import Shuffle, Value


def replace_shuffle(context: Context, index: int, call: relax.Call) -> bool:
    """Remember the shuffle that begins with a reshape of an image."""
    x, values = call.args[0], context.values
    old, new = known_shape(x), known_shape(call)
    if len(old) < 3 or not values.is_channels_last(x) or values.of(x).shuffle is not None:
        return False
    if len(new) != len(old) + 1 or old[2:] != new[3:] or old[0] != new[0] or 1 in new[1:3]:
        return False
    exchanged = only_user(context, index, "relax.permute_dims")
    back = None if exchanged is None else only_user(context, exchanged, "relax.reshape")
    if exchanged is None or back is None:
        return False
    axes = context.block.bindings[exchanged].value.attrs.axes
    result = context.block.bindings[back]
    if axes is None or [int(axis) for axis in axes] != [0, 2, 1, *range(3, len(new))]:
        return False
    if known_shape(result.value) != old:
        return False
    context.block.taken.update((exchanged, back))
    context.values[result.var] = Value(shuffle=Shuffle(values.channels_last(x), new[1]))
    return True


def only_user(context: Context, index: int, operator: str) -> int | None:
    """Return where the result of a binding is used, if nowhere but there, by an operator."""
    block = context.block
    variable = block.bindings[index].var
    users = block.users[variable]
    if len(users) != 1 or not isinstance(variable, relax.DataflowVar) or users[0] in block.taken:
        return None
    call = block.bindings[users[0]].value
    is_it = isinstance(call, relax.Call) and call.op == tvm.ir.Op.get(operator)
    return users[0] if is_it else None


def reads_parts(windows: Windows, shuffle: Shuffle) -> bool:
    """Whether each group of a convolution reads as much of each part, at single pixels."""
    return (
        windows.window == (1, 1)
        and not any(windows.padding)
        and windows.deep == Deep()
        and windows.channels // windows.groups % shuffle.parts == 0
    )


def over_parts(context: Context, windows: Windows, shuffle: Shuffle) -> tuple[relax.Expr, Windows]:
    """Return the image with each part of its pixels as a pixel, and the windows over all of one."""
    parts = shuffle.parts
    batch, height, width = windows.batch, windows.height, windows.width
    if windows.strides == (1, 1):  # all pixels in one row
        batch, height, width = 1, 1, size_of((batch, height, width))
    smaller = replace(
        windows,
        batch=batch,
        height=height,
        width=width * parts,
        channels=windows.channels // parts,
        window=(1, parts),
        strides=(windows.strides[0], windows.strides[1] * parts),
    )
    shape = (batch, height, width * parts, windows.channels // parts)
    return context.builder.emit(relax.op.reshape(shuffle.content, shape)), smaller


def operands_as_they_lie(
    context: Context, shuffle: Shuffle, epilogue: Epilogue, operands: list[relax.Expr]
) -> list[relax.Expr]:
    """Return what an epilogue reads with its channels in the order of those that are to be shuffled."""
    channels = epilogue.shape[-1]
    return [
        shuffle.undone(context.builder, each) if known_shape(each)[-1] == channels else each
        for each in operands
    ]


def weights_as_they_lie(weights: np.ndarray, shuffle: Shuffle) -> np.ndarray:
    channels, *rest = weights.shape
    parts = shuffle.parts
    return weights.reshape(channels // parts, parts, *rest).swapaxes(0, 1).reshape(weights.shape)
