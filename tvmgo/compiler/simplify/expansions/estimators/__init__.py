# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml, as scikit-learn's and LightGBM's models have them.

They become operators of ONNX, but for the sums of trees, of which there is a kernel. What the standard
leaves open is done as ONNX Runtime does it.
"""
