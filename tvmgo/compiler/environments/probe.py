# SPDX-License-Identifier: Apache-2.0
"""What a Python is, and which of some packages it has; ``python probe.py NAME...`` says it as JSON.

It runs in whatever Python somebody names, and so imports nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from typing import Any


def describe(names: Iterable[str]) -> dict[str, Any]:
    """Return version, tag and platform of this Python as wheels call them, and the versions of
    those distributions that it has."""
    return {
        "python": platform.python_version(),
        "tag": python_tag(),
        "platform": platform_name(),
        "versions": versions_of(names),
    }


def python_tag() -> str:
    name = "cp" if sys.implementation.name == "cpython" else sys.implementation.name
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    major, minor = sys.version_info[:2]
    return f"{name}{major}{minor}{free_threaded}"


def platform_name() -> str:
    """Return the platform as wheels call it, without the version of the system."""
    machine = platform.machine() if sys.maxsize > 2**32 else "32bit"
    if sys.platform == "darwin":
        return "macosx_" + machine
    if not sys.platform.startswith("linux"):
        return f"{sys.platform}_{machine}"
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    return ("manylinux_" if libc.startswith("glibc") else "musllinux_") + machine


def versions_of(names: Iterable[str], path: list[str] | None = None) -> dict[str, str]:
    """Return the versions of the distributions that are there; `path` are folders to look in,
    those of this Python by default."""
    where: dict[str, Any] = {} if path is None else {"path": path}
    found = {}
    for name in names:
        for distribution in metadata.distributions(name=name, **where):
            # `distribution.version` would warn, from Python 3.12 on, of what is to be passed over.
            versions = distribution.metadata.get_all("Version")
            if versions:  # else the remains of one that is gone
                found[name] = str(versions[0])
                break  # the others are behind it
    return found


if __name__ == "__main__":
    print(json.dumps(describe(sys.argv[1:])))
