# SPDX-License-Identifier: Apache-2.0
"""Operators to templates, and elementwise operators to kernels that templates can take in."""

from __future__ import annotations

from tvm.relax import backend, transform

from tvmgo.compiler.relax.templates.operators.table import OPERATORS
from tvmgo.compiler.relax.templates.rewrite import UseTemplates

# What `DispatchSortScan` makes kernels of.
SORTS = ("relax.sort", "relax.argsort", "relax.topk", "relax.bucketize")

# The order matters. What becomes a template, or a view, stays an operator until then.
PASSES = (
    backend.DispatchSampling(),
    transform.LegalizeOps(skip_ops=[*OPERATORS, *SORTS]),
    UseTemplates(),
    backend.DispatchSortScan(),
    transform.DeadCodeElimination(),
)
