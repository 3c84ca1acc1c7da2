# SPDX-License-Identifier: Apache-2.0
"""Kernels written by hand, as functions that emit TIR, for what a model spends its time on.

From the bottom: `vectors` (what a processor's vectors are), `elementwise` (kernels of one element
read as expressions), `epilogue` (such expressions applied to vectors before they are stored),
`emitting` (kernels under construction), `tiles` (how work is cut to fit the registers),
`contraction` (the register tile: convolutions and matrix products), `packing` (weights in the
order in which a tile reads them). `values` (layouts of tensors), `tails` (what is computed together
with an operator), `operators` (from Relax calls to kernels) and `rewrite` (the pass) call them.
"""
