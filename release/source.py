# SPDX-License-Identifier: Apache-2.0
"""What packages are built from: the files of the checkout, without what was built in it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from release.command import run

ROOT = Path(__file__).parents[1]


def copy_checkout(target: Path) -> Path:
    """Copy the files that git knows or would add. The copy is a checkout, too."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    run("git", "init", "--quiet", cwd=target)
    run("git", "add", "--all", cwd=target)
    return target


def build_sdist(checkout: Path, target: Path, *options: str, **variables: str) -> Path:
    """Build the source distribution."""
    run(
        sys.executable,
        "-m",
        "build",
        "--sdist",
        *options,
        "--outdir",
        target,
        checkout,
        **variables,
    )
    [built] = target.glob("*.tar.gz")
    return built


def build_wheel(
    python: str | Path, sdist: Path, target: Path, *options: str, **variables: str
) -> Path:
    """Build a Python's wheel of the source distribution alone, in pip's own environment."""
    run(python, "-m", "pip", "wheel", "--no-deps", "-w", target, *options, sdist, **variables)
    [built] = target.glob("*.whl")
    return built
