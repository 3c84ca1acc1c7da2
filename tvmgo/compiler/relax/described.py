# SPDX-License-Identifier: Apache-2.0
"""What Relax has no operators for, in a Relax module.

It is a call of a function that nobody has, with a description as its attribute; no pass looks into
it, and a template takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import tvm
from tvm import relax

DESCRIPTION = "description"


def described_call(
    function: str,
    description: dict[str, Any],
    arguments: Sequence[relax.Expr],
    types: relax.TensorType | list[relax.TensorType],
) -> relax.Call:
    """Return the call; what JSON can say is in the description."""
    call = relax.call_dps_packed(relax.ExternFunc(function), list(arguments), types)
    attrs = tvm.ir.make_node("ir.DictAttrs", **{DESCRIPTION: json.dumps(description)})
    return relax.Call(call.op, call.args, attrs, call.ty_args)


def description_of(call: relax.Call) -> tuple[str, dict[str, Any]] | None:
    """Return the function of a call of `call_dps_packed` and its description, if it has one."""
    said = call.attrs.get(DESCRIPTION) if isinstance(call.attrs, tvm.ir.DictAttrs) else None
    return None if said is None else (str(call.args[0].global_symbol), json.loads(said))
