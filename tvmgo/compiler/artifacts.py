# SPDX-License-Identifier: Apache-2.0
"""The files of an exported model, and how new ones take the place of old ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tvmgo.compiler.report import Report

LIBRARY = "deploy.so"
GRAPH = "deploy.json"
PARAMS = "deploy.params"


@dataclass(frozen=True)
class Artifacts:
    """Where `export` has put the files of a model.

    Ask for the files by name; the object is not made to be unpacked or indexed, because later
    releases may add files to it. Two are equal when all their paths are.

    Attributes
    ----------
    library : pathlib.Path
        ``deploy.so``: the kernels, for `tvmgo.load_module`.
    graph : pathlib.Path
        ``deploy.json``: the graph, UTF-8 text for `tvmgo.graph_executor.create`.
    params : pathlib.Path
        ``deploy.params``: the weights, bytes for ``load_params``.
    report : Report or None
        How the export went, to print; None for files that somebody else has found.

    Notes
    -----
    The paths begin with the directory as it was given to `export`, so they are relative if it was.
    Nothing is kept open, and nothing is deleted with the object.
    """

    library: Path
    graph: Path
    params: Path
    report: Report | None = field(default=None, compare=False, repr=False)


def artifacts_in(directory: Path, report: Report | None = None) -> Artifacts:
    return Artifacts(
        library=directory / LIBRARY,
        graph=directory / GRAPH,
        params=directory / PARAMS,
        report=report,
    )


@contextmanager
def staged_artifacts(directory: Path) -> Iterator[Artifacts]:
    """Yield paths to write; the files replace those of `directory` when the block has succeeded.

    Parameters
    ----------
    directory : pathlib.Path
        Made if missing, with its parents; what was made goes again if the block fails. It holds
        the new files meanwhile, because only within one file system a rename is one step.

    Notes
    -----
    Each rename is one step, the three are not. The library comes last: most programs load it first,
    and those that have found the old one refuse the new graph, whose number is another.
    """
    with ExitStack() as undo:
        for path in reversed([directory, *directory.parents]):
            if not path.exists():
                path.mkdir(exist_ok=True)
                undo.callback(remove_if_empty, path)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as scratch:
            yield artifacts_in(Path(scratch))
            for name in (PARAMS, GRAPH, LIBRARY):
                os.replace(Path(scratch, name), directory / name)
        undo.pop_all()


def remove_if_empty(directory: Path) -> None:
    with suppress(OSError):  # somebody else has put something there
        directory.rmdir()
