# SPDX-License-Identifier: Apache-2.0
"""What closes itself at the end of a ``with`` block."""

from __future__ import annotations

from typing import TypeVar

_Self = TypeVar("_Self", bound="ClosesItself")


class ClosesItself:
    """A context manager that calls its `close`."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
