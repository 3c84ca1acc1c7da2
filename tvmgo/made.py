# SPDX-License-Identifier: Apache-2.0
"""Classes that are public for what their objects can do, and not to be called."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from tvmgo.exceptions import TVMTypeError

_Self = TypeVar("_Self", bound="Made")


class Made:
    """A class whose objects functions make: who calls it is told which. `_begin` does what `__init__` would."""

    _made_by: ClassVar[str]

    def __init__(self, *_: object, **__: object) -> None:
        name = f"{type(self).__module__}.{type(self).__name__}"
        raise TVMTypeError(f"{name} objects are made by {self._made_by}, not by calling the class")

    @classmethod
    def _make(cls: type[_Self], *arguments: Any) -> _Self:
        self = cls.__new__(cls)
        self._begin(*arguments)
        return self

    def _begin(self, *arguments: Any) -> None:
        raise NotImplementedError
