# SPDX-License-Identifier: Apache-2.0
"""Whether the system's loader would find the libraries that another one is linked to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_USUAL = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")


def missing_libraries(path: Path, needed: Iterable[str], search: Iterable[str]) -> list[str]:
    """Return those of the names `needed` that are not found, neither in memory nor on the disk.

    `search` are the folders that the library at `path` names itself, with ``$ORIGIN``.
    """
    origin = str(path.resolve().parent)
    folders = [folder.replace("${ORIGIN}", "$ORIGIN") for folder in search]
    folders = [folder.replace("$ORIGIN", origin) for folder in folders if folder]
    folders += filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    known = _in_memory() | _in_cache()
    return [
        name
        for name in needed
        if name not in known
        and not any(os.path.exists(os.path.join(folder, name)) for folder in (*folders, *_USUAL))
    ]


def _in_memory() -> set[str]:
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # only Linux has it
        return set()
    return set(re.findall(r"/([^/\n]*\.so[^/\n]*)$", maps, re.MULTILINE))


def _in_cache() -> set[str]:
    """The names in the loader's own table, where ldconfig shows it."""
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if ldconfig is None:
        return set()
    done = subprocess.run([ldconfig, "-p"], stdin=subprocess.DEVNULL, capture_output=True)
    said = done.stdout.decode(errors="replace")
    return set(re.findall(r"^\s+(\S+) \(", said, re.MULTILINE))
