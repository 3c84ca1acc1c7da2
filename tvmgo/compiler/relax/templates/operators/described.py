# SPDX-License-Identifier: Apache-2.0
"""What is no operator of Relax's, by its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import relax

from tvmgo.compiler.relax.attention import ATTENTION
from tvmgo.compiler.relax.described import description_of
from tvmgo.compiler.relax.narrow import NARROW
from tvmgo.compiler.relax.recurrent import RECURRENT
from tvmgo.compiler.relax.templates.operators.attention import replace_attention
from tvmgo.compiler.relax.templates.operators.context import Context
from tvmgo.compiler.relax.templates.operators.narrow import replace_narrow
from tvmgo.compiler.relax.templates.operators.recurrence import replace_recurrent
from tvmgo.compiler.relax.templates.operators.trees import replace_trees
from tvmgo.compiler.relax.trees import TREES

DESCRIBED: dict[str, Callable[[Context, int, relax.Call, dict[str, Any]], None]] = {
    ATTENTION: replace_attention,
    NARROW: replace_narrow,
    RECURRENT: replace_recurrent,
    TREES: replace_trees,
}


def replace_described(context: Context, index: int, call: relax.Call) -> bool:
    described = description_of(call)
    if described is None:  # a function of the user's
        return False
    function, description = described
    DESCRIBED[function](context, index, call, description)
    return True
