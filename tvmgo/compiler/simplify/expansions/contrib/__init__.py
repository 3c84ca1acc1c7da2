# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft, which ONNX Runtime's optimisers and quantisers write.

`quantized` has those that compute with bytes, `dynamic` those that quantise while a model runs,
`fused` operators joined, `attention` attention with its projections. They become standard ones.
"""
