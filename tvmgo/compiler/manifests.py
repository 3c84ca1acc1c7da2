# SPDX-License-Identifier: Apache-2.0
"""``model.json`` of an export."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tvmgo._core.dtype import DType
from tvmgo._core.version import __version__
from tvmgo.compiler.artifacts import Artifacts
from tvmgo.compiler.report import Kernel, Report
from tvmgo.model.files.manifest import KernelInfo, Manifest, Size
from tvmgo.model.files.parts import whole_file
from tvmgo.model.tensor_info import TensorInfo

SAME_ROW = 1e-6  # how far a row's results may differ between sizes, as a part of the largest


def write_manifest(
    sizes: Sequence[Artifacts],
    batch: Sequence[int | None],
    report: Report,
    tensors: Mapping[str, Sequence[Mapping[str, Any]]],
    model_ids: Sequence[int],
    shapes: Mapping[str, Sequence[int]],
    row_difference: float = math.inf,
    kernels: Sequence[Sequence[Kernel]] = (),
) -> None:
    """Write what belongs together, and what it is.

    Parameters
    ----------
    sizes : sequence of Artifacts
        Complete; all in one folder, and with the same parameters.
    batch : sequence of int or None
        How many rows each takes.
    report : Report
        Without what may differ from one export of a model to the next.
    tensors : mapping of str to sequence
        Under ``"inputs"`` and ``"outputs"``: name, shape and element type of each, in order.
    model_ids : sequence of int
        The numbers in the files of each size.
    shapes : mapping of str to sequence of int
        Those that the export was given.
    row_difference : float, optional
        How much a row's results differ between sizes.
    kernels : sequence of sequence of Kernel, optional
        What there is to tell of those of each size; by default the report's, of the only size.
    """
    first = sizes[0]
    paths = [path for each in sizes for path in (each.library, each.graph) if path is not None]
    paths += [first.params] if first.params else []
    manifest = Manifest(
        inputs=tuple(map(tensor_info, tensors["inputs"])),
        outputs=tuple(map(tensor_info, tensors["outputs"])),
        sizes=tuple(
            Size(rows, each.library.name, each.graph.name if each.graph else None, noted(known))
            for rows, each, known in zip(batch, sizes, kernels or [report.kernels])
        ),
        params=first.params.name if first.params else None,
        model_id=model_ids[0],
        rows_independent=row_difference <= SAME_ROW,
        files={path.name: whole_file(path).sha256() for path in paths},
        made={
            "tvmgo": __version__,
            "compiler": report.compiler,
            "format": report.format,
            "target": report.target,
            "versions": dict(report.versions),
            "shapes": {name: list(shape) for name, shape in shapes.items()},
            "verification": report.verification,
            **({"row_difference": row_difference} if math.isfinite(row_difference) else {}),
        },
    )
    first.manifest.write_text(manifest.to_json(), encoding="utf-8")


def noted(kernels: Sequence[Kernel]) -> dict[str, KernelInfo]:
    """Return what profiles show of kernels beside their times."""
    return {each.name: KernelInfo(each.template, each.bound, each.operations) for each in kernels}


def tensor_info(described: Mapping[str, Any]) -> TensorInfo:
    shape, dtype = described["shape"], described["dtype"]
    return TensorInfo(
        described["name"],
        None if shape is None else tuple(shape),
        None if dtype is None else DType(dtype),
    )
