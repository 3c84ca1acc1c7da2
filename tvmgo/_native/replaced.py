# SPDX-License-Identifier: Apache-2.0
"""Files of libraries that were replaced since they were loaded."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from tvmgo._native.locate import lock

_stamps: dict[str, tuple[int, ...]] = {}


@contextlib.contextmanager
def fresh_library(path: str) -> Iterator[str]:
    """Give the path under which the system's loader reads the file that lies at `path` now.

    The loader knows libraries by name: asked again for one that is still in memory it returns
    that, even when the file has been replaced since. Then a copy under another name is given.
    """
    status = os.stat(path)
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    with lock:
        before = _stamps.setdefault(path, stamp)
    if before == stamp:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tvmgo-") as directory:
        yield shutil.copy2(path, os.path.join(directory, os.path.basename(path)))
