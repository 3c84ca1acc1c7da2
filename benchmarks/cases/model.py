# SPDX-License-Identifier: Apache-2.0
"""`Model` beside ONNX Runtime's session: what a request costs around the kernels, and many rows.

What they need is imported when a case is prepared: ONNX Runtime has threads, whose instructions
would count in other cases.
"""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case, Group, at_most

ONNX_RUNTIME = "ONNX Runtime"
SERVICE = Group(
    "A model in a service",
    "What does a request cost, and one of 10,000 rows of three dense layers (784, 512, 512, 10)?",
    "A session of ONNX Runtime with one thread: `run`, or for a binding `run_with_iobinding`.",
)


def one_operator() -> Any:
    from benchmarks.networks import service

    return service.one_operator()


def dense_layers() -> Any:
    from benchmarks.networks import service

    return service.dense_layers()


CALLS = {
    "tvmgo": lambda rivals: rivals.call(),
    ONNX_RUNTIME: lambda rivals: rivals.session_run(),
}
BINDINGS = {
    "tvmgo": lambda rivals: rivals.bound(),
    ONNX_RUNTIME: lambda rivals: rivals.session_bound(),
}
CASES = (
    Case(*(SERVICE, "one operator, 16 floats", one_operator, CALLS), (at_most(0.5, ONNX_RUNTIME),)),
    Case(
        *(SERVICE, "one operator, 16 floats, bound", one_operator, BINDINGS),
        (at_most(0.5, ONNX_RUNTIME),),
    ),
    Case(
        *(SERVICE, "10,000 rows", dense_layers, CALLS),
        (at_most(1.2, ONNX_RUNTIME),),
        sample_ns=1e7,
    ),
)
