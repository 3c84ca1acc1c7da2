# SPDX-License-Identifier: Apache-2.0
"""Names of a package that are imported when they are first asked for, since they need others' packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from tvmgo.exceptions import TVMImportError


def late_names(package: str, places: Mapping[str, tuple[str, str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package.

    Parameters
    ----------
    package : str
    places : mapping of str to (str, str)
        The module of the package that has a name, and the extra of tvmgo that brings what it needs.
    """

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, extra = places[name]
        try:
            return getattr(import_module(f"{package}.{module}"), name)
        except ModuleNotFoundError as error:
            raise TVMImportError.for_package(name, str(error.name), f"'tvmgo[{extra}]'") from error

    return find
