# SPDX-License-Identifier: Apache-2.0
"""How long nests take, roughly: whether threads pay, and what may be computed twice."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import Load, data_nodes, element_type, is_choice
from tvmgo.compiler.relax.schedule.nests import Nest

# Waking another thread takes about a microsecond, and it pays from three microseconds on if that
# thread has nothing else to do. This is the work below which a kernel stays on one thread.
SERIAL_NANOSECONDS = 20_000
NANOSECONDS = 0.06  # one operation on one element of a vector of eight

COSTLY = {"tirx.pow": 30, "tirx.erf": 20, "tirx.tanh": 20, "tirx.sqrt": 5}
CALL = 12
DIVISION = {"float": 4, "int": 25}


def operations(value: Any) -> int:
    """Count operations for one element, costly ones for as many as they take the time of."""
    return sum(map(operation, data_nodes(value)))


def operation(node: Any) -> int:
    if isinstance(node, tvm.ir.Call):
        name = getattr(node.op, "name", "")
        return COSTLY.get(name, 1 if "reinterpret" in name or is_choice(node) else CALL)
    if isinstance(node, (tirx.Div, tirx.Mod, tirx.FloorDiv, tirx.FloorMod)):
        return DIVISION["float" if "float" in element_type(node) else "int"]
    return 0 if isinstance(node, (tirx.IntImm, tirx.FloatImm, tvm.ir.Var)) else 1


def nanoseconds(nest: Nest) -> float:
    return operations_of(nest) * NANOSECONDS


def operations_of(nest: Nest) -> int:
    """Count the operations for all elements of a nest."""
    if nest.reduction is None:
        return nest.points * operations(nest.value)
    outer = nest.points
    for axis in nest.reduction.axes:
        outer //= axis.extent
    return nest.points * (operations(nest.reduction.term) + 1) + outer * operations(nest.value)


def is_cheap(value: Any) -> bool:
    """Tell whether computing a value again takes no longer than loading it."""
    nodes = data_nodes(value)
    loads = sum(isinstance(node, Load) for node in nodes)
    return operations(value) <= loads + 1 and loads <= 1
