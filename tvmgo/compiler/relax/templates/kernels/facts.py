# SPDX-License-Identifier: Apache-2.0
"""What reports tell of a template's kernel."""

from __future__ import annotations

from tvm import tirx

from tvmgo.compiler.relax.kernel_attributes import OPERATIONS, TEMPLATE, TILE


def explained(
    function: tirx.PrimFunc, template: str, operations: float, tile: str = ""
) -> tirx.PrimFunc:
    """Return the kernel with what reports tell of it.

    Parameters
    ----------
    function : tirx.PrimFunc
    template : str
        In a word or two for users; `tvmgo.compiler.report.Kernel` lists them.
    operations : float
        On single numbers, in a call.
    tile : str
        ``"rows x vectors"`` of the results that are computed at once, if that is how.
    """
    return function.with_attrs({TEMPLATE: template, OPERATIONS: float(operations), TILE: tile})
