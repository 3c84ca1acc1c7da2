# SPDX-License-Identifier: Apache-2.0
"""Kernels written by hand, as functions that emit TIR, for what a model spends its time on.

`kernels` emits them and knows nothing of Relax's operators; `operators` says which operator becomes
which kernel. Between: `values` (layouts of a model's values), `tails` (the elementwise kernels that
are computed together with an operator). `rewrite` is the pass.
"""
