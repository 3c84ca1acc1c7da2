# SPDX-License-Identifier: Apache-2.0
"""``model.json``: what belongs to a model, and what its inputs and outputs are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tvmgo._core.dtype import DType
from tvmgo.exceptions import TVMError, TVMValueError
from tvmgo.model.files.parts import FilePart, is_file_name
from tvmgo.model.tensor_info import TensorInfo

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "model.json"
FORMAT = 1  # of the file; one that is read knows no other
NOTHING: Mapping[str, Any] = MappingProxyType({})


class KernelInfo(NamedTuple):
    """What the export knew of a kernel.

    Attributes
    ----------
    template : str
        What emitted it, as in `tvmgo.compiler.report.Kernel`.
    bound : str
        What it probably waits for: ``"compute"`` or ``"memory"``.
    operations : float
        On single numbers, in each call; 0 if not known.
    """

    template: str
    bound: str
    operations: float


class Size(NamedTuple):
    """The files of one size of the batch.

    Attributes
    ----------
    batch : int or None
        How many rows a run takes; None if the model has no batch, or any.
    library : str
        File name beside the manifest.
    graph : str or None
        The same; None for the virtual machine.
    kernels : mapping of str to KernelInfo
        By name, those that there is something to tell of.
    """

    batch: int | None
    library: str
    graph: str | None
    kernels: Mapping[str, KernelInfo] = NOTHING

    def to_json(self) -> dict[str, Any]:
        kernels = {name: info._asdict() for name, info in self.kernels.items()}
        return {**self._asdict(), "kernels": kernels}


class Manifest(NamedTuple):
    """What ``model.json`` says.

    Attributes
    ----------
    inputs, outputs : tuple of TensorInfo
        In the model's order and with its names; parameters are none of them.
    sizes : tuple of Size
        By batch, the smallest first.
    params : str or None
        File name of the parameters of all sizes.
    model_id : int
        The number that all files of the export hold.
    rows_independent : bool
        Whether a row's results are the same in whatever batch it is.
    files : mapping of str to str
        The SHA-256 of each file, in hexadecimal.
    made : mapping of str to object
        How it was made: compiler, versions, target and others, for people.
    """

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    sizes: tuple[Size, ...]
    params: str | None
    model_id: int
    rows_independent: bool = False
    files: Mapping[str, str] = NOTHING
    made: Mapping[str, Any] = NOTHING

    def to_json(self) -> str:
        """Return the text of the file."""
        document = {
            "format": FORMAT,
            "model_id": self.model_id,
            "inputs": [tensor_to_json(info) for info in self.inputs],
            "outputs": [tensor_to_json(info) for info in self.outputs],
            "rows_independent": self.rows_independent,
            "sizes": [size.to_json() for size in self.sizes],
            "params": self.params,
            "files": dict(self.files),
            "made": dict(self.made),
        }
        return json.dumps(document, indent=1) + "\n"


def tensor_to_json(info: TensorInfo) -> dict[str, Any]:
    shape = None if info.shape is None else list(info.shape)
    return {
        "name": info.name,
        "shape": shape,
        "dtype": None if info.dtype is None else str(info.dtype),
    }


def read_manifest(file: Path | FilePart) -> Manifest:
    """Return what a file says; entries that are not known are passed over.

    Raises
    ------
    ValueError
        If it is no manifest, or one of a later format.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except TVMError:
        raise
    except (ValueError, RecursionError) as error:
        raise TVMValueError(f"{file}: not a model's manifest: {error}") from None
    return parse_manifest(document, str(file))


def parse_manifest(document: Any, where: str) -> Manifest:
    """Return what the JSON document of a manifest says; `where` begins messages."""
    entries = _Entries(document, where)
    version = entries.get("format", int)
    if version != FORMAT:
        raise TVMValueError(
            f"{where}: expected format {FORMAT}, got {version}; another version of tvmgo wrote it"
        )
    sizes = [_Entries(size, f"{where}: sizes") for size in entries.get("sizes", list)]
    if not sizes:
        raise TVMValueError(f"{where}: sizes: expected one or more, got none")
    return Manifest(
        inputs=_tensors(entries.get("inputs", list), f"{where}: inputs"),
        outputs=_tensors(entries.get("outputs", list), f"{where}: outputs"),
        sizes=tuple(
            Size(
                size.get("batch", int, type(None)),
                file_name(size.get("library", str), where),
                optional_file_name(size.get("graph", str, type(None)), where),
                _kernels(size.get("kernels", dict, type(None)) or {}, f"{where}: kernels"),
            )
            for size in sizes
        ),
        params=optional_file_name(entries.get("params", str, type(None)), where),
        model_id=entries.get("model_id", int),
        rows_independent=entries.get("rows_independent", bool),
        files=entries.get("files", dict),
        made=entries.get("made", dict),
    )


class _Entries:
    """The entries of a JSON object, checked when they are read."""

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise TVMValueError(f"{where}: expected an object, got {type(document).__name__}")
        self._document = document
        self._where = where

    def get(self, name: str, *kinds: type) -> Any:
        value = self._document.get(name)
        is_bool = isinstance(value, bool) and bool not in kinds
        if not isinstance(value, kinds) or is_bool:
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise TVMValueError(f"{self._where}: {name}: expected {expected}, got {value!r:.60}")
        return value


def _tensors(documents: Sequence[Any], where: str) -> tuple[TensorInfo, ...]:
    infos = tuple(_tensor(_Entries(document, where), where) for document in documents)
    names = [info.name for info in infos]
    if len(set(names)) != len(names):
        raise TVMValueError(f"{where}: expected names that differ, got {names}")
    return infos


def _tensor(entries: _Entries, where: str) -> TensorInfo:
    name = entries.get("name", str)
    shape = entries.get("shape", list, type(None))
    dtype = entries.get("dtype", str, type(None))
    for size in shape or ():
        if type(size) not in (int, str) or (isinstance(size, int) and size < 0):
            raise TVMValueError(f"{where}: {name}: expected sizes or names, got {size!r:.60}")
    try:
        kind = None if dtype is None else DType(dtype)
    except TVMError as error:
        raise TVMValueError(f"{where}: {name}: {error}") from None
    return TensorInfo(name, None if shape is None else tuple(shape), kind)


def _kernels(documents: Mapping[str, Any], where: str) -> dict[str, KernelInfo]:
    kernels = {}
    for name, document in documents.items():
        entries = _Entries(document, f"{where}: {name}")
        kernels[name] = KernelInfo(
            entries.get("template", str),
            entries.get("bound", str),
            float(entries.get("operations", int, float)),
        )
    return kernels


def optional_file_name(name: str | None, where: str) -> str | None:
    return None if name is None else file_name(name, where)


def file_name(name: str, where: str) -> str:
    """Return the name of a file that lies beside the manifest."""
    if not is_file_name(name):
        raise TVMValueError(f"{where}: expected a file name without folders, got {name!r:.60}")
    return name
