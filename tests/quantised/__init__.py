# SPDX-License-Identifier: Apache-2.0
"""Quantised and half-precision models in every form, exported and held beside ONNX Runtime.

`make quantised` writes `docs/reports/quantised.md`. `quantising` runs in an environment of its own, which
has ONNX Runtime's quantisers, and makes the models of `floats`.
"""
