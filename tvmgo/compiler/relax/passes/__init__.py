# SPDX-License-Identifier: Apache-2.0
"""Relax to calls of fused kernels.

`pipeline` lists the stages and runs them. A stage is a file with its passes in order: `simplify`
(fewer and simpler operators), `kernels` (operators to fused kernels). `rewrite` and `quantized` are passes of ours.
"""
