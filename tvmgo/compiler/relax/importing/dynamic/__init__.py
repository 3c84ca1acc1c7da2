# SPDX-License-Identifier: Apache-2.0
"""ONNX models that no static graph can hold, for the Relax virtual machine.

`importer` goes through the nodes: what computes with sizes is followed in `integers`, branches and
loops are made by `control_flow`, Scan by `scanning`. Operators whose result has a size of its own
are in the table of `operators`, by theme in `shaping`, `filling`, `selecting` and `resizing`; the
rest is left to TVM's converters, where `open_sizes` says that these get open dimensions right, with
`broadcasting` before them. A `node` is what all these see, and `computed` has the sizes that only
the run knows.
"""
