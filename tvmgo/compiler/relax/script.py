# SPDX-License-Identifier: Apache-2.0
"""Relax modules as files, on their way from the user's process to a worker.

A module is said as TVMScript, which TVM reads back as it was, except for two things: tensors, of
which a script holds only numbers, and names that are no names in Python. Both go beside it.
(`tvm.ir.save_json` would do all that, but ends the process with some releases of tvm-ffi.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tvm
from tvm import relax
from tvm.relax.expr_functor import PyExprMutator, mutator
from tvm.script import from_source
from tvm.script import ir as I
from tvm.script import relax as R
from tvm.script import tirx as T

from tvmgo.compiler.relax.importing.relax_module import bind_attached_params
from tvmgo.exceptions import ExportError

SCRIPT, CONSTANTS, INPUTS = "module.py", "constants.params", "inputs.json"

# Stands in the script where a tensor was; constants are numbered.
PLACE = "tvmgo_constant_"


def write_module(module: tvm.IRModule, directory: Path) -> None:
    """Write a module, the values that are attached to it bound.

    Raises
    ------
    ExportError
        If there is no ``main``, or TVM does not read the script back as the module that it was.
    """
    if "main" not in {variable.name_hint for variable in module.functions}:
        raise ExportError(
            "the module", "it has no Relax function `main`", "name the entry function main"
        )
    module = bind_attached_params(module)
    script, constants = script_of(module)
    names = [parameter.name for parameter in module["main"].params]
    try:
        tvm.ir.assert_structural_equal(parse(script, constants), module)
    except ValueError as error:
        raise ExportError(
            "the module",
            "its script, which the compiler's process gets, says something else than it does",
            "export it from ONNX",
        ) from error
    directory.joinpath(SCRIPT).write_text(script, encoding="utf-8")
    directory.joinpath(INPUTS).write_text(json.dumps(names), encoding="utf-8")
    tvm.runtime.save_param_dict_to_file(constants, str(directory / CONSTANTS))


def read_module(directory: Path) -> tvm.IRModule:
    script = directory.joinpath(SCRIPT).read_text(encoding="utf-8")
    constants = tvm.runtime.load_param_dict_from_file(str(directory / CONSTANTS))
    names = json.loads(directory.joinpath(INPUTS).read_text(encoding="utf-8"))
    return rename_inputs(parse(script, constants), names)


def script_of(module: tvm.IRModule) -> tuple[str, dict[str, tvm.runtime.Tensor]]:
    """Return a script in which variables stand where the module has tensors, and the tensors."""
    lifted = ConstantLifter(module)
    for variable, function in module.functions.items():
        if isinstance(function, relax.Function):
            lifted.builder_.update_func(variable, lifted.visit_expr(function))
    script = lifted.builder_.get().script()
    # The printer declares variables that come from nowhere, which the parser takes for statements.
    declarations = rf"(?m)^ *{PLACE}\d+: .*\n"
    return re.sub(declarations, "", script), lifted.constants


@mutator
class ConstantLifter(PyExprMutator):  # type: ignore[misc]
    def __init__(self, module: tvm.IRModule) -> None:
        super().__init__(module)
        self.constants: dict[str, tvm.runtime.Tensor] = {}

    def visit_generic_const_(self, constant: Any) -> relax.Expr:
        if not isinstance(constant.value, tvm.runtime.Tensor):
            return constant
        name = f"{PLACE}{len(self.constants)}"
        self.constants[name] = constant.value
        return relax.Var(name, constant.ty)


def parse(script: str, constants: Mapping[str, tvm.runtime.Tensor]) -> tvm.IRModule:
    names = {"I": I, "R": R, "T": T, "TypeVar": TypeVar}
    return from_source(
        script, {**names, **{name: relax.const(value) for name, value in constants.items()}}
    )


def rename_inputs(module: tvm.IRModule, names: Sequence[str]) -> tvm.IRModule:
    """Give the inputs of main the names that they had."""
    main = module["main"]
    renamer = InputRenamer(module, dict(zip(main.params, names)))
    module.update_func(module.get_global_var("main"), renamer.visit_expr(main))
    return module


@mutator
class InputRenamer(PyExprMutator):  # type: ignore[misc]
    def __init__(self, module: tvm.IRModule, names: Mapping[relax.Var, str]) -> None:
        super().__init__(module)
        self.names = names

    def visit_var_def_(self, variable: relax.Var) -> relax.Var:
        if variable not in self.names:
            return variable
        renamed = relax.Var(self.names[variable], variable.ty)
        self.set_var_remap(variable, renamed)
        return renamed
