# SPDX-License-Identifier: Apache-2.0
"""What every importer gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tvm

from tvmgo.compiler.graph.nodes import TensorSpec
from tvmgo.exceptions import ExportError


@dataclass(frozen=True)
class DeclaredOutput:
    """What ONNX infers of one of a model's outputs; None for what it cannot."""

    name: str
    dtype: str | None
    dimensions: Sequence[Any] | None

    def check(self, found: TensorSpec) -> None:
        """Refuse an output that came out otherwise; TVM's importer skips part of some operators."""
        shape_fits = self.dimensions is None or (
            len(self.dimensions) == len(found.shape)
            and all(dim in (None, size) for dim, size in zip(self.dimensions, found.shape))
        )
        if not shape_fits or self.dtype not in (None, found.dtype):
            raise ExportError(
                f"output `{self.name}`",
                f"TVM's importer made {found.dtype} of shape {list(found.shape)} where ONNX infers "
                f"{self.dtype} of shape {self.dimensions}",
                "rewrite the operator that makes it",
            )


@dataclass(frozen=True)
class ImportedModel:
    """A Relax module, and its outputs where the format declares them.

    Attributes
    ----------
    tensors : mapping or None
        What `tvmgo.compiler.graph.tensors` says of inputs and outputs, where the format is read
        here and no other worker has said it.
    products : sequence of str
        Names of convolutions and matrix products, in order, where the format has names.
    """

    module: tvm.IRModule
    outputs: Sequence[DeclaredOutput] = ()
    tensors: Mapping[str, Any] | None = None
    products: Sequence[str] = ()
