# SPDX-License-Identifier: Apache-2.0
"""The stages between a model and its kernels, in order."""

from __future__ import annotations

from collections.abc import Sequence

import tvm

from tvmgo.compiler.errors import REWRITE_OPERATOR, failed_step
from tvmgo.compiler.relax.codegen.target import is_gpu
from tvmgo.compiler.relax.passes import gpu, kernels, operators, simplify
from tvmgo.compiler.relax.schedule import schedule
from tvmgo.compiler.relax.shapes import require_static_shapes

# A new stage is a file with its PASSES and a place in this list. What is to be done to operators,
# such as choosing a layout, belongs into `operators`; what is to be done to kernels, such as
# scheduling them, behind the others: there each is one PrimFunc, and main does not change any more.
STAGES = (operators.PASSES, kernels.PASSES, schedule.PASSES)
GPU_STAGES = (gpu.OPERATORS, kernels.PASSES, gpu.SCHEDULES)


def simplify_model(module: tvm.IRModule, target: tvm.target.Target) -> tvm.IRModule:
    """Take the first stage, which one target of several takes for all.

    Raises what `lower_to_kernels` raises.
    """
    return run_stages([gpu.SIMPLIFY if is_gpu(target) else simplify.PASSES], module, target)


def lower_to_kernels(module: tvm.IRModule, target: tvm.target.Target) -> tvm.IRModule:
    """Turn a Relax model into calls of fused kernels.

    Parameters
    ----------
    module : tvm.IRModule
        As `simplify_model` returns it; not changed.
    target : tvm.target.Target
        Sorting and sampling depend on it.

    Returns
    -------
    tvm.IRModule
        ``main`` in destination-passing style, memory not yet assigned, beside its kernels.

    Raises
    ------
    ExportError
        If a shape is known only at run time, or a pass fails on the model.
    """
    return run_stages(GPU_STAGES if is_gpu(target) else STAGES, module, target)


def run_stages(
    stages: Sequence[Sequence[tvm.transform.Pass]], module: tvm.IRModule, target: tvm.target.Target
) -> tvm.IRModule:
    with target:
        for passes in stages:
            module = run_passes(passes, module)
            require_static_shapes(module["main"])
    return module


def run_passes(passes: Sequence[tvm.transform.Pass], module: tvm.IRModule) -> tvm.IRModule:
    for each in passes:
        try:
            module = each(module)
        except MemoryError:
            raise
        except Exception as error:
            # Open shapes are the usual cause, and TVM then names neither value nor operator.
            require_static_shapes(module["main"])
            raise failed_step(f"pass {each.info.name}", error, REWRITE_OPERATOR) from error
    return module
