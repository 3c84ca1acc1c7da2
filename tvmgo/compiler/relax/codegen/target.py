# SPDX-License-Identifier: Apache-2.0
"""What the kernels are compiled for."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import tvm

from tvmgo.compiler.graph.element_types import CPU_DEVICE_TYPE
from tvmgo.compiler.relax.codegen.levels import FOR_BYTES, LEVELS
from tvmgo.exceptions import ExportError, TVMValueError

# Code for any machine of this architecture.
DEFAULT = {"kind": "llvm"}

# What TVM takes for the architecture of a GPU when it is told none and finds none.
UNKNOWN_GPU = "sm_50"
# What all of today's have.
EVERY_GPU = {"max_threads_per_block": 1024, "max_shared_memory_per_block": 49152}

# Spellings of classic target strings that TVM has renamed since.
RENAMED_OPTIONS = {"target": "mtriple"}


def resolve_targets(target: str | Mapping[str, Any] | None) -> list[tvm.target.Target]:
    """Return what the kernels are compiled for: one target, or several levels, the lowest first.

    Raises what `resolve_target` raises.
    """
    triple = tvm.target.codegen.llvm_get_system_triple()
    if target is None and triple.startswith("x86_64"):
        return [resolve_target({**DEFAULT, "mcpu": level}) for level in LEVELS]
    return [resolve_target(target)]


def for_bytes(targets: list[tvm.target.Target]) -> list[tvm.target.Target]:
    """Return levels with what kernels of bytes need beside them; a single target is left alone."""
    if len(targets) == 1:
        return targets
    levels = [str(target.attrs["mcpu"]) for target in targets]
    options = [{"mattr": FOR_BYTES[level]} if level in FOR_BYTES else {} for level in levels]
    return [
        resolve_target({**DEFAULT, "mcpu": level, **more}) for level, more in zip(levels, options)
    ]


def resolve_target(target: str | Mapping[str, Any] | tvm.target.Target | None) -> tvm.target.Target:
    """Make a target from what users write.

    Parameters
    ----------
    target : str, dict, tvm.target.Target or None
        None for any CPU of this machine's architecture; ``"native"`` for this machine's CPU;
        ``"aarch64"`` for any of that architecture under Linux; a classic string, ``"llvm -mcpu=skylake"``; or what ``tvm.target.Target`` takes.

    Returns
    -------
    tvm.target.Target

    Raises
    ------
    ExportError
        If the target is neither a CPU nor CUDA.
    TVMValueError
        If TVM does not know the target, one of its options, or its CPU.
    """
    try:
        resolved = tvm.target.Target(as_options(DEFAULT if target is None else target))
    except ValueError as error:
        raise TVMValueError(f"target: {error}") from error
    if is_gpu(resolved):
        return gpu_target(resolved)
    if resolved.get_target_device_type() != CPU_DEVICE_TYPE:
        raise ExportError(
            f"target {resolved.kind.name!r}",
            "kernels of a deployed graph run on the CPU, or by CUDA",
            'use "llvm" or "cuda"',
        )
    check_cpu(resolved)
    return resolved


def is_gpu(target: tvm.target.Target) -> bool:
    return str(target.kind.name) == "cuda"


def gpu_target(target: tvm.target.Target) -> tvm.target.Target:
    """Complete a target of CUDA, by this machine's GPU if it does not say for which it is.

    Raises
    ------
    TVMValueError
        If that is not known.
    """
    options = {**EVERY_GPU, **target.export()}
    if options.get("arch") == UNKNOWN_GPU:
        if not tvm.cuda(0).exist:
            raise TVMValueError(
                "target: it names no GPU, and this machine has none; name its architecture, as in "
                '{"kind": "cuda", "arch": "sm_80"}'
            )
        options = tvm.target.Target.from_device(tvm.cuda(0)).export()
    return tvm.target.Target({**options, "host": options.get("host") or DEFAULT})


def check_cpu(target: tvm.target.Target) -> None:
    """Refuse a CPU that LLVM does not know; it would print so and compile for any CPU instead."""
    cpu = target.attrs.get("mcpu")
    triple = triple_of(target)
    if cpu is not None and not tvm.target.codegen.llvm_is_valid_cpu(cpu, triple):
        raise TVMValueError(f"target: LLVM knows no CPU {cpu!r} for {triple}")


def triple_of(target: tvm.target.Target) -> str:
    """Return architecture and system of a target, as LLVM writes them."""
    return str(target.attrs.get("mtriple") or tvm.target.codegen.llvm_get_system_triple())


def as_options(target: str | Mapping[str, Any] | tvm.target.Target) -> Any:
    """Translate the strings that TVM no longer reads; pass everything else through."""
    if target == "native":
        return {**DEFAULT, "mcpu": tvm.target.codegen.llvm_get_system_cpu()}
    if target == "aarch64":
        return {**DEFAULT, "mtriple": "aarch64-linux-gnu"}
    if isinstance(target, str) and " " in target.strip() and not target.lstrip().startswith("{"):
        return parse_options(target)
    return dict(target) if isinstance(target, Mapping) else target


def parse_options(text: str) -> dict[str, Any]:
    """Read ``"kind -option=value -option value"``, the target strings of TVM up to 0.19."""
    joined = re.sub(
        r"(?<=\s)(-[\w-]+)\s+(?=[^-\s])", r"\1=", text
    )  # "-option value" is "-option=value"
    kind, *words = shlex.split(joined)
    types = tvm.target.Target(kind).kind.options
    options: dict[str, Any] = {"kind": kind}
    for word in words:
        name, _, value = word.lstrip("-").partition("=")
        name = RENAMED_OPTIONS.get(name, name)
        read = OPTION_READERS.get(types.get(name), str)
        options[name] = read(value)
    return options


def read_flag(value: str) -> bool:
    """Read a boolean option; naming it alone switches it on."""
    return bool(json.loads(value.lower())) if value else True


# By the type that TVM declares for an option.
OPTION_READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "bool": read_flag,
    "Array<str>": lambda value: value.split(","),
}
