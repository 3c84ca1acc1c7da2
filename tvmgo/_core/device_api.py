# SPDX-License-Identifier: Apache-2.0
"""Devices other than the host, through the runtime's functions: memory, copies, waiting.

Nothing to import: `device` and `array` find these functions where `use_device_api` puts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvmgo._core.device import Device, use_device_api
from tvmgo._core.registry import get_global_function
from tvmgo._native import companions, locate
from tvmgo.exceptions import TVMError

_EXIST = 0  # DeviceAttrKind kExist

# Returns what keeps the session of a remote device open, None if it is not; set by `tvmgo.rpc`. The
# runtime uses a session without looking whether there is one.
find_session: Callable[[Device], Any] | None = None


def _keeper(device: Device) -> Any:
    """Return what keeps a device usable, None if the runtime cannot use it or its kind."""
    if device.is_remote:
        return find_session and find_session(device)
    return True if _has_functions(device) else None


def _has_functions(device: Device) -> bool:
    """Whether the runtime can use devices of this kind, after loading what might help."""
    name = f"device_api.{str(device).partition(':')[0]}"
    if not locate.load_if_found():
        return False
    if not locate.has_function(name):
        companions.load_device_library()
    return locate.has_function(name)


def _require(device: Device) -> Any:
    """Load the runtime; refuse a device it cannot use. Return what keeps it usable meanwhile."""
    keeper = _keeper(device)
    if keeper is None and device.is_remote:
        raise TVMError(f"device: there is no open session for {device}")
    locate.load()  # or say that it is not installed
    if keeper is None:
        raise TVMError(f"device: the runtime has no device API for {device}")
    return keeper


def exists(device: Device) -> bool:
    """Whether a device is there and usable (``runtime.GetDeviceAttr``)."""
    keeper = _keeper(device)
    if keeper is None:
        return False
    attribute = get_global_function("runtime.GetDeviceAttr")
    return bool(attribute(device.device_type, device.device_id, _EXIST))


def sync(device: Device) -> None:
    """Wait for the default stream of a device (``runtime.Device_StreamSync``)."""
    _kept = _require(device)
    get_global_function("runtime.Device_StreamSync")(device, 0)


def alloc(shape: tuple[int, ...], dtype: Any, device: Device) -> Any:
    """Make an array on a device (``runtime.TVMTensorAllocWithScope``)."""
    _kept = _require(device)
    make_shape = get_global_function("ffi.Shape")
    allocate = get_global_function("runtime.TVMTensorAllocWithScope")
    return allocate(make_shape.invoke(*shape), dtype, device, None)


def copy(source: Any, target: Any) -> None:
    """Copy between arrays of equal type and size (``runtime.TVMTensorCopyFromTo``)."""
    get_global_function("runtime.TVMTensorCopyFromTo")(source, target)


use_device_api(exists=exists, sync=sync, alloc=alloc, copy=copy, require=_require)
