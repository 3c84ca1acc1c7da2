# SPDX-License-Identifier: Apache-2.0
"""The passes between a model and its kernels; no other file names a pass.

The order matters. Batch normalisation folds into convolutions only before it is decomposed, and
constants must be folded in between. Reshapes are told from kernels last, when fusion has taken
those it can.

Whatever else is to be done to the kernels, such as scheduling them, has its place behind `KERNELS`:
there each is one PrimFunc, and the graph does not change any more.
"""

from __future__ import annotations

from collections.abc import Sequence

import tvm
from tvm.relax import backend, transform

from tvmgo.compiler.errors import REWRITE_OPERATOR, ExportError
from tvmgo.compiler.replace import ReplaceOperators
from tvmgo.compiler.shapes import require_static_shapes

# Fewer and simpler operators.
SIMPLIFICATION = (
    transform.InlinePrivateFunctions(),
    ReplaceOperators(),
    transform.ConvertToDataflow(min_size=1),
    transform.FoldBatchnormToConv2D(),
    transform.FoldConstant(),
    transform.DecomposeOpsForInference(),
    transform.CanonicalizeBindings(),
    transform.FoldConstant(),
    transform.DeadCodeElimination(),
)

# Operators to calls of fused kernels.
KERNELS = (
    backend.DispatchSampling(),
    backend.DispatchSortScan(),
    transform.LegalizeOps(),
    transform.AnnotateTIROpPattern(),
    transform.FoldConstant(),
    transform.FuseOps(),
    transform.FuseTIR(),
    transform.DeadCodeElimination(),
    transform.CanonicalizeBindings(),
    transform.RewriteDataflowReshape(),
)


def lower_model(module: tvm.IRModule, target: tvm.target.Target) -> tvm.IRModule:
    """Turn a Relax model into calls of fused kernels.

    Parameters
    ----------
    module : tvm.IRModule
        With the Relax function ``main``; not changed.
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
    with target:
        for passes in (SIMPLIFICATION, KERNELS):
            module = run_passes(passes, module)
            require_static_shapes(module["main"])
    return module


def run_passes(passes: Sequence[tvm.transform.Pass], module: tvm.IRModule) -> tvm.IRModule:
    for each in passes:
        try:
            module = each(module)
        except Exception as error:
            # Open shapes are the usual cause, and TVM then names neither value nor operator.
            require_static_shapes(module["main"])
            raise ExportError.from_worker(
                f"pass {each.info.name}", error, REWRITE_OPERATOR
            ) from error
    return module
