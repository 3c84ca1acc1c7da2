# SPDX-License-Identifier: Apache-2.0
"""Fewer and simpler operators."""

from __future__ import annotations

from tvm.relax import transform

from tvmgo.compiler.relax.passes.attention import FindAttention
from tvmgo.compiler.relax.passes.folding import FoldBatchNorm, FoldConstants
from tvmgo.compiler.relax.passes.narrow import KeepNarrow
from tvmgo.compiler.relax.passes.quantized.rewrite import UseBytes
from tvmgo.compiler.relax.passes.rewrite.operators import RewriteOperators

# The order matters. Our rewrites come before the first folding, so that constants are computed by
# them too. Batch normalisation folds into convolutions only before it is decomposed, and constants
# must be folded in between.
PASSES = (
    transform.InlinePrivateFunctions(),
    UseBytes(),
    KeepNarrow(),
    RewriteOperators(),
    transform.ConvertToDataflow(min_size=1),
    transform.FoldBatchnormToConv2D(),
    FoldConstants(),
    FoldBatchNorm(),
    transform.DecomposeOpsForInference(),
    transform.CanonicalizeBindings(),
    FoldConstants(),
    FindAttention(),
    transform.DeadCodeElimination(),
)
