# SPDX-License-Identifier: Apache-2.0
"""Packages of Debian in a folder: of any release, for any processor. Nothing of them is run, so nobody need be root."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from release.command import run

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
APT = """\
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Debug::NoLocking "true";
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{state}";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "/dev/null";
"""


def unpack(folder: Path, release: str, architecture: str, *packages: str) -> Path:
    """Unpack packages, and all that they need, into a folder that has no others, unless they are there."""
    wanted = " ".join([release, architecture, *packages])
    done = folder / "packages"
    if done.exists() and done.read_text() == wanted:
        return folder
    if shutil.which("apt-get") is None:
        raise SystemExit(f"{folder} takes packages of Debian, and apt-get to fetch them")
    shutil.rmtree(folder, ignore_errors=True)
    state = folder / "apt"
    for part in ("lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(
        f"deb [signed-by={KEYS}] http://deb.debian.org/debian {release} main\n"
    )
    configuration = state / "apt.conf"
    configuration.write_text(APT.format(architecture=architecture, state=state))
    run("apt-get", "update", APT_CONFIG=str(configuration))
    run("apt-get", "install", "--yes", "--download-only", *packages, APT_CONFIG=str(configuration))
    for package in sorted((state / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, folder)
    shutil.rmtree(state)
    keep_links_inside(folder)
    done.write_text(wanted)
    return folder


def keep_links_inside(root: Path) -> None:
    """Make absolute links, which are meant for a system whose root this is, relative."""
    for folder, folders, files in os.walk(root):
        for link in map(Path(folder).joinpath, folders + files):
            if link.is_symlink() and os.readlink(link).startswith("/"):
                target = os.path.relpath(f"{root}{os.readlink(link)}", folder)
                link.unlink()
                link.symlink_to(target)
