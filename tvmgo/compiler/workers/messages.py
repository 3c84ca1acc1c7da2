# SPDX-License-Identifier: Apache-2.0
"""What a worker and its client say to each other: one JSON object a line.

The client says jobs. To each the worker answers any number of ``{"progress": text}`` and then one
``{"result": object}`` or ``{"error": object}``.
"""

from __future__ import annotations

import json
import os
import traceback
from typing import Any

from tvmgo import exceptions

REPORT = "report this as a fault of the exporter; the cause of this error has the traceback"


class WorkerTraceback(Exception):
    """The traceback of what went wrong in a worker, as text; the cause of what `export` raises."""

    __module__ = "tvmgo"

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def line_of(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def describe_error(error: BaseException) -> dict[str, Any]:
    """Say an error so that `error_of` can make it again; those of other classes become text."""
    described: dict[str, Any] = {
        "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__))
    }
    if type(error) in SAID_BY_NAME.values():
        described.update(name=type(error).__name__, arguments=error.args)
    elif isinstance(error, OSError) and error.errno:
        described.update(errno=error.errno, filename=error.filename and str(error.filename))
    elif isinstance(error, MemoryError):
        described.update(text="memory ran out", instead="give the export more memory")
    elif isinstance(error, ImportError):
        described.update(text=str(error), instead="install the packages of its environment anew")
    else:
        described.update(text=f"{type(error).__name__}: {error}")
    return described


def error_of(described: dict[str, Any], kind: str) -> Exception:
    """Make the error that a worker of this kind has described."""
    cause = WorkerTraceback(described["traceback"])
    error: Exception
    if "name" in described:
        error = SAID_BY_NAME[described["name"]](*described["arguments"])
    elif "errno" in described:
        number = described["errno"]
        error = OSError(number, os.strerror(number), described["filename"])
    else:
        error = exceptions.ExportError(
            f"the {kind} worker",
            described["text"].rstrip("."),
            described.get("instead", REPORT),
        )
    error.__cause__ = cause
    return error


SAID_BY_NAME: dict[str, type[exceptions.TVMError]] = {
    error.__name__: error
    for error in (
        exceptions.ExportError,
        exceptions.TVMTypeError,
        exceptions.TVMValueError,
        exceptions.TVMImportError,
    )
}
