# SPDX-License-Identifier: Apache-2.0
"""An epilogue by itself: elementwise kernels of a tensor, vectors along its last axis."""

from __future__ import annotations

from typing import Any

from tvm import tirx

from tvmgo.compiler.relax.templates.kernels.emitting import Kernel, load, loop, size_of
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.results import Results
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Vectors computed side by side, and elements below which threads are not worth while.
SIDE_BY_SIDE = 4
FEWEST_PARALLEL = 32 * 1024


class MapKernel:
    """Emits what an epilogue makes of a tensor of the shape of its result."""

    def __init__(
        self, epilogue: Epilogue, unit: VectorUnit, channels: int | None = None, first: int = 0
    ) -> None:
        """The tensor may be those channels from `first` of one that has `channels`."""
        self.epilogue = epilogue
        self.lanes = unit.lanes
        *leading, self.columns = epilogue.shape
        self.rows = size_of(leading)
        self.first = first
        self.x_shape = (*leading, self.columns if channels is None else channels)

    def emit(self, name: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are the tensor, operands, and the result."""
        epilogue = self.epilogue
        in_place = epilogue.in_place(1)
        if (self.x_shape, dtype) == (epilogue.whole, epilogue.dtype) and epilogue.part is None:
            in_place = [0, *in_place]
        with Kernel(name, in_place, epilogue.extends(1)) as kernel:
            self.x, *others = kernel.tensors([("x", self.x_shape, dtype), *epilogue.parameters()])
            self.results = Results.of(epilogue, others)
            loop(self.rows, self.row, size_of(epilogue.shape) >= FEWEST_PARALLEL)
        operations = size_of(epilogue.shape) * len(epilogue.steps)
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
        at = row * self.x_shape[-1] + self.first + column
        value = load(self.x, at, self.lanes, used)
        self.results.store(value, row, column, self.lanes, used)
