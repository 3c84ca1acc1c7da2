# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a request, in terms of the model."""

from __future__ import annotations

from collections.abc import Iterable

from tvmgo.exceptions import TVMBusyError, TVMError, TVMKeyError, TVMTypeError, TVMValueError


class UnknownNameError(TVMKeyError):
    """The model has no input or output of that name; a `KeyError`.

    Attributes
    ----------
    name : object
        What was given.
    names : tuple of str
        Those there are.
    """

    def __init__(self, kind: str, name: object, names: Iterable[str]) -> None:
        names = tuple(names)
        super().__init__(kind, name, names)
        self.kind_of_name = kind
        self.name = name
        self.names = names

    def __str__(self) -> str:
        import difflib

        near = difflib.get_close_matches(str(self.name), self.names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join(map(repr, self.names)) or "none"
        return f"the model has no {self.kind_of_name} {self.name!r}{hint} (it has {known})"


class UnfittingTensorError(TVMError):
    """A tensor is not like the model's input or output.

    Attributes
    ----------
    name : str
        Which input or output.
    expected, got : object
        What the model has, and what came.
    """

    def __init__(self, name: str, expected: object, got: object, advice: str = "") -> None:
        super().__init__(name, expected, got, advice)
        self.name = name
        self.expected = expected
        self.got = got
        self.advice = advice

    def __str__(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.name}: expected {self.expected}, got {self.got}{advice}"


class TensorShapeError(UnfittingTensorError, TVMValueError):
    """A tensor has another shape than the model's; a `ValueError`."""


class TensorTypeError(UnfittingTensorError, TVMTypeError):
    """A tensor has another element type than the model's, or is no tensor; a `TypeError`."""


class QueueFullError(TVMBusyError):
    """As many requests wait as may; a `RuntimeError`."""


class ModelClosedError(TVMValueError):
    """The model is closed; a `ValueError`, as for files."""
