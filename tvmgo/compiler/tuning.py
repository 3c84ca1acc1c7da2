# SPDX-License-Identifier: Apache-2.0
"""What `export` is asked to tune: for how long, and where trials are kept."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tvmgo.exceptions import TVMFileNotFoundError, TVMTypeError, TVMValueError


@dataclass(frozen=True)
class Tuning:
    """Seconds to look for faster kernels, 0 for none, and the file of all trials.

    `sizes` is among how many numbers of rows the seconds are divided, if the model has several.
    """

    seconds: float
    log: Path
    sizes: int = 1

    def job(self, batched: bool) -> dict[str, Any]:
        return {
            "seconds": self.seconds / (self.sizes if batched else 1),
            "log": str(self.log),
            "threads": os.environ.get("TVM_NUM_THREADS"),  # the worker's may be older
        }


def tuning_named(
    minutes: float | None,
    log: str | os.PathLike[str] | None,
    kinds: Sequence[str],
    format: str,
    directory: Path,
) -> Tuning | None:
    """Return what the arguments ask for.

    Parameters
    ----------
    kinds : sequence of str
        Of the compilers that would try the model.
    directory : pathlib.Path
        Of the export; the log lies beside it by default.
    """
    if minutes is None and log is None:
        return None
    seconds = 60 * minutes_named(minutes)
    name = "tune_log" if minutes is None else "tune"
    if list(kinds) != ["relay"]:
        raise TVMValueError(
            f'{name}: expected compiler="relay" with it, got {" and ".join(kinds)}; '
            "relax has kernels of its own, which need no tuning"
        )
    if format == "vm":
        raise TVMValueError(f'{name}: expected format="graph" or "auto" with it, got "vm"')
    if log is None:
        if not seconds:
            raise TVMValueError("tune: expected tune_log with 0 minutes, whose trials are used")
        return Tuning(seconds, directory.with_name(directory.name + ".tune.json").absolute())
    if not isinstance(log, str | os.PathLike):
        raise TVMTypeError(f"tune_log: expected a path, got {type(log).__name__}")
    path = Path(log).absolute()
    if not seconds and not path.is_file():
        raise TVMFileNotFoundError.for_argument("tune_log", os.fspath(log))
    return Tuning(seconds, path)


def minutes_named(minutes: float | None) -> float:
    if minutes is None:
        return 0.0
    if not isinstance(minutes, numbers.Real) or isinstance(minutes, bool):
        raise TVMTypeError(f"tune: expected minutes, got {type(minutes).__name__}")
    if not 0 <= minutes < math.inf:
        raise TVMValueError(f"tune: expected minutes, 0 or more, got {minutes!r}")
    return float(minutes)
