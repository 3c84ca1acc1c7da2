# SPDX-License-Identifier: Apache-2.0
"""What works on programs of TVM: Relax functions and the kernels they call.

`importing` (a model of any kind to Relax), `passes` (Relax to fused kernels), `schedule` (vectors
and threads in kernels), `graph_builder` (Relax to the graph that is deployed), `codegen` (kernels
to a library). All know `shapes`, which
refuses sizes that are not fixed, and `expressions`, which looks at single operands.
"""
