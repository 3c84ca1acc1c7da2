# SPDX-License-Identifier: Apache-2.0
"""Arrays and devices as ``tvm.nd`` has them, with TVM's own order of parameters.

`tvmgo.array` and `tvmgo.empty` are the functions themselves.
"""
from __future__ import annotations

from typing import Any

from tvmgo.array import Array as NDArray
from tvmgo.array import array as _array
from tvmgo.array import empty as _empty
from tvmgo.array import from_dlpack
from tvmgo.device import (
    context,
    cpu,
    cuda,
    ext_dev,
    gpu,
    hexagon,
    metal,
    opencl,
    opengl,
    rocm,
    vpi,
    vulkan,
    webgpu,
)

__all__ = ["NDArray", "array", "context", "cpu", "cuda", "empty", "ext_dev", "from_dlpack", "gpu",
           "hexagon", "metal", "opencl", "opengl", "rocm", "vpi", "vulkan", "webgpu"]


def array(arr: Any, ctx: Any = None, *, device: Any = None) -> NDArray:
    """Make an array with a copy of `arr`.

    Parameters
    ----------
    arr : array-like
        As for `tvmgo.array`, with the same errors.
    ctx, device : Device or str, default ``cpu(0)``
        Where the copy lies; TVM called it `ctx` up to 0.7.

    Returns
    -------
    Array

    Notes
    -----
    Source: TVM's ``tvm.nd.array``.
    """
    return _array(arr, device=ctx if device is None else device)


def empty(shape: Any, dtype: Any = "float32", ctx: Any = None, *, device: Any = None) -> NDArray:
    """Make an array whose elements are not set.

    Parameters
    ----------
    shape, dtype
        As for `tvmgo.empty`, with the same errors.
    ctx, device : Device or str, default ``cpu(0)``
        Where the elements lie; TVM called it `ctx` up to 0.7.

    Returns
    -------
    Array

    Notes
    -----
    Source: TVM's ``tvm.nd.empty``.
    """
    return _empty(shape, dtype, ctx if device is None else device)
