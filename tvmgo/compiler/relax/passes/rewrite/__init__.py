# SPDX-License-Identifier: Apache-2.0
"""Operators whose kernels TVM makes otherwise than a deployed model needs.

`operators` is the pass, with a table of what is rewritten how; the themes are `booleans`,
`indices`, `division`, `nan`, `reductions` and `rounding`; `elementwise` makes kernels for them. `extremes`
has kernels that take the place of TVM's when all else is done.
"""

from __future__ import annotations

from collections.abc import Callable

from tvm import relax

# Takes a call, and gives what stands for it: the call itself where TVM's kernel does right.
Rewrite = Callable[[relax.BlockBuilder, relax.Call], relax.Expr]
