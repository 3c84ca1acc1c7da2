# SPDX-License-Identifier: Apache-2.0
"""What is computed of NHWC as well as of NCHW, so that images need not be copied between."""

from __future__ import annotations

from typing import Any

from tvm import relax, te
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape
from tvmgo.compiler.relax.templates.kernels.elementwise import Elementwise
from tvmgo.compiler.relax.templates.kernels.epilogue import vectorise
from tvmgo.compiler.relax.templates.kernels.mapping import MapKernel
from tvmgo.compiler.relax.templates.operators.context import Context, can_compute
from tvmgo.compiler.relax.templates.tails import Tail, is_aligned, make_epilogue
from tvmgo.compiler.relax.templates.values import TO_NCHW, TO_NHWC, Value


def replace_concat(context: Context, index: int, call: relax.Call) -> bool:
    (parts,) = call.args
    values = context.values
    if (
        not isinstance(parts, relax.Tuple)
        or len(known_shape(call)) != 4
        or not any(map(values.is_channels_last, parts.fields))
    ):
        return False
    axis = TO_NHWC.index(int(call.attrs.axis) % 4)
    images = [values.channels_last(part) for part in parts.fields]
    result = context.builder.emit(R.concat(images, axis))
    context.set(context.block.bindings[index].var, result, channels_last=True)
    return True


def replace_reshape(context: Context, index: int, call: relax.Call) -> bool:
    """What has one pixel, or one channel, lies in memory as in any layout."""
    x = call.args[0]
    values = context.values
    if len(known_shape(x)) != 4 or not values.is_channels_last(x):
        return False
    _, channels, height, width = known_shape(x)
    if channels > 1 and height * width > 1:
        return False
    result = context.builder.emit(R.reshape(values.channels_last(x), known_shape(call)))
    context.set(context.block.bindings[index].var, result, channels_last=False)
    return True


def replace_permute_dims(context: Context, index: int, call: relax.Call) -> bool:
    """The two between the layouts are none here; without axes they are reversed."""
    (x,) = call.args
    if call.attrs.axes is None:
        return False
    axes = tuple(int(axis) % len(known_shape(x)) for axis in call.attrs.axes)
    variable = context.block.bindings[index].var
    if axes == TO_NCHW and not context.values.is_channels_last(x):
        context.values[variable] = Value(channels_last=context.values.plain(x))
    elif axes == TO_NHWC and context.values.has_channels_last(x):
        context.values[variable] = Value(plain=context.values.channels_last(x))
    else:
        return False
    return True


def map_channels_last(context: Context, index: int, call: relax.Call, kernel: Elementwise) -> bool:
    """Compute an elementwise kernel and those behind it as NHWC, where they would else need copies."""
    block, values = context.block, context.values
    variable = block.bindings[index].var
    image = next(
        (
            argument
            for parameter, argument in zip(kernel.parameters, call.args[1].fields)
            if kernel.patterns.get(parameter) == (0, 1, 2, 3)
            and values.is_channels_last(argument)
            and known_shape(argument) == known_shape(call)
        ),
        None,
    )
    if image is None or not can_compute(call, *call.args[1].fields):
        return False
    if not kernel.is_vectorised or not all(
        is_aligned(pattern, 4) for pattern in kernel.patterns.values()
    ):
        return False
    behind = block.take_tail(index)
    tail = Tail(behind.result, ((variable, call, kernel), *behind.calls))
    epilogue, operands = make_epilogue(tail, image, values, True)
    name = tail.name.lstrip("_")
    function = MapKernel(epilogue, context.unit).emit(name, str(image.ty.dtype))
    arguments = [values.channels_last(image), *operands]
    result = context.call(function, name, arguments, epilogue)
    context.set(tail.result, result, channels_last=True)
    return True


def call_channels_last(
    context: Context, variable: relax.Var, call: relax.Call, kernel: Elementwise
) -> bool:
    """Compute an elementwise kernel as NHWC, where it would else need copies."""
    shape = known_shape(call)
    arguments = [
        (kernel.patterns[parameter], argument)
        for parameter, argument in zip(kernel.parameters, call.args[1].fields)
        if parameter in kernel.patterns
    ]
    values = context.values
    if (
        len(shape) != 4
        or not any(values.is_channels_last(argument) for _, argument in arguments)
        or not all(is_aligned(pattern, 4) for pattern, _ in arguments)
        or not all(len(pattern) in (0, 4) for pattern, _ in arguments)
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
            old = dict(zip(TO_NHWC, index))

            def read(parameter: Any) -> Any:
                pattern = kernel.patterns[parameter]
                if not pattern:
                    return known[parameter]()
                return known[parameter](
                    *(0 if pattern[axis] is None else old[axis] for axis in TO_NHWC)
                )

            return vectorise(kernel.value, read, 1)

        return te.compute([shape[axis] for axis in TO_NHWC], element)

    name = call.args[0].name_hint
    result = context.builder.emit(
        context.builder.call_te(compute, *tensors, primfunc_name_hint=name)
    )
    values[variable] = Value(channels_last=result)
    return True
