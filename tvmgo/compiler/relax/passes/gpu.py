# SPDX-License-Identifier: Apache-2.0
"""Operators to kernels for a GPU, by TVM's own passes and schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tvm.relax import backend
from tvm.s_tir import dlight

from tvmgo.compiler.relax.passes import simplify

ALL: Sequence[Any] = simplify.PASSES
# But for what becomes a template, which only CPUs have.
FOR_TEMPLATES = ("FindAttention", "KeepNarrow")
SIMPLIFY = tuple(each for each in ALL if each.info.name not in FOR_TEMPLATES)

OPERATORS = (backend.DispatchSampling(), backend.DispatchSortScan())

# The first rule that fits a kernel decides.
SCHEDULES = (
    dlight.ApplyDefaultSchedule(
        dlight.gpu.Matmul(),
        dlight.gpu.GEMV(),
        dlight.gpu.Reduction(),
        dlight.gpu.GeneralReduction(),
        dlight.gpu.Fallback(),
    ),
)
