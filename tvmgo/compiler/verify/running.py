# SPDX-License-Identifier: Apache-2.0
"""A process for each run of exported files, which may crash or hang."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tvmgo.compiler.workers.client import Worker


def run_files(job: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Do a job of `tvmgo.compiler.verify.job` in this Python's own environment.

    Raises
    ------
    ExportError
        If the process ends or says nothing for so long; with its last words.
    TVMError
        If the files cannot be run, as tvmgo says it.
    """
    worker = Worker("verify", Path(sys.executable))
    try:
        return worker.run(job, lambda line: None, seconds)
    finally:
        worker.kill()
