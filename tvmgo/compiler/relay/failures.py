# SPDX-License-Identifier: Apache-2.0
"""What TVM says when it fails, in a line."""

from __future__ import annotations

import re
from functools import partial

from tvmgo.compiler import errors


def last_line(error: Exception) -> str:
    """Return what an error says, without the places in TVM's sources and the stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1] if lines else type(error).__name__
    return re.sub(r"^(\w+Error: )?(.*?Check failed: )?", "", text).rstrip(".")


as_export_error = partial(errors.as_export_error, text_of=last_line)
