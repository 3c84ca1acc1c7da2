# SPDX-License-Identifier: Apache-2.0
"""Kernels that compute each element of their result by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import relax, te

from tvmgo.compiler.relax.expressions import shape_of


def elementwise(
    bb: relax.BlockBuilder, call: relax.Call, compute: Callable[..., Any], *arguments: relax.Expr
) -> relax.Expr:
    """Call a kernel that computes each element of the result from those of the arguments."""
    shape = shape_of(call)
    if shape is None:
        return call

    def element(x: te.Tensor, index: tuple[Any, ...]) -> Any:
        skipped = len(index) - len(x.shape)
        # A 0 where there is nothing to broadcast would keep TVM from fusing the kernel.
        stays = (dim == size for dim, size in zip(x.shape, shape[skipped:]))
        return x(*(i if same else 0 for i, same in zip(index[skipped:], stays)))

    def kernel(*tensors: te.Tensor) -> te.Tensor:
        return te.compute(shape, lambda *index: compute(*(element(x, index) for x in tensors)))

    name = call.op.name.rpartition(".")[2]
    return bb.call_te(kernel, *arguments, primfunc_name_hint=name)
