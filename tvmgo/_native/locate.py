# SPDX-License-Identifier: Apache-2.0
"""Finding and loading libtvm_ffi and libtvm_runtime."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

from tvmgo._native.forks import loading
from tvmgo._native.handlers import kept_handlers
from tvmgo.exceptions import TVMError, TVMImportError

ENVIRONMENT_VARIABLE = "TVMGO_RUNTIME_LIBRARY"

# Releases of apache-tvm whose runtime is known to work. Others, and other packages called `tvm`,
# are passed over.
TESTED = ("0.27.",)

# The same of apache-tvm-ffi, whose C++ side still moves, and how pyproject.toml says it.
TESTED_FFI = ("0.1.14.", "0.1.15.")
FFI_RANGE = ">=0.1.14.post0,<0.1.16"

CARRIED = os.path.join(os.path.dirname(__file__), "lib")  # in wheels

loaded: dict[str, str] = {}  # paths by name; empty where others loaded the library
_waiting: list[Callable[[], None]] = []  # for libtvm_runtime


def file_name(library: str) -> str:
    """Return what this system calls the file of a library."""
    if sys.platform == "win32":
        return f"{library}.dll"
    return f"lib{library}.dylib" if sys.platform == "darwin" else f"lib{library}.so"


def open_library(library: str, path: str) -> ctypes.CDLL:
    """Load a library and remember it. Signal handlers stay as they are."""
    with kept_handlers():
        # Global: compiled libraries name functions of these without asking for them by file.
        handle = ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    loaded[library] = path
    return handle


def libraries() -> dict[str, str]:
    """Return name and path of the libraries loaded; the path is empty where others loaded one."""
    return dict(loaded)


def _in_package(package: str, library: str) -> str | None:
    """Return the library inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = os.path.join(root, "lib", file_name(library))
        if os.path.exists(path):
            return path
    return None


def _installed_runtime() -> str | None:
    """Return the libtvm_runtime of an installed apache-tvm that is known to work."""
    path = _in_package("tvm", "tvm_runtime")
    if path is not None:
        site = os.path.dirname(os.path.dirname(os.path.dirname(path)))
        for name in os.listdir(site):
            if name.startswith(tuple(f"apache_tvm-{version}" for version in TESTED)):
                return path
    return None


def has_other_tvm() -> bool:
    """Return whether a package `tvm` is installed that is no apache-tvm known to work.

    If it is imported, after tvmgo as well, it must find its own C functions and not ours.
    """
    return importlib.util.find_spec("tvm") is not None and _installed_runtime() is None


def _carried_runtime() -> str | None:
    """Return the libtvm_runtime that tvmgo's wheel brought along."""
    path = os.path.join(CARRIED, file_name("tvm_runtime"))
    return path if os.path.exists(path) else None


def load_ffi() -> None:
    """Load libtvm_ffi, which the whole binding is linked to.

    Raises
    ------
    ImportError
        If apache-tvm-ffi is not installed, or in a release that tvmgo does not work with.
    """
    path = _in_package("tvm_ffi", "tvm_ffi")
    if path is None:
        raise ImportError("tvmgo needs libtvm_ffi; `pip install apache-tvm-ffi` brings it")
    require_known_ffi(path)
    open_library("tvm_ffi", path)
    _declare_functions(path)


def require_known_ffi(path: str) -> None:
    """Refuse the libtvm_ffi of a release of apache-tvm-ffi that tvmgo does not work with.

    The library does not know: it tells the version of the sources that came after the release.
    """
    versions = [
        name.removesuffix(".dist-info").partition("-")[2]
        for name in os.listdir(os.path.dirname(os.path.dirname(os.path.dirname(path))))
        if name.startswith("apache_tvm_ffi-") and name.endswith(".dist-info")
    ]
    if versions and not any(f"{version}.".startswith(TESTED_FFI) for version in versions):
        raise ImportError(
            f"tvmgo needs apache-tvm-ffi{FFI_RANGE}, and {versions[0]} is installed; "
            f"`pip install 'apache-tvm-ffi{FFI_RANGE}'` brings one that works"
        )


