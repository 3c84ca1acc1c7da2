# SPDX-License-Identifier: Apache-2.0
"""``python -m release.ffi_releases FOLDER TEST...``: tests with each release of apache-tvm-ffi that tvmgo allows.

Each is unpacked into a folder of FOLDER, which comes first on the path; the extensions are those that are
there, built with whichever release is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packaging.specifiers import SpecifierSet

from release.command import run
from tvmgo._native.locate import FFI_RANGE


def allowed() -> list[str]:
    """Ask pip for the releases in the range, the oldest first."""
    said = run(sys.executable, "-m", "pip", "index", "versions", "--pre", "apache-tvm-ffi")
    [line] = [line for line in said.splitlines() if line.startswith("Available versions:")]
    versions = line.partition(":")[2].replace(" ", "").split(",")
    return list(SpecifierSet(FFI_RANGE).filter(versions))[::-1]


def main(folder: str, *tests: str) -> None:
    failed = []
    for version in allowed():
        target = Path(folder) / f"tvm-ffi-{version}"
        if not target.exists():
            wanted = f"apache-tvm-ffi=={version}"
            run(
                sys.executable,
                *["-m", "pip", "install", "--quiet", "--no-deps", "--target"],
                target,
                wanted,
            )
        print(f"== apache-tvm-ffi {version}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *tests]
        status = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(target)}).returncode
        if status != 0:
            failed.append(f"{version} (exit code {status})")
    if failed:
        raise SystemExit(f"fails with apache-tvm-ffi {', '.join(failed)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
