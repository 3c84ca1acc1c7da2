# SPDX-License-Identifier: Apache-2.0
"""ONNX models in one normal form, which is all that the compilers have to know.

`simplify` takes these steps, one file each: `shapes` fixes the shapes of inputs, `functions` puts
functions in the place of their calls, `folding` folds constants, `opset` brings operators to one
opset by `raising` and `lowering`, `expansions` replaces operators that compilers lack or get wrong.
`graph_editor` is what the steps rewrite graphs with.
"""
