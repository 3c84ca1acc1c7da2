# SPDX-License-Identifier: Apache-2.0
"""Objects of the runtime handed to tvm_ffi's Python, which wraps them in classes of its own.

The other way needs no module: `tvmgo.convert` reads the handle of any tvm_ffi object.
"""

from __future__ import annotations

import threading
from typing import Any

from tvmgo._core.handle import use_tvm_ffi_exporter
from tvmgo._core.registry import register_function

_handed_over = threading.local()


@register_function("tvmgo.take", override=True)
def _take() -> Any:
    return getattr(_handed_over, "object", None)


def to_tvm_ffi(x: Any) -> Any:
    """Return tvm_ffi's wrapper around the runtime object that `x` wraps.

    Parameters
    ----------
    x : Array, Function or Module
        Shared, not copied.

    Returns
    -------
    tvm_ffi.Tensor, tvm_ffi.Function or tvm_ffi.Module

    Notes
    -----
    tvm_ffi wraps what functions of the runtime return; ``tvmgo.take`` returns what this thread
    has just put down for it.
    """
    import tvm_ffi

    _handed_over.object = x
    try:
        return tvm_ffi.get_global_func("tvmgo.take")()
    finally:
        del _handed_over.object


use_tvm_ffi_exporter(to_tvm_ffi)
