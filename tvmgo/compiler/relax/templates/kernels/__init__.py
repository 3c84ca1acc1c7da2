# SPDX-License-Identifier: Apache-2.0
"""What emits kernels.

From the bottom: `vectors` (what a processor's vectors are), `emitting` (a kernel under construction,
and the statements that all are made of), `elementwise` (kernels of one element read as expressions),
`epilogue` (these applied to vectors before they are stored), `results` (what becomes of all vectors of
a tile), `tiles` (how work is cut to fit the registers), `contraction` (the register tile), `windows`
(windows over images), `packing` (weights in the order in which a tile reads them), `facts` (what
reports tell). Whole kernels are `convolution`, `winograd` with `winograd_numbers`, `transposed`,
`few_outputs`, `matmul`, `channelwise`, `scanning`, `selecting` and `mapping`.
"""
