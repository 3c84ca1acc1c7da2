# SPDX-License-Identifier: Apache-2.0
"""Expressions in the place of calls of the C library, which take one element each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tvm
from tvm import tirx

from tvmgo.compiler.relax.schedule import functions
from tvmgo.compiler.relax.schedule.expressions import map_nodes

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tirx.exp": functions.exp,
    "tirx.log": functions.log,
    "prim.log2": functions.log2,
    "tirx.log10": functions.log10,
    "tirx.log1p": functions.log1p,
    "tirx.tanh": functions.tanh,
    "tirx.sigmoid": functions.sigmoid,
    "tirx.erf": functions.erf,
    "tirx.pow": functions.pow,
}
SHORT = ("float16", "bfloat16")  # computed in float32


@tvm.transform.module_pass(opt_level=0, name="ExpandIntrinsics")
class ExpandIntrinsics:
    """Expand the functions of `FUNCTIONS` in all kernels; those of float64 stay calls."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        changed = {}
        for variable, function in module.functions_items():
            if isinstance(function, tirx.PrimFunc):
                changed[variable] = function.with_body(expand(function.body))
        module = module.clone()
        for variable, function in changed.items():
            module.update_func(variable, function)
        return module


def expand(code: Any) -> Any:
    return map_nodes(code, tvm.ir.Call, expand_call)


def expand_call(call: Any) -> Any:
    function = FUNCTIONS.get(getattr(call.op, "name", ""))
    dtype = str(call.ty).partition("x")[0]
    if function is None or dtype not in ("float32", *SHORT):
        return call
    if dtype == "float32":
        return function(*call.args)
    value = function(*(functions.cast(argument, "float32") for argument in call.args))
    return functions.cast(value, dtype)
