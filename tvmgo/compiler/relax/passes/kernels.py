# SPDX-License-Identifier: Apache-2.0
"""Operators to calls of fused kernels."""

from __future__ import annotations

from tvm.relax import transform

from tvmgo.compiler.relax.passes.folding import FoldConstants
from tvmgo.compiler.relax.passes.rewrite.extremes import LEGALIZED

# The order matters. Reshapes are told from kernels last, when fusion has taken those it can.
PASSES = (
    transform.LegalizeOps(LEGALIZED),
    transform.AnnotateTIROpPattern(),
    FoldConstants(),
    transform.FuseOps(),
    transform.FuseTIR(),
    transform.DeadCodeElimination(),
    transform.CanonicalizeBindings(),
    transform.RewriteDataflowReshape(),
)
