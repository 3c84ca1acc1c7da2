# SPDX-License-Identifier: Apache-2.0
"""The CPythons of this machine that a release is for."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

OLDEST = (3, 10)
ASK = """
import json, platform, sys, sysconfig
print(json.dumps([platform.python_implementation(), sys.version_info[:3],
                  bool(sysconfig.get_config_var("Py_GIL_DISABLED")), sys.version_info[3]]))
"""


def candidates() -> list[Path]:
    """Return programs that are called pythonX.Y: those on the path, and pyenv's."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep) if folder]
    folders += sorted(root.glob("versions/*/bin"))
    return [
        path
        for folder in folders
        if folder != root / "shims" and folder.is_dir()
        for path in sorted(folder.iterdir())
        if re.fullmatch(r"python3\.\d+", path.name)
    ]


def find_pythons() -> dict[tuple[int, int], Path]:
    """Return a Python for each version, the newest patch; free-threaded ones are left out."""
    found: dict[tuple[int, int], tuple[tuple[int, ...], Path]] = {}
    for path in candidates():
        said = subprocess.run([path, "-I", "-c", ASK], capture_output=True, text=True)
        if said.returncode != 0:
            continue
        kind, version, free_threaded, level = json.loads(said.stdout)
        if kind != "CPython" or free_threaded or level != "final" or tuple(version[:2]) < OLDEST:
            continue
        key = (version[0], version[1])
        if key not in found or found[key][0] < tuple(version):
            found[key] = (tuple(version), path)
    return {key: path for key, (_, path) in sorted(found.items())}
