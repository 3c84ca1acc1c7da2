# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN, as `importing.recurrent` says them."""

from __future__ import annotations

from typing import Any

from tvm import relax

from tvmgo.compiler.relax.expressions import constant
from tvmgo.compiler.relax.recurrent import Recurrent
from tvmgo.compiler.relax.templates.kernels.cells import (
    Activation,
    Cell,
    Gru,
    GruResetBefore,
    Lstm,
    Rnn,
)
from tvmgo.compiler.relax.templates.kernels.recurrence import RecurrenceKernel
from tvmgo.compiler.relax.templates.kernels.recurrent_tensors import Recurrence, pack_recurrent
from tvmgo.compiler.relax.templates.operators.context import Context


def replace_recurrent(
    context: Context, index: int, call: relax.Call, description: dict[str, Any]
) -> None:
    what = Recurrent(**description)
    recurrence = Recurrence(
        cell_of(what),
        *(what.steps, what.batch, what.hidden, tuple(what.backwards)),
        *(what.batch_first, what.optional),
    )
    cell = recurrence.cell
    inputs, weights, *optional = call.args[1].fields
    content = constant(weights)
    assert content is not None  # the importer takes no others
    packed = [relax.const(each, str(each.dtype)) for each in pack_recurrent(content, cell)]
    arguments = [context.values.plain(inputs), *packed, *map(context.values.plain, optional)]
    name = what.operator.lower()
    callee = context.builder.add_func(RecurrenceKernel(recurrence, context.unit).emit(name), name)
    states = [recurrence.state_shape] * cell.results
    shapes = [recurrence.series_shape, *states, recurrence.memory_shape]
    types = [relax.TensorType(shape, "float32") for shape in shapes]
    result = context.builder.emit(relax.call_tir(callee, arguments, types))
    context.set(context.block.bindings[index].var, result, channels_last=False)


def cell_of(what: Recurrent) -> Cell:
    functions = [Activation(*each) for each in what.activations]
    clipped = 1 if what.operator == "RNN" else 2
    functions[:clipped] = [
        Activation(each.name, each.alpha, each.beta, what.clip) for each in functions[:clipped]
    ]
    if what.operator == "LSTM":
        return Lstm(functions, what.option)
    if what.operator == "GRU":
        return (Gru if what.option else GruResetBefore)(functions)
    return Rnn(functions)
