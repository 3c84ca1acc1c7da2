# SPDX-License-Identifier: Apache-2.0
"""Fewer nests: what computes an intermediate value moves to where the value is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.schedule.costs import is_cheap
from tvmgo.compiler.relax.schedule.expressions import (
    constant,
    loads_of,
    map_loads,
    number,
    same,
    substitute,
    variables_of,
    with_operand,
)
from tvmgo.compiler.relax.schedule.nests import Axis, Kernel, Nest


def join_nests(kernel: Kernel) -> None:
    """Join until nothing can be joined any more."""
    while any(join(kernel, buffer) for buffer in list(kernel.internal)):
        pass


def join(kernel: Kernel, buffer: Any) -> bool:
    """Move what computes an internal buffer into all nests that read it; tell whether it was."""
    touching = [i for i, step in enumerate(kernel.steps) if buffer in buffers_of(step)]
    if len(touching) < 2 or not all(isinstance(kernel.steps[i], Nest) for i in touching):
        return False
    first, *rest = touching
    producer, consumers = kernel.steps[first], [kernel.steps[i] for i in rest]
    places = identity_places(producer)
    if places is None or not producer.buffer.same_as(buffer):
        return False
    if any(consumer.buffer.same_as(buffer) for consumer in consumers):
        return False
    sources = buffers_of(producer)
    changed = {written_by(step) for step in kernel.steps[first + 1 : rest[-1]]}
    if None in changed or changed & sources:
        return False
    if producer.reduction is None:
        if not pays(producer, consumers):
            return False
        joined = [inline(producer, places, consumer) for consumer in consumers]
    else:
        only = finish(producer, places, consumers[0]) if len(consumers) == 1 else None
        if only is None:
            return False
        joined = [only]
    for i, nest in zip(rest, joined):
        kernel.steps[i] = nest
    del kernel.steps[first]
    kernel.internal.remove(buffer)
    return True


def buffers_of(step: Any) -> set[Any]:
    parts = [step.buffer, *step.expressions] if isinstance(step, Nest) else step
    return {variable for variable in variables_of(parts) if hasattr(variable.ty, "shape")}


def written_by(step: Any) -> Any | None:
    return step.buffer if isinstance(step, Nest) else None


def identity_places(nest: Nest) -> list[Axis | None] | None:
    """Return for each dimension which axis walks it, None for sizes of 1; None if not so."""
    axes = {axis.var: axis for axis in nest.axes}
    places: list[Axis | None] = []
    for index in nest.indices:
        axis = axes.pop(index, None)
        if axis is None and constant(index) != 0:
            return None
        places.append(axis)
    return None if any(axis.extent > 1 for axis in axes.values()) else places


def values_at(nest: Nest, places: list[Axis | None], indices: Any) -> dict[Any, Any]:
    """Return what the nest's variables are for the element at these indices."""
    values = {axis.var: number(0) for axis in nest.axes if axis not in places}
    values |= {axis.var: index for axis, index in zip(places, indices) if axis is not None}
    return values


def pays(producer: Nest, consumers: list[Nest]) -> bool:
    """Tell whether computing at each use takes no more than storing and loading."""
    if is_cheap(producer.value):
        return True
    uses = 0
    for consumer in consumers:
        for load in loads_of(consumer.expressions):
            if load.source.same_as(producer.buffer):
                once = consumer.reduction is not None and not is_in(load, consumer.reduction.term)
                uses += consumer.spatial_points if once else consumer.points
    return uses <= producer.points


def is_in(load: Any, expression: Any) -> bool:
    return any(other.same_as(load) for other in loads_of(expression))


def inline(producer: Nest, places: list[Axis | None], consumer: Nest) -> Nest:
    def compute(load: Any) -> Any:
        if not load.source.same_as(producer.buffer):
            return load
        return substitute(producer.value, values_at(producer, places, load.indices))

    return consumer.mapped(lambda expression: map_loads(expression, compute))


def finish(producer: Nest, places: list[Axis | None], consumer: Nest) -> Nest | None:
    """Let a reduction's only user, which computes an element of each, end the reduction."""
    if consumer.reduction is not None or consumer.points != producer.spatial_points:
        return None
    loads = [load for load in loads_of(consumer.value) if load.source.same_as(producer.buffer)]
    values = values_at(producer, places, loads[0].indices)
    for load in loads:
        other = values_at(producer, places, load.indices)
        if any(not same(values[var], other[var]) for var in other):
            return None
    used = [value for value in values.values() if constant(value) != 0]
    axes = {axis.var: axis.extent for axis in consumer.axes}
    for axis in producer.axes:
        value = values[axis.var]
        if axis.extent > 1 and axes.pop(value, None) != axis.extent:
            return None
    if any(extent > 1 for extent in axes.values()) or len(used) != len(set(used)):
        return None
    assert producer.reduction is not None
    reduction = replace(producer.reduction, term=substitute(producer.reduction.term, values))
    result = tirx.Var("ended", loads[0].ty)
    value = map_loads(
        consumer.value, lambda load: result if load.source.same_as(producer.buffer) else load
    )
    value = with_operand(value, result, substitute(producer.value, values))
    return replace(consumer, value=value, reduction=reduction)
