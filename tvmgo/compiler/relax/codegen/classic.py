# SPDX-License-Identifier: Apache-2.0
"""The calling convention of TVM up to 0.20, beside today's, in one library.

Runtimes of TVM 0.8 to 0.20 look a kernel up by its plain name and hand tensors over in another way.
Each kernel has an entry for them, which calls the same code. What they lack are functions that
kernels call by name, such as those that sort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import tvm

from tvmgo.compiler.graph.nodes import COPY, RESHAPE_IN_PLACE, Graph
from tvmgo.compiler.relax.schedule.expressions import nodes_of

CLASSIC_KERNELS = Path(__file__).parents[3] / "capi" / "classic_kernels.h"

# Operators of TIR that call a function by name.
CALLS_BY_NAME = tuple(
    f"tirx.tvm_call_{how}{lowered}"
    for how in ("packed", "cpacked", "trace_packed")
    for lowered in ("", "_lowered")
)


def classic_source(symbols: Iterable[str]) -> str:
    """C or C++ that adds the old calling convention to a library with these kernels."""
    entries = "\n".join(f"TVMGO_CLASSIC_KERNEL({symbol})" for symbol in symbols)
    return f"""\
{CLASSIC_KERNELS.read_text(encoding="utf-8")}
#ifdef __cplusplus
extern "C" {{
#endif
{entries}
#ifdef __cplusplus
}}
#endif
"""


def not_for_classic(graph: Graph, kernels: Mapping[str, tvm.tirx.PrimFunc]) -> list[str]:
    """Return what of a graph runtimes up to TVM 0.20 cannot run: functions and element types."""
    dtypes = {spec.dtype for node in graph.nodes for spec in node.outputs}
    unknown = sorted(name for name in dtypes if name.startswith("float8"))
    return [*needing_runtime(graph, kernels), *unknown]


def needing_runtime(graph: Graph, kernels: Mapping[str, tvm.tirx.PrimFunc]) -> list[str]:
    """Return what a graph calls that is no kernel, or calls functions of the runtime by name."""
    called = {node.function for node in graph.nodes if node.function is not None}
    foreign = called - kernels.keys() - {COPY, RESHAPE_IN_PLACE}
    return sorted(
        foreign | {name for name in called & kernels.keys() if calls_by_name(kernels[name])}
    )


def calls_by_name(kernel: tvm.tirx.PrimFunc) -> bool:
    calls = nodes_of(kernel.body, tvm.ir.Call)
    return any(getattr(call.op, "name", None) in CALLS_BY_NAME for call in calls)
