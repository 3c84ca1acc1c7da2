# SPDX-License-Identifier: Apache-2.0
"""What there is of compilers, as ``tvmgo compiler list`` shows it."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from tvmgo.compiler.environments import probe
from tvmgo.compiler.environments.interpreters import COMPILERS, own_interpreter
from tvmgo.compiler.environments.needs import DISTRIBUTIONS, NEEDS, lacking, needed_of
from tvmgo.compiler.environments.places import current, present


@dataclass(frozen=True)
class Row:
    """A place that has, or has not, what a kind of worker needs.

    Attributes
    ----------
    kind : str
    where : str
        The path of a managed environment, or words.
    python : str
        The version of its Python; empty if there is none.
    size : int
        Bytes of a managed environment, 0 for this one.
    what : str
        The versions of packages, or what is wrong.
    """

    kind: str
    where: str
    python: str
    size: int
    what: str


def overview() -> list[Row]:
    """Return a row for each environment there is, and for each kind of worker that has none."""
    rows = []
    versions = probe.versions_of(DISTRIBUTIONS)
    for kind in NEEDS:
        found = []
        if own_interpreter() is not None and not lacking(kind, versions):
            what = as_text(needed_of(kind, versions))
            found.append(Row(kind, "this environment", platform.python_version(), 0, what))
        if kind in COMPILERS:
            found += managed(kind)
        rows += found or [Row(kind, "missing", "", 0, "")]
    return rows


def managed(kind: str) -> list[Row]:
    rows = []
    for environment in present(kind):
        what = as_text(environment.versions)
        if environment not in current(kind):
            what = f"for another release of tvmgo: {what}"
        elif not environment.whole:
            what = f"has lost its Python, install it again: {what}"
        rows.append(Row(kind, str(environment.path), environment.python, environment.size, what))
    return rows


def as_text(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
