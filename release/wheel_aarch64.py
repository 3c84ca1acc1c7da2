# SPDX-License-Identifier: Apache-2.0
"""``python -m release.wheel_aarch64 MODEL``: wheels for AArch64 in dist/, built by a cross compiler and tried under QEMU.

MODEL is a folder with ``mobilenet.onnx``. A wheel is built for each Python that both this machine and a release of
Debian for AArch64 have. As those for this machine, it asks for nothing newer than glibc 2.28. Needs Debian's
binutils-aarch64-linux-gnu and qemu-user; its own compiler and that Python are fetched the first time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tomllib

from release import debian, smoke
from release.aarch64 import CACHE, RELEASES, Environment, install
from release.command import run
from release.pythons import find_pythons
from release.source import ROOT, build_sdist, build_wheel, copy_checkout
from release.wheel import COMPILER, DIST, check, separate_debug_information, tag, variables
from release.wheels import write_expectation
from tvmgo.compiler import export

COMPILERS = ROOT / ".cache" / "debian-11-aarch64"
PREFIX = "aarch64-linux-gnu-"


def requirements(*names: str) -> list[str]:
    """Return what the build needs of some packages."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        needed = tomllib.load(file)["build-system"]["requires"]
    return [each for each in needed if each.startswith(tuple(f"{name}>" for name in names))]


def build(version: tuple[int, int], python: Path, sdist: Path, work: Path) -> Path:
    """Return the wheel of a Python of this machine for the same Python of AArch64."""
    debian.unpack(COMPILERS, "bullseye", "amd64", f"g++-{COMPILER}-{PREFIX.rstrip('-')}")
    packages = install(
        version, work / "packages", "--no-deps", *requirements("apache-tvm", "apache-tvm-ffi")
    )
    name = "cp{}{}".format(*version)
    built = build_wheel(
        python,
        sdist,
        work,
        "--config-settings=--build-option=--plat-name=linux_aarch64",
        **variables(f"{PREFIX} -B/usr/aarch64-linux-gnu/bin/", COMPILERS),
        TVMGO_TARGET_PACKAGES=str(packages),
        SETUPTOOLS_EXT_SUFFIX=f".{name.replace('cp', 'cpython-')}-aarch64-linux-gnu.so",
    )
    return separate_debug_information(built, work, f"{PREFIX}objcopy")


def main(model: str) -> None:
    rows = []
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob("*_aarch64*"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="tvmgo-aarch64-") as folder:
        work = Path(folder)
        exported = work / "exported"
        export(Path(model, "mobilenet.onnx"), exported, target="aarch64", format="graph")
        deployed = write_expectation(exported, Path(model, "mobilenet.onnx"), work / "deployed")
        sdist = build_sdist(copy_checkout(work / "checkout"), work / "sdist", **variables())
        for version, python in find_pythons().items():
            if version not in RELEASES:
                continue
            wheel = tag(build(version, python, sdist, work / "{}.{}".format(*version)))
            check(wheel)
            environment = Environment(version, CACHE / "tried", wheel)
            command = environment.command("tvmgo")
            said = run(*environment.python, "-I", smoke.__file__, deployed, *command)
            rows.append(f"{wheel.name}  {wheel.stat().st_size:,} bytes  {said.strip()}")
            print(rows[-1], flush=True)
    print("\n".join(["", *rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
