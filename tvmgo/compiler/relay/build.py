# SPDX-License-Identifier: Apache-2.0
"""From a program of Relay to a graph and compiled kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tvm
from tvm import relay

from tvmgo.compiler.relay.failures import as_export_error

# LLVM's verifier refuses some kernels whose common subexpressions TVM has taken out.
CONFIG = {"tir.disable_cse_tir": True}
LEVEL = 3
# What TVM says where a second attempt with fewer optimisations helps.
STRIDED = "Cannot bind a compact buffer"  # a slice of a convolution, at the highest level
UNVERIFIED = "LLVM module verification failed"  # a vector in a variable


def compile_graph(
    module: tvm.IRModule, target: tvm.target.Target, progress: Callable[[str], object]
) -> Any:
    """Optimise a program and compile its kernels.

    Returns
    -------
    tvm.relay.backend.executor_factory.GraphExecutorFactoryModule
    """
    level, config = LEVEL, dict(CONFIG)
    with as_export_error("compiling the kernels", instead=f"try another target than {target}"):
        while True:
            context = tvm.transform.PassContext(
                opt_level=level, config=config, instruments=[Reporter(progress)]
            )
            try:
                with context:
                    return relay.build(module, target=target)
            except tvm.error.TVMError as error:
                if STRIDED in str(error) and level == LEVEL:
                    level -= 1
                elif UNVERIFIED in str(error) and "tir.disable_vectorize" not in config:
                    config["tir.disable_vectorize"] = True
                else:
                    raise
            progress("optimising less, because TVM fails on what it has optimised")


# Passes that begin what takes long.
STEPS = {
    "SimplifyInference": "optimising",
    "AlterOpLayout": "laying out data and weights",
    "FuseOps": "fusing operators",
    "LowerTE": "compiling the kernels",
}


@tvm.instrument.pass_instrument
class Reporter:
    """Says which part of the work begins."""

    def __init__(self, progress: Callable[[str], object]) -> None:
        self.progress = progress

    def run_before_pass(self, module: tvm.IRModule, info: Any) -> None:
        if info.name in STEPS:
            self.progress(STEPS[info.name])
