# SPDX-License-Identifier: Apache-2.0
"""Concatenated channels without copies: kernels write into their part of the whole.

Before a block is rewritten it is decided which images are parts of which tensor. A concatenation of
parts that lie side by side is then nothing but a place itself, as in networks in which each layer
reads what all before it have written.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvm import relax

from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.mapping import MapKernel
from tvmgo.compiler.relax.templates.operators.context import Context, can_compute
from tvmgo.compiler.relax.templates.tails import Block
from tvmgo.compiler.relax.templates.values import Joined, Place, Value, to_channels_last

# Steps back from a concatenation in which a kernel must come that can write into it.
FURTHEST = 8

# Operators whose kernels can, if their weights are constant. (Of nested concatenations, each decides
# for itself.)
WRITERS = (
    *("relax.nn.conv1d", "relax.nn.conv2d", "relax.concat"),
    *("relax.nn.max_pool1d", "relax.nn.max_pool2d", "relax.nn.avg_pool1d", "relax.nn.avg_pool2d"),
)


def plan_places(block: Block) -> dict[relax.Var, Place]:
    """Return where images are to lie that are concatenated, and the concatenations.

    The last concatenation comes first, so that those before become parts of it.
    """
    places: dict[relax.Var, Place] = {}
    for binding in reversed(block.bindings):
        if not can_join(block, binding):
            continue
        parts = binding.value.args[0].fields
        counts = [known_shape(part)[1] for part in parts]
        whole = places.get(binding.var)
        if whole is None and all(part in places for part in parts):
            whole = run_of([places[part] for part in parts])
        if whole is None:
            whole = Place(Joined(sum(counts)), 0, sum(counts))
        places[binding.var] = whole
        first = whole.first
        for part, count in zip(parts, counts):
            if isinstance(part, relax.DataflowVar) and part in block.position:
                places.setdefault(part, Place(whole.joined, first, count))
            first += count
    return places


def run_of(places: list[Place]) -> Place | None:
    """Return the place that these are together, if they lie side by side."""
    joined, first = places[0].joined, places[0].first
    count = 0
    for place in places:
        if place.joined is not joined or place.first != first + count:
            return None
        count += place.count
    return Place(joined, first, count)


def can_join(block: Block, binding: relax.Binding) -> bool:
    call = binding.value
    if not is_concat(call) or not isinstance(binding.var, relax.DataflowVar):
        return False
    parts = call.args[0]
    rank = len(known_shape(call))
    return (
        isinstance(parts, relax.Tuple)
        and len(parts.fields) > 1
        and rank in (3, 4)
        and int(call.attrs.axis) % rank == 1
        and can_compute(call, *parts.fields)
        and is_mostly_written(block, parts.fields)
    )


def is_concat(call: relax.Expr) -> bool:
    return isinstance(call, relax.Call) and getattr(call.op, "name", "") == "relax.concat"


def is_mostly_written(block: Block, parts: Sequence[relax.Expr]) -> bool:
    """Whether kernels can write most of the channels to their place; others are copied there."""
    counts = [known_shape(part)[1] for part in parts]
    written = [count for part, count in zip(parts, counts) if is_written(block, part)]
    return 2 * sum(written) > sum(counts)


def is_written(block: Block, value: relax.Expr) -> bool:
    """Whether a template computes a value, or one of which it is a tail."""
    for _ in range(FURTHEST):
        position = block.position.get(value) if isinstance(value, relax.Var) else None
        call = None if position is None else block.bindings[position].value
        if not isinstance(call, relax.Call):
            return False
        if getattr(call.op, "name", "") in WRITERS:
            return all(constant(each) is not None for each in call.args[1:])
        if block.elementwise(call) is None:
            return False
        value = next((x for x in call.args[1].fields if isinstance(x, relax.Var)), None)
    return False


def join(context: Context, index: int, call: relax.Call) -> bool:
    """Put the parts of a concatenation where they belong, if it was planned."""
    variable = context.block.bindings[index].var
    whole = context.places.get(variable)
    if whole is None:
        return False
    first = whole.first
    for part in call.args[0].fields:
        count = known_shape(part)[1]
        place = Place(whole.joined, first, count)
        if context.values.of(part).place != place:
            copy_to(context, part, place)
        first += count
    context.values[variable] = Value(place=whole)
    return True


def copy_to(context: Context, image: relax.Expr, place: Place) -> None:
    source, channels, first = source_of(context, image)
    shape = [known_shape(image)[axis] for axis in to_channels_last(len(known_shape(image)))]
    dtype = str(image.ty.dtype)
    epilogue, others = context.into(place, Epilogue(tuple(shape), dtype))
    function = MapKernel(epilogue, context.unit, channels, first).emit("copy", dtype)
    place.joined.content = context.call(function, "copy", [source, *others], epilogue)


def source_of(context: Context, image: relax.Expr) -> tuple[relax.Expr, int, int]:
    """Return what an image can be read from, its channels, and which of them is the image's first."""
    place = context.values.of(image).place
    if place is None:
        return context.values.channels_last(image), known_shape(image)[1], 0
    return place.joined.content, place.joined.channels, place.first
