# SPDX-License-Identifier: Apache-2.0
"""Attributes and inputs of a node that know which of them were read.

TVM's importers convert an operator without reading all that the node says: an attribute that a
converter does not know is as good as absent, and the result silently another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class TrackedAttributes(dict[str, Any]):
    """Attributes of a node; a mapping by which `**` reads all of them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:  # without it, `**` would pass by `__getitem__`
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is `get`)

    def pop(self, name: str, *default: Any) -> Any:
        self.read.add(name)
        return super().pop(name, *default)
