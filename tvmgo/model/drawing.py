# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model's graph."""

from __future__ import annotations

from collections.abc import Sequence

from tvmgo.exceptions import TVMValueError
from tvmgo.model.engines.batched import BatchedEngine
from tvmgo.model.engines.graph import GraphEngine
from tvmgo.model.engines.vm import MAIN
from tvmgo.model.profiling.dot import chosen_batch, dot_of
from tvmgo.model.profiling.graph_nodes import nodes_of
from tvmgo.model.profiling.machine_program import of_nodes, read_program
from tvmgo.model.profiling.profile import OperatorProfile
from tvmgo.model.requests.serving import Serving


def draw(serving: Serving, batch: int | None, profiled: Sequence[OperatorProfile]) -> str:
    """Return a graph as `Model.dot` does, with what a profile has found."""
    engine = serving.engine
    if isinstance(engine, BatchedEngine):
        engine = engine.engines[chosen_batch(batch, engine.engines, profiled)]
    elif batch is not None:
        raise TVMValueError(f"batch: the model has one graph, got {batch}")
    inputs = [info.name for info in engine.inputs]
    outputs = [info.name for info in serving.outputs]
    if isinstance(engine, GraphEngine):
        described, places = engine.describe()
        nodes, heads = nodes_of(described), [[(node, output)] for node, output in places]
        size = engine.batch
        profiled = [each for each in profiled if (each.batch or 0) == size]
    else:
        nodes, heads = read_program(engine.program(), MAIN, inputs)
        profiled = of_nodes(profiled, nodes)
    return dot_of(serving.files.name, nodes, heads, inputs, outputs, profiled)
