# SPDX-License-Identifier: Apache-2.0
"""ONNX models that no static graph can hold, for the Relax virtual machine.

`importer` goes through the nodes: what computes with sizes is followed in `integers`, branches and
loops are made by `control_flow`, operators whose result has a size of its own by `operators`, and
the rest is left to TVM's converters where `open_sizes` says that these get open dimensions right.
`values` has what they all are made of.
"""
