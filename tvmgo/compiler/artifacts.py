# SPDX-License-Identifier: Apache-2.0
"""The files of an exported model, and how new ones take the place of old ones."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tvmgo.compiler.graph.file_names import PARAMS, graph_files
from tvmgo.compiler.report import Report
from tvmgo.model.files.bundling import bundle
from tvmgo.model.files.manifest import MANIFEST, read_manifest


@dataclass(frozen=True)
class Artifacts:
    """Where `export` has put the files of a model.

    Ask for the files by name; the object is not made to be unpacked or indexed, because later
    releases may add files to it. Two are equal when all their paths are.

    Attributes
    ----------
    library : pathlib.Path
        ``deploy.so``: the kernels, for `tvmgo.load_module`.
    graph : pathlib.Path or None
        ``deploy.json``: the graph, UTF-8 text for `tvmgo.graph_executor.create`. None if the
        library is one for the virtual machine.
    params : pathlib.Path or None
        ``deploy.params``: the weights, bytes for ``load_params``. None for the virtual machine.
    manifest : pathlib.Path
        ``model.json``: what belongs together, names, shapes and element types of inputs and
        outputs; what `tvmgo.Model` reads.
    sizes : mapping of int to tuple of pathlib.Path
        For a model with a batch: library and graph by the number of rows, the smallest first, whose
        files are also `library` and `graph`. All have one file of parameters.
    report : Report
        How the export went, to print.

    Notes
    -----
    The paths begin with the directory as it was given to `export`, so they are relative if it was.
    If a bundle was asked for (``NAME.tvmgo``), all that are not None are its path.
    Nothing is kept open, and nothing is deleted with the object.
    """

    library: Path
    graph: Path | None
    params: Path | None
    manifest: Path
    sizes: Mapping[int, tuple[Path, Path]] = field(default_factory=dict)
    # Declared as what `export` always gives, so that users need not ask for None.
    report: Report = field(default=None, compare=False, repr=False)  # type: ignore[assignment]


def artifacts_in(directory: Path, report: Report | None = None) -> Artifacts:
    """Return the files of a directory; the report tells whether there is a graph."""
    files = Artifacts(*graph_files(directory), directory / MANIFEST, report=report)  # type: ignore[arg-type]
    if report is None:
        return files
    sizes = {
        size.batch: (directory / size.library, directory / size.graph)
        for size in read_manifest(files.manifest).sizes
        if size.batch is not None and size.graph is not None
    }
    return replace(made_in(files, report.format), sizes=sizes)


def made_in(files: Artifacts, form: str) -> Artifacts:
    """Return those of the files that a format has."""
    return replace(files, graph=None, params=None) if form == "vm" else files


def artifacts_of(bundle: Path, files: Artifacts) -> Artifacts:
    """Return where files are that a bundle was made of."""
    return replace(
        files,
        library=bundle,
        graph=files.graph and bundle,
        params=files.params and bundle,
        manifest=bundle,
        sizes=dict.fromkeys(files.sizes, (bundle, bundle)),
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
        make_folders(directory, undo)
        with scratch_folder(directory) as scratch:
            yield artifacts_in(scratch)
            made = [name for name in os.listdir(scratch) if is_artifact(name)]
            for name in sorted(made, key=is_library):
                os.replace(scratch / name, directory / name)
            for name in set(filter(is_artifact, os.listdir(directory))) - set(made):
                Path(directory, name).unlink(missing_ok=True)  # of what was there before
        undo.pop_all()


@contextmanager
def staged_bundle(target: Path) -> Iterator[Artifacts]:
    """Yield paths to write; the files become the bundle `target` when the block has succeeded.

    The folder it is in is made as `staged_artifacts` makes one, and holds the files meanwhile.
    """
    with ExitStack() as undo:
        make_folders(target.parent, undo)
        with scratch_folder(target.parent) as scratch:
            yield artifacts_in(scratch)
            bundle(scratch, target)
        undo.pop_all()


def make_folders(directory: Path, undo: ExitStack) -> None:
    """Make a folder with its parents; what was made goes again with `undo` if it is empty."""
    for path in reversed([directory, *directory.parents]):
        if not path.exists():
            path.mkdir(exist_ok=True)
            undo.callback(remove_if_empty, path)


@contextmanager
def scratch_folder(directory: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as scratch:
        yield Path(scratch)


def of_size(path: Path, rows: int) -> Path:
    """Return where the library or graph of a further size goes, beside those of the first."""
    return path.with_name(f"{path.stem}_{rows}{path.suffix}")


def is_artifact(name: str) -> bool:
    """Whether a file of that name is one that an export writes."""
    return name in (PARAMS, MANIFEST) or bool(re.fullmatch(r"deploy(_[0-9]+)?\.(so|json)", name))


def is_library(name: str) -> bool:
    return name.endswith(".so")


def remove_if_empty(directory: Path) -> None:
    with suppress(OSError):  # somebody else has put something there
        directory.rmdir()
