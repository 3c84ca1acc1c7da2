# SPDX-License-Identifier: Apache-2.0
"""Loops of kernels that no template makes: vectors, threads, and functions computed in vectors.

`schedule` is the pass. It reads a kernel into nests (`nests`), joins nests (`joining`), and writes
their loops anew: `spatial` for those that compute each element by itself, `reductions` with
`accumulators` for those that accumulate, both row by row where `rows` finds that several nests
walk the same rows. `segments` splits axes where conditions change, `axes` finds what one loop can
walk, `digits` splits axes that are divided, `unrolling` writes out short sums, `costs` says what is
worth a thread; `loops` and `expressions` are what all use. Then `intrinsics`
puts the expressions of `functions` in the place of calls of the C library, and `alignment` lets
tensors lie anywhere.

A kernel with the attribute ``tirx.is_scheduled`` keeps its loops, as does any step of a kernel that is
no nest: what cannot be understood is not changed.
"""
