# SPDX-License-Identifier: Apache-2.0
"""Trials in a file: one a line, in AutoTVM's JSON, so that its own tools read it, too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from tvm.autotvm import record
from tvm.autotvm.measure import MeasureErrorNo, MeasureInput, MeasureResult

from tvmgo.exceptions import TVMValueError

Key = tuple[Any, ...]  # a task's name and its arguments
Record = tuple[Any, Any]  # a trial and its result, of AutoTVM's classes


class Log:
    """The trials of one target.

    Attributes
    ----------
    costs : dict
        By task and number of the configuration its time in seconds, infinite where it failed.
    others : set of str
        Other targets whose trials the file has.

    Raises
    ------
    TVMValueError
        If a line is no record. A last one that was cut short is passed over.
    """

    def __init__(self, path: Path, target: Any) -> None:
        self.path = path
        self.target = str(target)
        self.costs: dict[Key, dict[int, float]] = {}
        self.others: set[str] = set()
        self.records: list[Record] = []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            try:
                self._take(*record.decode(line))
            except Exception as error:  # whatever a text that is no record leads to
                if not line.endswith("\n"):
                    break
                raise TVMValueError(
                    f"tune_log: line {number} of {str(path)!r} is no record of AutoTVM: {line:.60}"
                ) from error
        self.is_whole = not lines or lines[-1].endswith("\n")

    def _take(self, trial: Any, result: Any) -> None:
        target = str(trial.target)
        if target != self.target:
            self.others.add(target)
            return
        cost = float(np.mean(result.costs)) if result.error_no == 0 else np.inf
        known = self.costs.setdefault(trial.task.workload, {})
        known[trial.config.index] = min(cost, known.get(trial.config.index, np.inf))
        trial.config.cost = cost  # by which relay chooses among several kernels for one operator
        self.records.append((trial, result))

    def add(self, trial: MeasureInput, result: MeasureResult) -> None:
        """Write a trial down; it is in the file when this returns."""
        line = record.encode(trial, result) + "\n"
        with open(self.path, "ab") as file:
            file.write((line if self.is_whole else "\n" + line).encode())
            os.fsync(file.fileno())
        self.is_whole = True
        self._take(trial, result)


def failed(code: MeasureErrorNo, seconds: float, now: float) -> MeasureResult:
    return MeasureResult((np.inf,), code, seconds, now)
