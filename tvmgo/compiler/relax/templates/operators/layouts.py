# SPDX-License-Identifier: Apache-2.0
"""What is computed of images with their channels last as well, so that they need not be copied."""

from __future__ import annotations

from typing import Any

from tvm import relax, te
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.elementwise import Elementwise
from tvmgo.compiler.relax.templates.kernels.emitting import size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import vectorise
from tvmgo.compiler.relax.templates.kernels.mapping import MapKernel
from tvmgo.compiler.relax.templates.operators.context import Context, can_map
from tvmgo.compiler.relax.templates.operators.joining import join, source_of
from tvmgo.compiler.relax.templates.tails import Tail, is_aligned, make_epilogue
from tvmgo.compiler.relax.templates.values import Value, to_channels_first, to_channels_last


def replace_concat(context: Context, index: int, call: relax.Call) -> bool:
    if join(context, index, call):
        return True
    (parts,) = call.args
    values = context.values
    if not isinstance(parts, relax.Tuple) or not any(map(values.is_channels_last, parts.fields)):
        return False
    rank = len(known_shape(call))
    axis = to_channels_last(rank).index(int(call.attrs.axis) % rank)
    images = [values.channels_last(part) for part in parts.fields]
    result = context.builder.emit(R.concat(images, axis))
    context.set(context.block.bindings[index].var, result, channels_last=True)
    return True


def replace_reshape(context: Context, index: int, call: relax.Call) -> bool:
    """Other pixels of the same channels; what has one pixel or one channel is in any layout."""
    x = call.args[0]
    values = context.values
    if not values.is_channels_last(x):
        return False
    old, new = known_shape(x), known_shape(call)
    same = len(new) > 2 and old[:2] == new[:2]
    if not same and old[1] > 1 and size_of(old[2:]) > 1:
        return False
    shape = [new[axis] for axis in to_channels_last(len(new))] if same else new
    result = context.builder.emit(R.reshape(values.channels_last(x), shape))
    context.set(context.block.bindings[index].var, result, channels_last=same)
    return True


def replace_permute_dims(context: Context, index: int, call: relax.Call) -> bool:
    """The two between the layouts are none here; without axes they are reversed."""
    (x,) = call.args
    if call.attrs.axes is None:
        return False
    axes = tuple(int(axis) % len(known_shape(x)) for axis in call.attrs.axes)
    rank, variable, values = len(axes), context.block.bindings[index].var, context.values
    if rank < 3:
        return False
    if axes == to_channels_last(rank) and values.has_channels_last(x):
        if values.of(x).place is not None:
            return False  # others may write beside it, so that it can be no output
        values[variable] = Value(plain=values.channels_last(x))
    elif axes == to_channels_first(rank) and not values.is_channels_last(x):
        if rank == 3 and not context.block.is_image(variable):
            return False  # of matrices, it is as often no image that is transposed
        values[variable] = Value(channels_last=values.plain(x))
    else:
        return False
    return True


def map_channels_last(context: Context, index: int, call: relax.Call, kernel: Elementwise) -> bool:
    """Compute an elementwise kernel and those behind it as NHWC, where they would else need copies."""
    block, values = context.block, context.values
    variable, rank = block.bindings[index].var, len(known_shape(call))
    image = next(
        (
            argument
            for parameter, argument in zip(kernel.parameters, call.args[1].fields)
            if kernel.patterns.get(parameter) == tuple(range(rank))
            and values.is_channels_last(argument)
            and known_shape(argument) == known_shape(call)
        ),
        None,
    )
    if image is None or not can_map(call, *call.args[1].fields):
        return False
    if not kernel.is_vectorised or not all(
        is_aligned(pattern, rank) for pattern in kernel.patterns.values()
    ):
        return False
    behind = block.take_tail(index)
    tail = Tail(behind.result, ((variable, call, kernel), *behind.calls))
    epilogue, operands = context.joined(tail, *make_epilogue(tail, image, values, True))
    name = tail.name.lstrip("_")
    source, channels, first = source_of(context, image)
    function = MapKernel(epilogue, context.unit, channels, first).emit(name, str(image.ty.dtype))
    arguments = [source, *operands]
    result = context.call(function, name, arguments, epilogue)
    context.set(tail.result, result, channels_last=True)
    return True


def call_channels_last(
    context: Context, variable: relax.Var, call: relax.Call, kernel: Elementwise
) -> bool:
    """Compute an elementwise kernel as NHWC, where it would else need copies."""
    shape = known_shape(call)
    rank = len(shape)
    order = to_channels_last(rank)
    arguments = [
        (kernel.patterns[parameter], argument)
        for parameter, argument in zip(kernel.parameters, call.args[1].fields)
        if parameter in kernel.patterns
    ]
    values = context.values
    if (
        not any(values.is_channels_last(argument) for _, argument in arguments)
        or not all(is_aligned(pattern, rank) for pattern, _ in arguments)
        or not all(len(pattern) in (0, rank) for pattern, _ in arguments)
    ):
        return False
    tensors = [
        values.channels_last(argument) if pattern else values.plain(argument)
        for pattern, argument in arguments
    ]
    parameters = [each for each in kernel.parameters if each in kernel.patterns]

    def compute(*inputs: te.Tensor) -> te.Tensor:
        known = dict(zip(parameters, inputs))

        def element(*index: Any) -> Any:
            old = dict(zip(order, index))

            def read(parameter: Any) -> Any:
                pattern = kernel.patterns[parameter]
                if not pattern:
                    return known[parameter]()
                return known[parameter](
                    *(0 if pattern[axis] is None else old[axis] for axis in order)
                )

            return vectorise(kernel.value, read, 1)

        return te.compute([shape[axis] for axis in order], element)

    name = call.args[0].name_hint
    result = context.builder.emit(
        context.builder.call_te(compute, *tensors, primfunc_name_hint=name)
    )
    values[variable] = Value(channels_last=result)
    return True
