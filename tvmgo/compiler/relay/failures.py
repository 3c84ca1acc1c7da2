# SPDX-License-Identifier: Apache-2.0
"""What TVM says when it fails, in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tvmgo.exceptions import ExportError


def last_line(error: Exception) -> str:
    """Return what an error says, without the places in TVM's sources and the stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1] if lines else type(error).__name__
    return re.sub(r"^(\w+Error: )?(.*?Check failed: )?", "", text).rstrip(".")


@contextmanager
def as_export_error(step: str, *, instead: str) -> Iterator[None]:
    """Turn what TVM raises inside the block into an `ExportError`, keeping the cause."""
    try:
        yield
    except (ExportError, MemoryError):
        raise
    except Exception as error:  # TVM refuses a model by nearly every built-in class
        reason = f"{type(error).__name__}: {last_line(error)}"
        raise ExportError(step, reason, instead) from error
