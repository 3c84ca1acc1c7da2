# SPDX-License-Identifier: Apache-2.0
"""Models in normal form to deployable files by TVM 0.19's Relay, in an environment that has it.

`job` is the entry. `importing` turns ONNX into Relay and refuses what TVM would pass over,
`refusals` has what TVM gets wrong, `target` for which processor, `build` compiles, `files` writes.
Nothing here needs more of tvmgo than its exceptions and `tvmgo.compiler.graph`.
"""
