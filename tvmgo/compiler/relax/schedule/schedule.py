# SPDX-License-Identifier: Apache-2.0
"""The pass that writes the loops of kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import tvm
from tvm import s_tir, tirx

from tvmgo.compiler.relax.kernel_attributes import OPERATIONS
from tvmgo.compiler.relax.schedule.alignment import with_unaligned_parameters
from tvmgo.compiler.relax.schedule.axes import View, flat_view, flatten, merge
from tvmgo.compiler.relax.schedule.costs import SERIAL_NANOSECONDS, nanoseconds, operations_of
from tvmgo.compiler.relax.schedule.digits import split_digits
from tvmgo.compiler.relax.schedule.intrinsics import ExpandIntrinsics
from tvmgo.compiler.relax.schedule.joining import buffers_of, join_nests
from tvmgo.compiler.relax.schedule.loops import loops, sequence
from tvmgo.compiler.relax.schedule.nests import Kernel, Nest, read_kernel
from tvmgo.compiler.relax.schedule.reductions import reduction_loops
from tvmgo.compiler.relax.schedule.rows import at_row, common_rows
from tvmgo.compiler.relax.schedule.segments import split_by_conditions
from tvmgo.compiler.relax.schedule.spatial import spatial_loops
from tvmgo.compiler.relax.schedule.unrolling import unroll
from tvmgo.compiler.relax.templates.kernels.vectors import vector_unit

SCHEDULED = "tirx.is_scheduled"  # TVM's attribute of functions whose loops are as they should be


@tvm.transform.module_pass(opt_level=0, name="ScheduleKernels")
class ScheduleKernels:
    """Write vectors and parallel loops for every kernel without the attribute `SCHEDULED`."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        wide = vector_unit(tvm.target.Target.current()).lanes * 4
        changed = {}
        for variable, function in module.functions_items():
            if isinstance(function, tirx.PrimFunc) and SCHEDULED not in (function.attrs or {}):
                changed[variable] = schedule_kernel(function, wide)
        module = module.clone()
        for variable, function in changed.items():
            module.update_func(variable, function)
        return module


def schedule_kernel(function: Any, wide: int) -> Any:
    """Return the function with other loops; `wide` is how many bytes a vector has."""
    kernel = read_kernel(function)
    if kernel is not None and kernel.nests:
        kernel.steps = [unroll(step) if isinstance(step, Nest) else step for step in kernel.steps]
        join_nests(kernel)
        work = float(sum(map(operations_of, kernel.nests)))
        function = Writer(kernel, wide).function().with_attr(OPERATIONS, work)
    return with_unaligned_parameters(function)


class Writer:
    """Makes a function of a kernel."""

    def __init__(self, kernel: Kernel, wide: int) -> None:
        self.kernel = kernel
        self.wide = wide
        self.views: dict[Any, View] = {}
        self.others = [step for step in kernel.steps if not isinstance(step, Nest)]

    def function(self) -> Any:
        kernel, function = self.kernel, self.kernel.function
        rows = self.row_dimensions()
        body = [*self.declarations(rows)]
        if rows:
            body.append(self.rows(rows))
        else:
            body += [self.nest(s) if isinstance(s, Nest) else s for s in kernel.steps]
        whole = sequence(body)
        if self.others:
            left = [buffer for buffer in kernel.internal if buffer not in self.views]
            whole = in_root_block(whole, left)
        return tirx.PrimFunc(function.params, whole, function.ret_type, function.attrs)

    def declarations(self, rows: int) -> Iterator[Any]:
        """Make flat buffers of those that nests use, but not of the rows'."""
        used = set().union(*map(buffers_of, self.kernel.nests))
        elsewhere = set().union(*map(buffers_of, self.others))
        for buffer in [*self.kernel.function.params, *([] if rows else self.kernel.internal)]:
            if buffer not in used:
                continue
            flat = flat_buffer(buffer)
            self.views[buffer] = flat_view(buffer, flat)
            if buffer in self.kernel.internal:
                yield tirx.AllocBuffer(flat)
                if buffer in elsewhere:
                    yield tirx.DeclBuffer(buffer, data=tirx.buffer_data(flat))
            else:
                yield tirx.DeclBuffer(flat, data=tirx.buffer_data(buffer))

    def nest(self, nest: Nest) -> Any:
        parallel = nanoseconds(nest) > SERIAL_NANOSECONDS
        return sequence(
            [self.loops(part, parallel) for part in split_by_conditions(split_digits(nest))]
        )

    def loops(self, nest: Nest, parallel: bool) -> Any:
        nest = merge(flatten(nest, self.views))
        write = spatial_loops if nest.reduction is None else reduction_loops
        return write(nest, self.wide, parallel)

    def row_dimensions(self) -> int:
        return 0 if self.others else common_rows(self.kernel.nests, self.kernel.internal)

    def rows(self, rank: int) -> Any:
        nests = self.kernel.nests
        parallel = sum(map(nanoseconds, nests)) > SERIAL_NANOSECONDS

        def row(point: list[Any]) -> Any:
            statements = []
            for buffer in self.kernel.internal:
                flat = flat_buffer(buffer, rank)
                self.views[buffer] = flat_view(buffer, flat, rank)
                statements.append(tirx.AllocBuffer(flat))
            for nest in nests:
                for part in split_by_conditions(split_digits(at_row(nest, point))):
                    statements.append(self.loops(part, parallel=False))
            return sequence(statements)

        return loops([int(size) for size in nests[0].buffer.ty.shape[:rank]], row, parallel)


def flat_buffer(buffer: Any, skipped: int = 0) -> Any:
    size = math.prod(int(extent) for extent in buffer.ty.shape[skipped:])
    return tirx.decl_buffer((size,), buffer.ty.dtype, buffer.name)


def in_root_block(body: Any, buffers: list[Any]) -> Any:
    root = s_tir.SBlock([], [], [], "root", body, alloc_buffers=buffers)
    return s_tir.SBlockRealize([], True, root)


PASSES = (ScheduleKernels(), tirx.transform.VectorizeLoop(), ExpandIntrinsics())
