# SPDX-License-Identifier: Apache-2.0
"""Tensors may lie on any boundary of their elements."""

from __future__ import annotations

from typing import Any

import tvm
from tvm import tirx

from tvmgo.compiler.relax.schedule.expressions import substitute


def with_unaligned_parameters(function: Any) -> Any:
    """Take away the promise that parameters lie on boundaries of 64 bytes.

    Vectors are then loaded by instructions that do not ask for it. They take no longer where the
    memory is aligned nevertheless.
    """
    values = {}
    for parameter in function.params:
        if tirx.is_buffer_var(parameter):
            ty = parameter.ty
            values[parameter] = tirx.decl_buffer(
                ty.shape,
                ty.dtype,
                parameter.name,
                strides=ty.strides,
                elem_offset=ty.elem_offset,
                scope=ty.storage_scope,
                data_alignment=max(1, tvm.DataType(str(ty.dtype)).bits // 8),
                offset_factor=ty.offset_factor,
            )
    params = [values.get(parameter, parameter) for parameter in function.params]
    body = substitute(function.body, values)
    return tirx.PrimFunc(params, body, function.ret_type, function.attrs)
