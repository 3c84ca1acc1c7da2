# SPDX-License-Identifier: Apache-2.0
"""A model of any kind to Relax with fixed shapes: `imported_model` is what comes out.

`onnx_model` and `relax_module` read one kind each; `onnx_importer` makes TVM's ONNX importer
strict, and `onnx_operators` has what that gets wrong.
"""
