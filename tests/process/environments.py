# SPDX-License-Identifier: Apache-2.0
"""Environments in which there is more or less than tvmgo needs."""

import os
from pathlib import Path

import tvmgo
from tests.helpers import output_of

REAL = tvmgo._native.locate.load() or Path(tvmgo._native.locate.libraries()["tvm_runtime"])


def in_bare(bare, code, *, more=(), **env):
    """Run `code`, which must end well and silently, with the packages in `bare` and `more` only."""
    search = os.pathsep.join(map(str, [*more, bare]))
    return output_of(code, arguments=["-S"], env={"PYTHONPATH": search, **env})


def link_without_runtime(package, target):
    """Make tvmgo available elsewhere, without the runtime that its wheels carry."""
    target.mkdir()
    for path in package.iterdir():
        if path.name != "_native":
            (target / path.name).symlink_to(path)
    (target / "_native").mkdir()
    for path in package.glob("_native/*.py"):
        (target / "_native" / path.name).symlink_to(path)


def link_runtime(directory, name=REAL.name):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).symlink_to(REAL)
    return directory / name


def install_tvm(directory, content="", distribution="apache_tvm-0.27.0"):
    """Make a folder look as if a distribution with the package `tvm` were installed there."""
    (directory / "tvm" / "lib").mkdir(parents=True)
    (directory / "tvm" / "__init__.py").write_text(content)
    (directory / f"{distribution}.dist-info").mkdir()
    return directory / "tvm" / "lib"
