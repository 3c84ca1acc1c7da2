# SPDX-License-Identifier: Apache-2.0
"""Which files make up a model."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tvmgo._core.module import SHARED_LIBRARY_FORMATS
from tvmgo.exceptions import TVMFileNotFoundError, TVMTypeError, TVMValueError
from tvmgo.model.manifest import MANIFEST, Manifest, Size, read_manifest

LIBRARIES = tuple(f".{name}" for name in (*SHARED_LIBRARY_FORMATS, "tar", "o"))
GRAPHS = (".json",)
PARAMS = (".params", ".params.bin")
RECORDINGS = ("recording.json", "manifest.json")  # of runs; no graphs


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model.

    Attributes
    ----------
    place : Path
        What the user named: a folder or a file.
    sizes : tuple of Size
        With paths as names. At least one.
    params : Path or None
        Parameters of all sizes.
    manifest : Manifest or None
        What the export has said.
    """

    place: Path
    sizes: tuple[Size, ...]
    params: Path | None
    manifest: Manifest | None = None

    @property
    def paths(self) -> list[Path]:
        """All of them that are loaded."""
        named = [name for size in self.sizes for name in (size.library, size.graph) if name]
        return [*map(Path, named), *([self.params] if self.params else [])]


Pathlike = str | os.PathLike[str]


def find_files(
    path: Pathlike | None,
    library: Pathlike | None,
    graph: Pathlike | None,
    params: Pathlike | None,
) -> ModelFiles:
    """Return the files of a model; arguments as for `Model.load`."""
    if path is not None:
        if not (library is graph is params is None):
            raise TVMTypeError("path: expected it alone, or library, graph and params instead")
        return in_folder(existing("path", path)) if is_folder(path) else one_file(path)
    if library is None:
        raise TVMTypeError("path: expected a path, or library=...; got neither")
    if (graph is None) != (params is None) and graph is None:
        raise TVMTypeError("graph: expected a path, because params was given; got None")
    return ModelFiles(
        place=existing("library", library),
        sizes=(
            Size(
                None,
                str(existing("library", library)),
                None if graph is None else str(existing("graph", graph)),
            ),
        ),
        params=None if params is None else existing("params", params),
    )


def is_folder(path: Pathlike) -> bool:
    return existing("path", path).is_dir()


def existing(name: str, path: Pathlike) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TVMTypeError(f"{name}: expected a path, got {type(path).__name__}")
    if not os.path.exists(path):
        raise TVMFileNotFoundError.for_argument(name, os.fspath(path))
    return Path(path).absolute()  # wherever the process goes


def one_file(path: Pathlike) -> ModelFiles:
    """Return a library that has its graph inside, or needs none."""
    found = existing("path", path)
    if not found.name.endswith(LIBRARIES):
        raise TVMValueError(
            f"path: expected a folder, or a library ({', '.join(LIBRARIES)}), got {found.name!r}"
        )
    return ModelFiles(found, (Size(None, str(found), None),), None)


def in_folder(folder: Path) -> ModelFiles:
    if (folder / MANIFEST).is_file():
        manifest = read_manifest(folder / MANIFEST)
        sizes = tuple(
            Size(
                size.batch,
                str(existing("path", folder / size.library)),
                None if size.graph is None else str(existing("path", folder / size.graph)),
            )
            for size in manifest.sizes
        )
        params = None if manifest.params is None else existing("path", folder / manifest.params)
        return ModelFiles(folder, sizes, params, manifest)
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    library = only_one(folder, "library", names, LIBRARIES)
    if library is None:
        raise TVMValueError(
            f"path: expected a folder with a library ({', '.join(LIBRARIES)}), "
            f"got {folder} with {', '.join(names[:10]) or 'no files'}"
        )
    others = [name for name in names if name not in (*RECORDINGS, library)]
    graph = only_one(folder, "graph", others, GRAPHS)
    weights = only_one(folder, "params", others, PARAMS)
    if weights is not None and graph is None:
        raise TVMValueError(
            f"path: expected a graph (.json) beside {weights}, got none in {folder}"
        )
    return ModelFiles(
        folder,
        (Size(None, str(folder / library), str(folder / graph) if graph else None),),
        folder / weights if weights else None,
    )


def only_one(folder: Path, what: str, names: Iterable[str], endings: tuple[str, ...]) -> str | None:
    found = [name for name in names if name.endswith(endings)]
    if len(found) > 1:
        raise TVMValueError(
            f"path: expected one {what} in {folder}, got {', '.join(found)}; "
            f"name the files: library=..., graph=..., params=..."
        )
    return found[0] if found else None
