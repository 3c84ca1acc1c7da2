# SPDX-License-Identifier: Apache-2.0
"""What a model computes, by somebody who is no compiler: the truth beside which exports are held.

`job` answers the questions, `samples` makes inputs within the `bounds` that the model's operators
set, `evaluation` runs the model by ONNX Runtime or else by onnx's reference evaluator, `changes`
changes it by as much as rounding does.
"""
