# SPDX-License-Identifier: Apache-2.0
"""What a doctor finds: checks, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tvmgo.model.files.manifest import tensor_to_json
from tvmgo.model.tensor_info import TensorInfo


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    subject : str
        Which file, and what of it.
    ok : bool or None
        Whether it is as it has to be; None if that cannot be told before the library is opened.
    found : str
    advice : str
        What to do if it is not.
    """

    __module__ = "tvmgo.model"

    subject: str
    ok: bool | None
    found: str
    advice: str = ""

    def __str__(self) -> str:
        mark = {True: "ok", False: "WRONG", None: "?"}[self.ok]
        advice = f"\n         {self.advice}" if self.advice else ""
        return f"  {mark:6} {self.subject}: {self.found}{advice}"


@dataclass(frozen=True)
class Report:
    """What `tvmgo.doctor` has found; ``print`` shows it, `to_json` is for programs.

    Attributes
    ----------
    path : Path
        The folder or library.
    checks : tuple of Check
    inputs, outputs : tuple of TensorInfo, or None
        None where only the library itself knows.
    made : mapping of str to object
        How the model was made, from ``model.json``.
    """

    __module__ = "tvmgo.model"

    path: Path
    checks: tuple[Check, ...]
    inputs: tuple[TensorInfo, ...] | None = None
    outputs: tuple[TensorInfo, ...] | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether nothing was found for which the model would not run here."""
        return not self.problems

    @property
    def problems(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.ok is False)

    def __str__(self) -> str:
        verdict = "will run here" if self.runs else "will NOT run here"
        return "\n".join(
            [
                f"{self.path}: {verdict}",
                *map(str, self.checks),
                f"  inputs: {words(self.inputs)}",
                f"  outputs: {words(self.outputs)}",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as a document for JSON."""
        return {
            "path": str(self.path),
            "runs": self.runs,
            "checks": [asdict(check) for check in self.checks],
            "inputs": documents(self.inputs),
            "outputs": documents(self.outputs),
            "made": dict(self.made),
        }


def words(infos: Sequence[TensorInfo] | None) -> str:
    return "not known before it is opened" if infos is None else ", ".join(map(str, infos))


def documents(infos: Sequence[TensorInfo] | None) -> list[dict[str, Any]] | None:
    return None if infos is None else [tensor_to_json(info) for info in infos]
