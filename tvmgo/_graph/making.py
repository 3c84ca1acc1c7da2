# SPDX-License-Identifier: Apache-2.0
"""Making executors: what all the global functions that do it are given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from tvmgo._core.device import REMOTE_STEP, Device, cpu
from tvmgo._core.function import Function
from tvmgo._core.module import Module
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMTypeError, TVMValueError

# Finds what makes executors for a library and devices on other machines, None for this one; set by
# `rpc`.
_find_remote: Callable[[str, Module, list[Device]], Function | None] | None = None


def use_remote(find_creator: Callable[[str, Module, list[Device]], Function | None]) -> None:
    """Take a function of `rpc` that finds creators on other machines, None for this one's."""
    global _find_remote
    _find_remote = find_creator


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
    checked: list[Device] = []
    for item in devices:
        if isinstance(item, str):
            item = Device(item)
        if not isinstance(item, Device):
            raise TVMValueError(f"device: expected a Device or a list of them, got {item!r}")
        if item.device_type != cpu().device_type and not item.exists:
            raise TVMValueError(f"device: this machine's runtime has no {item}")
        checked.append(item)
    pairs = [n for item in checked for n in (item.device_type % REMOTE_STEP, item.device_id)]
    there = _find_remote and _find_remote(creator, libmod, checked)
    create = there or get_global_function(creator)
    module: Module = create(graph_json_str, libmod, *pairs)
    return module


def _is_path(text: str) -> bool:
    """Whether somebody passed the path of a graph, which is an object in JSON."""
    return not text.lstrip().startswith("{") and (text.endswith(".json") or os.path.isfile(text))