class _ByteArray(ctypes.Structure):
    """``TVMFFIByteArray``."""

    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


_get_global: Any
_drop: Any


def _declare_functions(path: str) -> None:
    """Make the two C functions below ready to be called."""
    global _get_global, _drop
    # PyDLL keeps the GIL, which is all that guards the table of functions: see `registry`.
    ffi = ctypes.PyDLL(path)
    _get_global, _drop = ffi.TVMFFIFunctionGetGlobal, ffi.TVMFFIObjectDecRef
    _get_global.argtypes = (ctypes.POINTER(_ByteArray), ctypes.POINTER(ctypes.c_void_p))
    _drop.argtypes = (ctypes.c_void_p,)
    _get_global.restype = _drop.restype = ctypes.c_int


def has_function(name: str) -> bool:
    """Return whether there is a global function of this name now. Loads nothing."""
    encoded = name.encode()
    view = _ByteArray(encoded, len(encoded))
    function = ctypes.c_void_p()
    if _get_global(view, function) != 0:  # a name that is not there is no failure
        raise TVMError(f"the table of global functions could not be asked for {name!r}")
    if not function:
        return False
    _drop(function)
    return True


def load_if_found() -> bool:
    """Load libtvm_runtime if it is installed. Return whether it is loaded now.

    Raises
    ------
    TVMImportError
        If it is there and cannot be loaded.
    """
    with loading:
        if "tvm_runtime" in loaded:
            return True
        if not (_loaded_by_others() or _load_found()):
            return False
        while _waiting:
            _waiting.pop()()
        return True


def when_loaded(call: Callable[[], None]) -> None:
    """Call `call` once libtvm_runtime is loaded, at once if it is. Loads nothing."""
    with loading:
        if "tvm_runtime" in loaded or _loaded_by_others():
            call()
        else:
            _waiting.append(call)


def _loaded_by_others() -> bool:
    """Return whether `import tvm` or another binding was first; two runtimes would clash."""
    if not has_function("runtime.NumThreads"):
        return False
    loaded["tvm_runtime"] = _in_package("tvm", "tvm_runtime") or ""
    return True


def _load_found() -> bool:
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        _open_runtime(chosen, f"named by {ENVIRONMENT_VARIABLE}")
        return True
    # The installed one before the carried one: `import tvm` must not meet a second copy.
    for path, origin in (
        (_installed_runtime(), "of the installed apache-tvm"),
        (_carried_runtime(), "of tvmgo's own wheel"),
    ):
        if path is not None:
            _open_runtime(path, origin)
            return True
    try:
        open_library("tvm_runtime", file_name("tvm_runtime"))
    except OSError:
        return False
    return True


def _open_runtime(path: str, origin: str) -> None:
    """Load a libtvm_runtime that is there: if it is broken, that must not look like "not there"."""
    try:
        open_library("tvm_runtime", path)
    except OSError as error:
        raise TVMImportError(f"libtvm_runtime ({origin}) cannot be loaded: {error}") from None


def load() -> None:
    """Load libtvm_runtime.

    It is looked for in this order: the file named by the environment variable
    ``TVMGO_RUNTIME_LIBRARY``; an installed ``apache-tvm`` of a tested release, which is not
    imported; tvmgo's own folder, where its wheels carry it; the places where the system's loader
    looks.

    Raises
    ------
    TVMImportError
        If it is nowhere, or cannot be loaded. Also an ImportError.
    """
    if not load_if_found():
        raise TVMImportError(
            f"loading a module needs libtvm_runtime; `pip install apache-tvm` brings it, or set "
            f"{ENVIRONMENT_VARIABLE} to the path of {file_name('tvm_runtime')}"
        )
