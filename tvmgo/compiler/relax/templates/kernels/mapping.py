# SPDX-License-Identifier: Apache-2.0
"""An epilogue by itself: elementwise kernels of a tensor, vectors along its last axis."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.templates.kernels.emitting import Kernel, load, loop, size_of, store
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Vectors computed side by side, and elements below which threads are not worth while.
SIDE_BY_SIDE = 4
FEWEST_PARALLEL = 32 * 1024


class MapKernel:
    """Emits what an epilogue makes of a tensor of the shape of its result."""

    def __init__(self, epilogue: Epilogue, unit: VectorUnit) -> None:
        self.epilogue = epilogue
        self.lanes = unit.lanes
        *leading, self.columns = epilogue.shape
        self.rows = size_of(leading)

    def emit(self, name: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are the tensor, operands, and the result."""
        operands = [
            (f"operand{i}", operand.shape, operand.dtype)
            for i, operand in enumerate(self.epilogue.operands)
        ]
        shape = self.epilogue.shape
        same = [0] if dtype == self.epilogue.dtype else []
        with Kernel(name, [*same, *self.epilogue.in_place(1)]) as kernel:
            self.x, *self.operands, self.y = kernel.tensors(
                [("x", shape, dtype), *operands, ("y", shape, self.epilogue.dtype)]
            )
            loop(self.rows, self.row, size_of(shape) >= FEWEST_PARALLEL)
        operations = size_of(shape) * len(self.epilogue.steps)
        return explained(kernel.function, "elementwise", operations)

    def row(self, row: Any) -> None:
        whole, tail = divmod(self.columns, self.lanes)
        groups, rest = divmod(whole, SIDE_BY_SIDE)

        def group(i: Any) -> None:
            for vector in range(SIDE_BY_SIDE):
                self.vector(row, i * SIDE_BY_SIDE + vector, self.lanes)

        if groups:
            loop(groups, group)
        for vector in range(groups * SIDE_BY_SIDE, groups * SIDE_BY_SIDE + rest):
            self.vector(row, vector, self.lanes)
        if tail:
            self.vector(row, whole, tail)

    def vector(self, row: Any, vector: Any, used: int) -> None:
        column = vector * self.lanes
        at = row * self.columns + column
        value = load(self.x, at, self.lanes, used)
        value = self.epilogue.apply(self.operands, value, row, column, self.lanes, used)
        store(self.y, value, at, self.lanes, used)
