# SPDX-License-Identifier: Apache-2.0
"""Making executors: what all the global functions that do it are given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from tvmgo._core.device import Device, cpu
from tvmgo._core.module import Module
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMTypeError, TVMValueError


def make_executor(
    creator: str,
    graph_json_str: str,
    libmod: Module,
    device: Device | str | Sequence[Device | str] | None,
    ctx: Device | str | Sequence[Device | str] | None,
) -> Module:
    """Call one of the global functions that make executors; arguments as for `create`."""
    if not isinstance(graph_json_str, str):
        raise TVMTypeError(f"graph_json_str: expected a str, got {type(graph_json_str).__name__}")
    if _is_path(graph_json_str):
        raise TVMValueError(
            f"graph_json_str: expected the text of a graph, got the path "
            f"{graph_json_str!r}; read the file and pass what it holds"
        )
    if ctx is not None:
        if device is not None:
            raise TVMTypeError("ctx: another name of device, which is given, too")
        device = ctx
    if device is None:
        device = cpu(0)
    devices = [device] if isinstance(device, (Device, str)) else device
    if not isinstance(devices, Iterable):
        raise TVMValueError(f"device: expected a Device or a list of them, got {device!r}")
    pairs: list[int] = []
    for item in devices:
        if isinstance(item, str):
            item = Device(item)
        if not isinstance(item, Device):
            raise TVMValueError(f"device: expected a Device or a list of them, got {item!r}")
        if item.device_type != cpu().device_type and not item.exists:
            raise TVMValueError(f"device: this machine's runtime has no {item}")
        pairs += (item.device_type, item.device_id)
    module: Module = get_global_function(creator)(graph_json_str, libmod, *pairs)
    return module


def _is_path(text: str) -> bool:
    """Whether somebody passed the path of a graph, which is an object in JSON."""
    return not text.lstrip().startswith("{") and (text.endswith(".json") or os.path.isfile(text))
