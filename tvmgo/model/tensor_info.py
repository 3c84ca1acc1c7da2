# SPDX-License-Identifier: Apache-2.0
"""What is known of an input or output."""

from __future__ import annotations

from dataclasses import dataclass

from tvmgo._core.dtype import DType

__all__ = ["TensorInfo"]


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a model.

    Attributes
    ----------
    name : str
        As in the model, or where nothing tells that, as in the graph.
    shape : tuple of int or str, or None
        In elements. A dimension that each call decides has a name, by which equal ones can be
        told. None: not known before a call.
    dtype : DType or None
        The type of the elements; compares equal to its name, such as ``"float32"``. None: not
        known before a call.
    """

    __module__ = "tvmgo"

    name: str
    shape: tuple[int | str, ...] | None
    dtype: DType | None

    def __str__(self) -> str:
        shape = "?" if self.shape is None else "[" + ", ".join(map(str, self.shape)) + "]"
        return f"{self.name}: {'?' if self.dtype is None else self.dtype} {shape}"

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape can stand here, alone: equal names are not compared."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(mine == size or isinstance(mine, str) for mine, size in zip(self.shape, shape))
        )
