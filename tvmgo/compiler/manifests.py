# SPDX-License-Identifier: Apache-2.0
"""``model.json`` of an export."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tvmgo._core.dtype import DType
from tvmgo._core.version import __version__
from tvmgo.compiler.artifacts import Artifacts
from tvmgo.compiler.report import Report
from tvmgo.model.manifest import Manifest, Size
from tvmgo.model.tensor_info import TensorInfo


def write_manifest(
    files: Artifacts,
    report: Report,
    tensors: Mapping[str, Sequence[Mapping[str, Any]]],
    model_id: int,
    shapes: Mapping[str, Sequence[int]],
) -> None:
    """Write what belongs together, and what it is.

    Parameters
    ----------
    files : Artifacts
        Complete; all in one folder.
    report : Report
        Without what may differ from one export of a model to the next.
    tensors : mapping of str to sequence
        Under ``"inputs"`` and ``"outputs"``: name, shape and element type of each, in order.
    model_id : int
        The number in all of the files.
    shapes : mapping of str to sequence of int
        Those that the export was given.
    """
    paths = [path for path in (files.library, files.graph, files.params) if path is not None]
    manifest = Manifest(
        inputs=tuple(map(tensor_info, tensors["inputs"])),
        outputs=tuple(map(tensor_info, tensors["outputs"])),
        sizes=(Size(None, files.library.name, files.graph.name if files.graph else None),),
        params=files.params.name if files.params else None,
        model_id=model_id,
        files={path.name: sha256_of(path) for path in paths},
        made={
            "tvmgo": __version__,
            "compiler": report.compiler,
            "format": report.format,
            "target": report.target,
            "versions": dict(report.versions),
            "shapes": {name: list(shape) for name, shape in shapes.items()},
            "verification": report.verification,
        },
    )
    files.manifest.write_text(manifest.to_json(), encoding="utf-8")


def tensor_info(described: Mapping[str, Any]) -> TensorInfo:
    shape, dtype = described["shape"], described["dtype"]
    return TensorInfo(
        described["name"],
        None if shape is None else tuple(shape),
        None if dtype is None else DType(dtype),
    )


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
