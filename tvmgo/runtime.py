# SPDX-License-Identifier: Apache-2.0
"""The shared libraries below: where they are, and when each is loaded.

``libtvm_ffi`` is loaded when tvmgo is imported. ``libtvm_runtime`` is loaded when it is first
needed, always before any compiled library: kernels receive pointers to its functions when they
are loaded, and one without them crashes when it is called. ``libtvm_runtime_extra`` (sort, topk,
random) and ``libtvm_runtime_cuda`` lie beside it and are loaded when something of theirs is
missing.
"""
from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import mmap
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

ENVIRONMENT_VARIABLE = "TVMGO_RUNTIME_LIBRARY"

_lock = threading.RLock()
_loaded: dict[str, str] = {}


def _file_name(library: str) -> str:
    if sys.platform == "win32":
        return f"{library}.dll"
    return f"lib{library}.dylib" if sys.platform == "darwin" else f"lib{library}.so"


def _open(library: str, path: str) -> None:
    # Global: compiled libraries name functions of these without asking for them by file.
    ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    _loaded[library] = path


def _in_package(package: str, library: str) -> str | None:
    """Return the library inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = os.path.join(root, "lib", _file_name(library))
        if os.path.exists(path):
            return path
    return None


def load_ffi() -> None:
    """Load libtvm_ffi, which every other room is linked to.

    Raises
    ------
    ImportError
        If apache-tvm-ffi is not installed.
    """
    path = _in_package("tvm_ffi", "tvm_ffi")
    if path is None:
        raise ImportError("tvmgo needs libtvm_ffi; `pip install apache-tvm-ffi` brings it")
    _open("tvm_ffi", path)


def _has_function(name: str) -> bool:
    from tvmgo.registry import has_global_function

    return has_global_function(name)


def load_if_found() -> bool:
    """Load libtvm_runtime if it is installed. Return whether it is loaded now.

    Raises
    ------
    TVMImportError
        If it is there and cannot be loaded.
    """
    with _lock:
        if "tvm_runtime" in _loaded:
            return True
        if _has_function("runtime.NumThreads"):
            # `import tvm` or another binding was first; two runtimes would clash.
            _loaded["tvm_runtime"] = _in_package("tvm", "tvm_runtime") or ""
            return True
        chosen = os.environ.get(ENVIRONMENT_VARIABLE)
        if chosen:
            _open_runtime(chosen, f"named by {ENVIRONMENT_VARIABLE}")
            return True
        path = _in_package("tvm", "tvm_runtime")
        if path is not None:
            _open_runtime(path, "of the installed apache-tvm")
            return True
        try:
            _open("tvm_runtime", _file_name("tvm_runtime"))
        except OSError:
            return False
        return True


def _open_runtime(path: str, origin: str) -> None:
    """Load a libtvm_runtime that is there: if it is broken, that must not look like "not there"."""
    from tvmgo.error import TVMImportError

    try:
        _open("tvm_runtime", path)
    except OSError as error:
        raise TVMImportError(f"libtvm_runtime ({origin}) cannot be loaded: {error}") from None


def load() -> None:
    """Load libtvm_runtime.

    It is looked for in this order: the file named by the environment variable
    ``TVMGO_RUNTIME_LIBRARY``; an installed ``apache-tvm``, which is not imported; the places
    where the system's loader looks.

    Raises
    ------
    TVMImportError
        If it is nowhere, or cannot be loaded. Also an ImportError.
    """
    from tvmgo.error import TVMImportError

    if not load_if_found():
        raise TVMImportError(
            f"loading a module needs libtvm_runtime; `pip install apache-tvm` brings it, or set "
            f"{ENVIRONMENT_VARIABLE} to the path of {_file_name('tvm_runtime')}")


def _load_beside_runtime(library: str) -> bool:
    """Load a companion of libtvm_runtime. Return whether that was new."""
    with _lock:
        if library in _loaded or not load_if_found():
            return False
        runtime, name = _loaded["tvm_runtime"], _file_name(library)
        directory = os.path.dirname(runtime)
        if directory:
            path = os.path.join(directory, name)
            if not os.path.exists(path):
                return False
            _open(library, path)
            return True
        if not runtime:
            return False  # others loaded it, from a place they did not tell
        try:
            _open(library, name)  # the system's loader found the runtime, and what is beside it
        except OSError:
            return False
        return True


def load_extra() -> bool:
    """Load libtvm_runtime_extra (sort, topk, random) if there is one. Return whether it was new."""
    if _has_function("tvm.contrib.sort.argsort"):
        return False
    return _load_beside_runtime("tvm_runtime_extra")


# What in a compiled library needs a companion of libtvm_runtime: names of functions, which are
# looked up when a kernel runs; and an embedded module for CUDA, made when the library is loaded.
# All releases write its kind after the length of the word.
_MENTIONS = (
    (b"tvm.contrib.", "tvm_runtime_extra"),
    ((4).to_bytes(8, "little") + b"cuda", "tvm_runtime_cuda"),
)


def load_mentioned(path: str) -> None:
    """Load the companions of libtvm_runtime that a compiled library needs to be there."""
    missing = [(mention, name) for mention, name in _MENTIONS if name not in _loaded]
    if not missing or os.stat(path).st_size == 0:
        return
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for mention, name in missing:
            if data.find(mention) != -1:
                with contextlib.suppress(OSError):  # without a driver; who needs it will say so
                    _load_beside_runtime(name)


_stamps: dict[str, tuple[int, ...]] = {}


@contextlib.contextmanager
def fresh_library(path: str) -> Iterator[str]:
    """Give the path under which the system's loader reads the file that lies at `path` now.

    The loader knows libraries by name: asked again for one that is still in memory it returns
    that, even when the file has been replaced since. Then a copy under another name is given.
    """
    status = os.stat(path)
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    with _lock:
        before = _stamps.setdefault(path, stamp)
    if before == stamp:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tvmgo-") as directory:
        yield shutil.copy2(path, os.path.join(directory, os.path.basename(path)))


def libraries() -> dict[str, str]:
    """Return name and path of the libraries loaded; the path is empty where others loaded one."""
    return dict(_loaded)


# ---------------------------------------------------------------- devices other than the CPU


def _device_functions(device_type: int) -> bool:
    """Whether the runtime can use devices of this kind, after loading what might help."""
    from tvmgo.device import Device

    name = f"device_api.{str(Device(device_type)).partition(':')[0]}"
    if not load_if_found():
        return False
    if not _has_function(name):
        with contextlib.suppress(OSError):  # built for a driver this machine lacks: no such device
            _load_beside_runtime("tvm_runtime_cuda")
    return _has_function(name)


def device_exists(device_type: int, device_id: int) -> bool:
    """Whether a device is there and usable."""
    from tvmgo.registry import get_global_function

    exist = 0  # DeviceAttrKind kExist
    if not _device_functions(device_type):
        return False
    return bool(get_global_function("runtime.GetDeviceAttr")(device_type, device_id, exist))


def _require_device(device: Any) -> None:
    """Load the runtime; refuse a device of a kind it cannot use."""
    from tvmgo.error import TVMError

    load()
    if not _device_functions(device.device_type):
        raise TVMError(f"device: the runtime has no device API for {device}")


def sync_device(device: Any) -> None:
    """Wait for the default stream of a device other than the CPU."""
    from tvmgo.registry import get_global_function

    _require_device(device)
    get_global_function("runtime.Device_StreamSync")(device, 0)


def alloc_on_device(shape: tuple[int, ...], dtype: Any, device: Any) -> Any:
    """Make an array on a device other than the CPU (``runtime.TVMTensorAllocWithScope``)."""
    from tvmgo.registry import get_global_function

    _require_device(device)
    make_shape = get_global_function("ffi.Shape")
    return get_global_function("runtime.TVMTensorAllocWithScope")(
        make_shape.invoke(*shape), dtype, device, None)


def copy_across_devices(source: Any, target: Any) -> None:
    """Copy between arrays of equal type and size, at least one outside host memory."""
    from tvmgo.registry import get_global_function

    get_global_function("runtime.TVMTensorCopyFromTo")(source, target)
