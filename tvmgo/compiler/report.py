# SPDX-License-Identifier: Apache-2.0
"""What `export` tells of how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """How a model was exported; ``print`` shows it in a few lines.

    Attributes
    ----------
    compiler : str
        Which compiler made the files: ``"relax"`` or ``"relay"``.
    format : str
        ``"graph"`` (library, graph and parameters) or ``"vm"`` (one library).
    target : str
        What the kernels were compiled for, as TVM writes targets.
    verification : str
        What the exported model's results agree with, or ``not verified`` and why.
    versions : mapping of str to str
        The packages that took part.
    refusals : mapping of str to str
        Why other compilers or formats, which were tried first, could not take the model; by
        ``"compiler, format"``.
    details : mapping of str to str
        What else the compiler says.
    """

    compiler: str
    format: str
    target: str
    verification: str
    versions: Mapping[str, str]
    refusals: Mapping[str, str]
    details: Mapping[str, str]

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [f"compiled by {self.compiler} to format {self.format} for {self.target}"]
        lines += [self.verification, f"with {versions}"]
        lines += [f"{name}: {text}" for name, text in self.details.items()]
        lines += [f"refused by {who}: {why}" for who, why in self.refusals.items()]
        return "\n".join(lines)
