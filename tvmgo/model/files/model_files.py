# SPDX-License-Identifier: Apache-2.0
"""Which files make up a model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tvmgo._core.module import SHARED_LIBRARY_FORMATS
from tvmgo.exceptions import TVMFileNotFoundError, TVMTypeError, TVMValueError
from tvmgo.model.files.bundles import ENDING, is_bundle_name, read_bundle
from tvmgo.model.files.manifest import MANIFEST, Manifest, read_manifest
from tvmgo.model.files.parts import FilePart, whole_file

LIBRARIES = tuple(f".{name}" for name in (*SHARED_LIBRARY_FORMATS, "tar", "o"))
GRAPHS = (".json",)
PARAMS = (".params", ".params.bin")
RECORDINGS = ("recording.json", "manifest.json")  # of runs; no graphs


class SizeFiles(NamedTuple):
    """The files of one size of the batch, as `Size` names them."""

    batch: int | None
    library: FilePart
    graph: FilePart | None


class ModelFiles(NamedTuple):
    """The files of a model. Paths are text: `pathlib` takes as long to import as all of this.

    Attributes
    ----------
    place : str
        What the user named: a folder or a file.
    sizes : tuple of SizeFiles
        At least one.
    params : FilePart or None
        Parameters of all sizes.
    manifest : Manifest or None
        What the export has said.
    manifest_file : FilePart or None
        Where.
    """

    place: str
    sizes: tuple[SizeFiles, ...]
    params: FilePart | None
    manifest: Manifest | None = None
    manifest_file: FilePart | None = None

    @property
    def name(self) -> str:
        """What the user named, without the folders it is in."""
        return os.path.basename(self.place)

    @property
    def parts(self) -> list[FilePart]:
        """All of them that are loaded, once each; sizes may have a library in common."""
        named = [part for size in self.sizes for part in (size.library, size.graph)]
        return [part for part in dict.fromkeys((*named, self.params)) if part is not None]


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
        found = existing("path", path)
        if os.path.isdir(found):
            # Followed once: who exchanges a link meanwhile mixes no files.
            return among(found, Folder(os.path.realpath(found)))
        return among(found, read_bundle(found)) if is_bundle_name(found) else one_file(found)
    if library is None:
        raise TVMTypeError("path: expected a path, or library=...; got neither")
    if (graph is None) != (params is None) and graph is None:
        raise TVMTypeError("graph: expected a path, because params was given; got None")
    place = existing("library", library)
    size = SizeFiles(
        None,
        whole_file(place),
        None if graph is None else whole_file(existing("graph", graph)),
    )
    weights = None if params is None else whole_file(existing("params", params))
    return ModelFiles(place, (size,), weights)


def existing(name: str, path: Pathlike) -> str:
    """Return the path of a file or folder that is there, wherever the process goes."""
    if not isinstance(path, str | os.PathLike):
        raise TVMTypeError(f"{name}: expected a path, got {type(path).__name__}")
    if not os.path.exists(path):
        raise TVMFileNotFoundError.for_argument(name, os.fspath(path))
    drive, whole = os.path.splitdrive(os.path.join(os.getcwd(), path))
    # `..` stays: what is before it may be a link.
    parts = [part for part in whole.split(os.sep) if part not in ("", ".")]
    return drive + os.sep + os.sep.join(parts)


def one_file(found: str) -> ModelFiles:
    """Return a library that has its graph inside, or needs none."""
    name = os.path.basename(found)
    if not name.endswith(LIBRARIES):
        raise TVMValueError(
            f"path: expected a folder, a bundle ({ENDING}) or a library ({', '.join(LIBRARIES)}), "
            f"got {name!r}"
        )
    return ModelFiles(found, (SizeFiles(None, whole_file(found), None),), None)


class Folder(Mapping[str, FilePart]):
    """The files in a folder by name."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getitem__(self, name: str) -> FilePart:
        path = os.path.join(self._path, name)
        if not os.path.isfile(path):
            raise KeyError(name)
        return whole_file(path)

    def __iter__(self) -> Iterator[str]:
        with os.scandir(self._path) as entries:
            return iter([entry.name for entry in entries if entry.is_file()])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def among(place: str, files: Mapping[str, FilePart]) -> ModelFiles:
    """Return those of a folder, or a bundle, that are a model."""
    if MANIFEST in files:
        return as_manifest_says(place, files, files[MANIFEST])
    names = sorted(files)
    library = only_one(place, "library", names, LIBRARIES)
    if library is None:
        raise TVMValueError(
            f"path: expected a folder with a library ({', '.join(LIBRARIES)}), "
            f"got {place} with {', '.join(names[:10]) or 'no files'}"
        )
    others = [name for name in names if name not in (*RECORDINGS, library)]
    graph = only_one(place, "graph", others, GRAPHS)
    weights = only_one(place, "params", others, PARAMS)
    if weights is not None and graph is None:
        raise TVMValueError(f"path: expected a graph (.json) beside {weights}, got none in {place}")
    size = SizeFiles(None, files[library], files[graph] if graph else None)
    return ModelFiles(place, (size,), files[weights] if weights else None)


def as_manifest_says(
    place: str, files: Mapping[str, FilePart], manifest_file: FilePart
) -> ModelFiles:
    def named(name: str) -> FilePart:
        if name not in files:
            raise TVMFileNotFoundError.for_argument("path", os.path.join(place, name))
        return files[name]

    manifest = read_manifest(manifest_file)
    sizes = tuple(
        SizeFiles(
            size.batch,
            named(size.library),
            None if size.graph is None else named(size.graph),
        )
        for size in manifest.sizes
    )
    params = None if manifest.params is None else named(manifest.params)
    return ModelFiles(place, sizes, params, manifest, manifest_file)


def only_one(folder: str, what: str, names: Iterable[str], endings: tuple[str, ...]) -> str | None:
    found = [name for name in names if name.endswith(endings)]
    if len(found) > 1:
        raise TVMValueError(
            f"path: expected one {what} in {folder}, got {', '.join(found)}; "
            f"name the files: library=..., graph=..., params=..."
        )
    return found[0] if found else None
