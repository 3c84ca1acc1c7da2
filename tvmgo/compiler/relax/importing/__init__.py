# SPDX-License-Identifier: Apache-2.0
"""From what users have to a Relax module with fixed shapes.

`importers` has a table of the kinds of models; `onnx_model` and `relax_module` read one kind each
and give an `imported_model`, by `input_shapes`. `onnx_importer` is TVM's importer, which refuses
what it would pass over, and `onnx_operators` its table of operators that need care.
"""
