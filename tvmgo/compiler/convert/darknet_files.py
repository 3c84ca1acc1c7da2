# SPDX-License-Identifier: Apache-2.0
"""Darknet's two files: a network's layers as text, and their numbers one after another."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tvmgo.exceptions import ExportError


class Section:
    """A layer, or the network itself: ``[kind]`` and the lines under it."""

    def __init__(self, kind: str, line: int, options: dict[str, str]) -> None:
        self.kind = kind
        self.line = line
        self.options = options

    def refuse(
        self, reason: str, instead: str = "correct the file, or export the model as ONNX"
    ) -> ExportError:
        return ExportError(f"[{self.kind}] in line {self.line}", reason, instead)

    def text(self, name: str, default: str) -> str:
        return self.options.get(name, default)

    def integer(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def number(self, name: str, default: float) -> float:
        try:
            return float(self.options.get(name, default))
        except ValueError:
            raise self.refuse(f"{name}: expected a number, got {self.options[name]!r}") from None

    def integers(self, name: str) -> list[int]:
        try:
            return [int(each) for each in self.options.get(name, "").split(",") if each.strip()]
        except ValueError:
            raise self.refuse(f"{name}: expected integers, got {self.options[name]!r}") from None

    def forbid(self, **only: float) -> None:
        """Refuse options that have another value than the one that is known here."""
        for name, value in only.items():
            if self.number(name, value) != value:
                raise self.refuse(f"{name}={self.options[name]} is not supported")


def weights_of(model: Path) -> tuple[Path, Path]:
    """Return a network's file and that of its weights, of which the user has named either."""
    configuration, weights = model.with_suffix(".cfg"), model.with_suffix(".weights")
    for path in (configuration, weights):
        if not path.is_file():
            found = sorted(each.name for each in model.parent.glob("*" + path.suffix))
            reason = f"expected {path.name} beside it, found {', '.join(found) or 'none'}"
            raise ExportError("the model", reason, "keep both files in one folder under one name")
    return configuration, weights


def read_network(path: Path) -> tuple[Section, list[Section]]:
    """Return what is said of the network, and its layers."""
    sections: list[Section] = []
    for number, raw in enumerate(path.read_text(errors="replace").splitlines(), 1):
        line = raw.partition("#")[0].replace(" ", "").replace("\t", "")
        if not line or line[0] == ";":
            continue
        if line[0] == "[":
            sections.append(Section(line.strip("[]").lower(), number, {}))
        elif sections and "=" in line:
            name, _, value = line.partition("=")
            sections[-1].options[name] = value
        else:
            raise ExportError(
                f"{path.name}, line {number}",
                f"expected [layer] or name=value, got {raw!r}",
                "correct it",
            )
    if not sections or sections[0].kind not in ("net", "network"):
        raise ExportError(path.name, "expected [net] first", "give the network's .cfg")
    return sections[0], sections[1:]


class Weights:
    """The numbers of a file, read one layer after another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        blob = path.read_bytes()
        major, minor, _ = np.frombuffer(blob[:12].ljust(12, b"\0"), "<i4")
        # How many pictures it has seen, in more bytes since version 0.2.
        head = 20 if major * 10 + minor >= 2 and major < 1000 and minor < 1000 else 16
        self.transposed = major > 1000 or minor > 1000
        self.values = np.frombuffer(blob[head:][: (len(blob) - head) // 4 * 4], "<f4")
        self.place = 0

    def take(self, section: Section, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        values = self.values[self.place : self.place + count]
        if len(values) < count:
            raise section.refuse(
                f"{self.path.name} ends before its {count} numbers", "give the weights of this .cfg"
            )
        self.place += count
        return values.reshape(shape)

    def check_all_read(self) -> None:
        if left := len(self.values) - self.place:
            reason = f"{left} of its {len(self.values)} numbers are those of no layer"
            raise ExportError(self.path.name, reason, "give the weights of this .cfg")
