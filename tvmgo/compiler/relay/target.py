# SPDX-License-Identifier: Apache-2.0
"""What the kernels are compiled for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tvm
from tvm.target import codegen

from tvmgo.compiler.graph.element_types import CPU_DEVICE_TYPE
from tvmgo.compiler.relay.failures import last_line
from tvmgo.exceptions import ExportError, TVMValueError

# Code for any machine of this architecture.
DEFAULT = "llvm"


def resolve_target(target: str | Mapping[str, Any] | None) -> tvm.target.Target:
    """Make a target from what users write.

    Parameters
    ----------
    target : str, dict or None
        None for any CPU of this machine's architecture; ``"native"`` for this machine's CPU; a
        classic string, ``"llvm -mcpu=skylake"``, or a dict with the same options.

    Raises
    ------
    ExportError
        If the target is no CPU, or not one that LLVM compiles for.
    TVMValueError
        If TVM does not know the target, one of its options, or its CPU.
    """
    options = DEFAULT if target is None else target
    if options == "native":
        options = {"kind": "llvm", "mcpu": codegen.llvm_get_system_cpu()}
    if isinstance(options, str):  # both words of this option name what is called mtriple now
        options = re.sub(r"(?<=\s)-target(?=[=\s])", "-mtriple", options)
    try:
        resolved = tvm.target.Target(dict(options) if isinstance(options, Mapping) else options)
    except Exception as error:  # of several classes
        raise TVMValueError(f"target: {last_line(error)}") from error
    if resolved.get_target_device_type() != CPU_DEVICE_TYPE or resolved.kind.name != "llvm":
        raise ExportError(
            f"target {resolved.kind.name!r}",
            "kernels of a deployed graph run on the CPU, and LLVM compiles them",
            'use "llvm"',
        )
    check_cpu(resolved)
    return resolved


def check_cpu(target: tvm.target.Target) -> None:
    """Refuse a CPU that LLVM does not know; it would print so and compile for any CPU instead."""
    cpu = target.attrs.get("mcpu")
    triple = target.attrs.get("mtriple", codegen.llvm_get_system_triple())
    plain = tvm.target.Target({"kind": "llvm", "mtriple": triple})
    try:
        known = {str(name) for name in codegen.llvm_get_cpu_archlist(plain)}
    except tvm.error.TVMError as error:
        raise TVMValueError(f"target: {last_line(error)}") from error
    if cpu is not None and str(cpu) not in known:
        raise TVMValueError(f"target: LLVM knows no CPU {str(cpu)!r} for {triple}")
