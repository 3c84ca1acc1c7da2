# SPDX-License-Identifier: Apache-2.0
"""Running sums and products along an axis, many side by side in vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import tirx as T

from tvmgo.compiler.relax.templates.kernels.emitting import (
    Accumulator,
    Kernel,
    broadcast,
    load,
    loop,
    size_of,
    store,
)
from tvmgo.compiler.relax.templates.kernels.facts import explained
from tvmgo.compiler.relax.templates.kernels.vectors import VectorUnit

# Elements below which threads are not worth while.
FEWEST_PARALLEL = 64 * 1024


class ScanKernel:
    """Emits one scan of a tensor along an axis that is not the last one."""

    def __init__(
        self,
        shape: Sequence[int],
        axis: int,
        combine: Callable[[Any, Any], Any],
        identity: int,
        exclusive: bool,
        unit: VectorUnit,
    ) -> None:
        self.shape = tuple(shape)
        self.outer, self.length = size_of(shape[:axis]), shape[axis]
        self.inner = size_of(shape[axis + 1 :])
        self.combine, self.identity, self.exclusive = combine, identity, exclusive
        self.lanes = unit.lanes

    def emit(self, name: str, x_dtype: str, dtype: str) -> tirx.PrimFunc:
        """Return the kernel; its parameters are the tensor and the result."""
        with Kernel(name, [0] if x_dtype == dtype else []) as kernel:
            self.x, self.y = kernel.tensors([("x", self.shape, x_dtype), ("y", self.shape, dtype)])
            whole, tail = divmod(self.inner, self.lanes)
            parallel = size_of(self.shape) >= FEWEST_PARALLEL

            def vector(i: Any) -> None:
                self.scan(i // whole, i % whole, self.lanes)

            if whole:
                loop(self.outer * whole, vector, parallel)
            if tail:
                loop(self.outer, lambda i: self.scan(i, whole, tail))
        return explained(kernel.function, "running sum", size_of(self.shape))

    def scan(self, outer: Any, vector: Any, used: int) -> None:
        dtype, lanes = self.y.dtype, self.lanes
        total = Accumulator(broadcast(tirx.const(self.identity, dtype), lanes), dtype, lanes)
        with T.serial(0, self.length) as step:
            at = (outer * self.length + step) * self.inner + vector * lanes
            value = load(self.x, at, lanes, used)
            if self.x.dtype != dtype:
                value = tirx.Cast(f"{dtype}x{lanes}", value)
            value = T.bind(value)
            if self.exclusive:
                store(self.y, total.value, at, lanes, used)
            total.set(self.combine(total.value, value))
            if not self.exclusive:
                store(self.y, total.value, at, lanes, used)
