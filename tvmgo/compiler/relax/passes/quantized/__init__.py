# SPDX-License-Identifier: Apache-2.0
"""Quantised models, computed with the bytes that they hold.

`reading` tells which tensors are bytes with a scale and a zero point, `products` makes sums of
whole numbers of convolutions and matrix products of such, `moving` moves bytes where floats would
be moved, `rounding` makes bytes of floats in few instructions. `rewrite` is the pass,
`floats` tells which products it leaves, and why.

Exact is what is whole: bytes, their products and sums, which ONNX's QLinear and Integer operators
are defined by. Where floats are quantised that were computed of bytes, a factor stands where ONNX
divides by the scale: what lies within a rounding of the middle between two bytes may become either.
"""
