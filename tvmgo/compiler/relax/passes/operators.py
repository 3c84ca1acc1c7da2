# SPDX-License-Identifier: Apache-2.0
"""Operators to templates, and elementwise operators to kernels that templates can take in."""

from __future__ import annotations

from tvm.relax import backend, transform

from tvmgo.compiler.relax.templates.operators.table import OPERATORS
from tvmgo.compiler.relax.templates.rewrite import UseTemplates

# The order matters. What becomes a template, or a view, stays an operator until then.
PASSES = (
    backend.DispatchSampling(),
    backend.DispatchSortScan(),
    transform.LegalizeOps(skip_ops=list(OPERATORS)),
    UseTemplates(),
    transform.DeadCodeElimination(),
)
