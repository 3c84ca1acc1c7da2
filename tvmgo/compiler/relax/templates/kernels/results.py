# SPDX-License-Identifier: Apache-2.0
"""What becomes of the sums of a tile: they pass through the epilogue into the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tvm
from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.schedule.functions import scalar_type
from tvmgo.compiler.relax.templates.kernels.emitting import lanes_at, loop, store
from tvmgo.compiler.relax.templates.kernels.epilogue import Epilogue

# Operations of an epilogue from which on its code is a loop over the rows of a tile. Written out for
# each row, a function such as erf takes longer to compile than the rest of the kernel, and does not fit
# the processor's cache of decoded instructions.
LONG = 12

# Less memory than this lies on the stack; of more, TVM asks the heap.
STACK = 1024


@dataclass(frozen=True)
class Results:
    """Where the results of a kernel go.

    Attributes
    ----------
    epilogue : Epilogue
    operands : sequence of tirx.Buffer
        Of the epilogue.
    y : tirx.Buffer
    first : Expr
        The channel of y at which the result begins.
    """

    epilogue: Epilogue
    operands: Sequence[tirx.Buffer]
    y: tirx.Buffer
    first: Any = 0

    @classmethod
    def of(cls, epilogue: Epilogue, buffers: Sequence[tirx.Buffer]) -> Results:
        """Take the buffers of `epilogue.parameters()`; emits what reads where the result begins."""
        *buffers, y = buffers
        count = len(epilogue.operands)
        first: Any = 0
        if epilogue.part:
            last = epilogue.part.channels - epilogue.shape[-1]
            first = T.bind(T.max(0, T.min(buffers[count][0], last)))  # whoever calls the kernel
        return cls(epilogue, buffers[:count], y, first)

    def store(self, value: Any, row: Any, column: Any, lanes: int, used: int) -> None:
        """Store one vector that begins at (row, column)."""
        value = self.epilogue.apply(self.operands, value, row, column, lanes, used)
        at = row * self.epilogue.whole[-1] + column
        store(self.y, value, at if self.epilogue.part is None else at + self.first, lanes, used)

    def put(
        self,
        sums: Sequence[Sequence[Any]],
        row: Any,
        column: Any,
        lanes: int,
        used: Sequence[int],
        step: int = 1,
    ) -> None:
        """Store vectors, given by row and vector; the first one begins at (row, column).

        `used` says how many lanes of each vector of a row are in the result, `step` how far its rows
        are from one another.
        """

        def store_row(vectors: Sequence[Any], row: Any) -> None:
            for i, value in enumerate(vectors):
                self.store(value, row, column + i * lanes, lanes, used[i])

        if len(sums) == 1 or self.epilogue.operations < LONG:
            for i, vectors in enumerate(sums):
                store_row(vectors, row + i * step)
            return
        dtype = scalar_type(sums[0][0])
        length = len(used) * lanes
        most = max(1, (STACK - 1) // (length * tvm.DataType(dtype).bits // 8))
        for first in range(0, len(sums), most):
            some = sums[first : first + most]
            kept = T.alloc_buffer((len(some) * length,), dtype, scope="global")
            for i, vectors in enumerate(some):
                for j, value in enumerate(vectors):
                    store(kept, value, i * length + j * lanes, lanes, lanes)

            def again(i: Any, kept: tirx.Buffer = kept, first: int = first) -> None:
                places = [lanes_at(i * length + j * lanes, lanes) for j in range(len(used))]
                store_row([T.bind(kept[place]) for place in places], row + (first + i) * step)

            loop(len(some), again)
