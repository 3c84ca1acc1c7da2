# SPDX-License-Identifier: Apache-2.0
"""The global functions that clients expect of a server.

The ones named ``tvm.rpc.server.*`` are what TVM's clients call; the runtime itself has more of them,
which ask for ``workpath``. The ones named ``tvmgo.*`` are for `tvmgo.rpc.Session`.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from typing import Any

from tvmgo._core.module import Module, load_module, missing_cpu_feature
from tvmgo._core.registry import register_function
from tvmgo._core.version import __version__, runtime_version
from tvmgo._native import linking
from tvmgo.exceptions import TVMValueError
from tvmgo.rpc.machines import own_machine


def path_of(name: str) -> str:
    """Return the path of a file in the session's folder, which is the current one."""
    folder = os.path.realpath(os.curdir)
    path = os.path.realpath(os.path.join(folder, name))
    if not name or "\0" in name or os.path.commonpath([folder, path]) != folder:
        raise TVMValueError(f"path: expected one in the session's folder, got {name!r}")
    return path


def _append(name: str, at: int, data: bytes) -> None:
    """Write a piece of a file; the first one makes it anew."""
    path = path_of(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if at == 0 else "r+b") as file:
        file.seek(at)
        file.write(data)


def _load(name: str) -> Module:
    return load_module(path_of(name))


def _link(name: str) -> bytes:
    """Link object files, and return the library."""
    with (
        linking.linked(path_of(name), not name.endswith((".so", ".dylib"))) as library,
        open(library, "rb") as file,
    ):
        return file.read()


def _list(name: str) -> str:
    return ",".join(sorted(os.listdir(path_of(name))))


def _describe() -> str:
    return json.dumps(
        {
            "machine": own_machine(),
            "system": platform.system(),
            "tvmgo": __version__,
            "runtime": runtime_version,
        }
    )


def _missing(features: str) -> str:
    return missing_cpu_feature(features) or ""


def _info(executor: Module, function: str) -> str:
    info: Any = executor[function]()
    shapes = {str(name): [int(n) for n in shape] for name, shape in info["shape"].items()}
    return json.dumps([shapes, {str(name): str(t) for name, t in info["dtype"].items()}])


def register(longest_packet: int) -> None:
    """Put the functions into the runtime's table."""
    functions: dict[str, Callable[..., Any]] = {
        "tvm.rpc.server.workpath": path_of,
        "tvm.rpc.server.load_module": _load,
        "tvm.rpc.server.download_linked_module": _link,
        "tvm.rpc.server.listdir": _list,
        # Clients copy arrays in pieces of this size.
        "tvm.rpc.server.GetCRTMaxPacketSize": lambda: longest_packet,
        "tvmgo.rpc.server.append": _append,
        "tvmgo.rpc.server.describe": _describe,
        "tvmgo.rpc.server.missing_cpu_feature": _missing,
        "tvmgo.rpc.server.info": _info,
    }
    for name, function in functions.items():
        register_function(function, name, override=True)
