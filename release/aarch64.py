# SPDX-License-Identifier: Apache-2.0
"""Python for AArch64, run by QEMU: Debian's, in environments with wheels for that processor."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from release import debian
from release.command import run
from release.source import ROOT

CACHE = ROOT / ".cache" / "aarch64"
# Which release of Debian has which Python.
RELEASES = {(3, 11): "bookworm"}
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)]


def install(version: tuple[int, int], folder: Path, *requirements: str | Path) -> Path:
    """Install wheels for AArch64, with what they need, into a folder."""
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    chosen = ["--only-binary=:all:", "--python-version={}.{}".format(*version), *platforms]
    run(sys.executable, "-m", "pip", "install", "--target", folder, *chosen, *requirements)
    return folder


class Environment:
    """An environment of its own. `python` are the words that run its Python."""

    def __init__(self, version: tuple[int, int], folder: Path, *requirements: str | Path) -> None:
        name = "python{}.{}".format(*version)
        root = CACHE / name
        debian.unpack(root, RELEASES[version], "arm64", name, "libstdc++6")
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "bin").mkdir(parents=True)
        (folder / "pyvenv.cfg").write_text(f"home = {root / 'usr' / 'bin'}\n")
        (folder / "bin" / "python").symlink_to(root / "usr" / "bin" / name)
        self.packages = folder / "lib" / name / "site-packages"
        install(version, self.packages, *requirements)
        self.python = ["qemu-aarch64", "-L", str(root), str(folder / "bin" / "python")]

    def command(self, name: str) -> list[str]:
        """Return the words that run a command that a package brings."""
        return [*self.python, str(self.packages / "bin" / name)]
