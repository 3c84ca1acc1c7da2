# SPDX-License-Identifier: Apache-2.0
"""The binding: a module for each type and task, as docs/design/architecture.md lists them.

Private: users find all of it in `tvmgo`.
"""

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location

# The library in which setup.py puts most of the modules.
_LIBRARY = os.path.join(os.path.dirname(__file__), f"_binding{EXTENSION_SUFFIXES[0]}")


class _Library:
    """Finds the modules in the library. Asked for those that are no file of their own."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.startswith(f"{__name__}."):
            return spec_from_file_location(name, _LIBRARY)
        return None


sys.meta_path.append(_Library)
