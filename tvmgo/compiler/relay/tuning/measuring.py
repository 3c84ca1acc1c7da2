# SPDX-License-Identifier: Apache-2.0
"""Kernels and models, built and timed in processes of their own, which may crash or hang.

AutoTVM's own runners open a port to which anybody can send code; here there are pipes alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import cloudpickle
from tvm.autotvm import GLOBAL_SCOPE, LocalBuilder
from tvm.autotvm.measure import MeasureErrorNo, MeasureInput, MeasureResult
from tvm.contrib import cc
from tvm.contrib.popen_pool import PopenPoolExecutor

from tvmgo.compiler.relay.build import CONFIG
from tvmgo.compiler.relay.tuning.log import failed

TIMEOUT = 10.0  # seconds for building a kernel, and again for running it
WHOLE = 600.0  # for running two models
# The processes find this environment alone, wherever they are started.
ISOLATION = {"PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}
# So they do not have this module, and get its functions as they are.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def isolate(threads: str | None) -> None:
    """Prepare what processes started from now on inherit: which packages, and how many threads."""
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]
    os.environ.update(ISOLATION)
    os.environ.pop("TVM_NUM_THREADS", None)
    if threads is not None:
        os.environ["TVM_NUM_THREADS"] = threads


class Measure:
    """Builds kernels, as many at once as there are cores, and times one at a time."""

    def __init__(self, linker: Sequence[str]) -> None:
        command, *options = linker
        self.builder = LocalBuilder(TIMEOUT, build_func=cc.cross_compiler(command, options))
        self.runner = PopenPoolExecutor(max_workers=1, timeout=TIMEOUT)

    @property
    def at_once(self) -> int:
        count: int = self.builder.n_parallel
        return count

    def build(self, trials: Sequence[MeasureInput]) -> list[Any]:
        """Build kernels as the model has them: their tensors are laid out as the schedule wants.

        Else templates put the tensors in order themselves, which may take longer than the rest.
        """
        self.builder.set_task(trials[0].task, {"build_option": CONFIG})
        GLOBAL_SCOPE.in_tuning = True  # which processes take over as they start
        try:
            return self.builder.build(trials)
        finally:
            GLOBAL_SCOPE.in_tuning = False

    def time(self, built: Any) -> MeasureResult:
        """Return how long a kernel takes, the least of some attempts: other work only adds."""
        if isinstance(built, MeasureResult):
            return failed(built.error_no, built.all_cost, built.timestamp)
        begin = time.time()
        try:
            costs = self.runner.submit(time_kernel, built.filename, built.arg_info).result()
        except TimeoutError:
            return failed(MeasureErrorNo.RUN_TIMEOUT, TIMEOUT, time.time())
        except Exception:  # whatever running it leads to
            return failed(MeasureErrorNo.RUNTIME_DEVICE, time.time() - begin, time.time())
        spent = built.time_cost + time.time() - begin
        return MeasureResult((min(costs),), MeasureErrorNo.NO_ERROR, spent, time.time())


def time_models(libraries: Sequence[str]) -> list[float]:
    """Return how long models take in seconds, the least of several runs, in turns."""
    pool = PopenPoolExecutor(max_workers=1, timeout=WHOLE)
    times: list[float] = pool.submit(time_in_turns, list(libraries)).result()
    return times


# ---------------------------------------------------------------- what the processes run


def time_kernel(library: str, arguments: Any) -> list[float]:
    import tvm

    kernel = tvm.runtime.load_module(library)
    fill = tvm.get_global_func("tvm.contrib.random.random_fill")
    tensors = [tvm.nd.empty(shape, dtype) for shape, dtype in arguments]
    for tensor in tensors:
        fill(tensor)
    # Each run by itself: one that other processes did not interrupt tells what the kernel takes.
    timer = kernel.time_evaluator(kernel.entry_name, tvm.cpu(), number=1, repeat=5)
    times: list[float] = []
    while not times or (len(times) < 200 and sum(times) < 0.1):
        times += timer(*tensors).results
    return times


def time_in_turns(libraries: list[str]) -> list[float]:
    import tvm
    from tvm.contrib.graph_executor import GraphModule

    models = [
        GraphModule(tvm.runtime.load_module(each)["default"](tvm.cpu())) for each in libraries
    ]
    # One thread's own time does not count what other processes do; of several none has all.
    alone = os.environ.get("TVM_NUM_THREADS") == "1"
    clock = time.thread_time if alone else time.perf_counter
    times = [float("inf")] * len(models)
    fill = tvm.get_global_func("tvm.contrib.random.random_fill")
    for model in models:
        for name in model.get_input_info()[0]:
            value = model.get_input(name)
            if value.dtype.startswith("float"):
                fill(value)
    end, rounds = time.monotonic() + 3, 0
    while rounds < 10 or (rounds < 300 and time.monotonic() < end):
        for place, model in enumerate(models):
            start = clock()
            model.run()
            times[place] = min(times[place], clock() - start)
        rounds += 1
    return times
