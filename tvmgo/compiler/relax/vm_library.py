# SPDX-License-Identifier: Apache-2.0
"""A Relax module to one shared library for the Relax virtual machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tvm
from tvm import relax
from tvm.relax import transform
from tvm.target.codegen import llvm_get_cpu_features

from tvmgo.compiler.errors import GIVE_SHAPES, REWRITE_OPERATOR, as_export_error
from tvmgo.compiler.graph.model_id import library_source, model_id
from tvmgo.compiler.relax.codegen.linking import create_shared
from tvmgo.compiler.relax.expressions import shape_of
from tvmgo.compiler.relax.passes import kernels
from tvmgo.compiler.relax.passes.empties import AllocateEmpties
from tvmgo.compiler.relax.passes.ordering import SizesFirst
from tvmgo.compiler.relax.passes.rewrite.operators import RewriteOperators

# The function of the library that returns the names of main's outputs.
OUTPUT_NAMES = "output_names"

# As for a graph, but functions that branches and loops became stay functions, constants are folded
# by TVM, which goes into all of them, and nothing becomes a template, whose shapes are fixed.
PASSES: Sequence[Any] = (
    RewriteOperators(),
    transform.ConvertToDataflow(min_size=1),
    transform.FoldBatchnormToConv2D(),
    transform.FoldConstant(),
    transform.DecomposeOpsForInference(),
    transform.CanonicalizeBindings(),
    transform.FoldConstant(),
    transform.DeadCodeElimination(),
    *kernels.PASSES,
    AllocateEmpties(),
    SizesFirst(),
)


def write_vm_library(
    module: tvm.IRModule,
    target: tvm.target.Target,
    path: Path,
    linker: Sequence[str],
    output_names: Sequence[str] = (),
) -> tuple[int, int]:
    """Compile a module and write it as a library, weights inside.

    Parameters
    ----------
    module : tvm.IRModule
        With the Relax function ``main``; shapes may be open. Not changed.
    target : tvm.target.Target
    path : pathlib.Path
    linker : sequence of str
        A C++ compiler for the target, and its options.
    output_names : sequence of str
        Of main's outputs, in order, if they have names; the function ``output_names`` returns them. The
        virtual machine itself tells the names of inputs.

    Returns
    -------
    tuple of int
        How many kernels the library has, and the number by which it is known.

    Raises
    ------
    ExportError
        If a pass or the code generator fails on the module, or the linker does.
    """
    instead = advice(module["main"])
    if output_names:
        module = with_names(module, output_names)
    with target:
        for each in PASSES:
            with as_export_error(f"pass {each.info.name}", instead=instead):
                module = each(module)
        with as_export_error("lowering to the virtual machine", instead=instead):
            # Default passes of tvm.compile, of which the first ones find nothing left to do.
            executable = tvm.compile(module, target)
    number = link(executable, path, linker, sorted(llvm_get_cpu_features(target)))
    kernel_count = sum(isinstance(each, tvm.tirx.PrimFunc) for each in module.functions.values())
    return kernel_count, number


def advice(main: relax.Function) -> str:
    """Say what to do if TVM fails; open dimensions are what its passes stumble over."""
    tensors = [each for each in main.params if isinstance(each.ty, relax.TensorType)]
    is_open = None in map(shape_of, tensors)
    return f"{GIVE_SHAPES}, or {REWRITE_OPERATOR}" if is_open else REWRITE_OPERATOR


def with_names(module: tvm.IRModule, names: Sequence[str]) -> tvm.IRModule:
    """Add a function that returns the names of outputs."""
    builder = relax.BlockBuilder(module)
    with builder.function(OUTPUT_NAMES, []):
        builder.emit_func_output(relax.Tuple([tvm.ir.StringImm(name) for name in names]))
    return builder.get()


def link(executable: Any, path: Path, linker: Sequence[str], features: Sequence[str]) -> int:
    """Write a library that names the instructions it needs; return the number it has of its own."""
    number = 0

    def link_objects(name: str, objects: list[str], options: Sequence[str] = ()) -> None:
        nonlocal number
        contents = [Path(each).read_bytes() for each in objects]
        source = Path(objects[0]).with_name("model_id.c")
        number = model_id("", {}, contents)
        source.write_text(library_source(number, features), encoding="ascii")
        create_shared(name, [*objects, source], linker, options)

    with as_export_error("writing the library", instead=REWRITE_OPERATOR):
        executable.export_library(str(path), fcompile=link_objects)
    return number
