# SPDX-License-Identifier: Apache-2.0
"""The time of a tuning, shared among the kernels of a model by the time that they take."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tvm
from tvm import autotvm, relay
from tvm.autotvm.task.dispatcher import ApplyHistoryBest

from tvmgo.compiler.relay.build import compile_graph
from tvmgo.compiler.relay.failures import last_line
from tvmgo.compiler.relay.tuning.log import Log, Record
from tvmgo.compiler.relay.tuning.measuring import Measure, isolate, time_models
from tvmgo.compiler.relay.tuning.search import Search, default_of
from tvmgo.compiler.relay.tuning.tasks import agreement, tasks_of
from tvmgo.exceptions import TVMValueError

Progress = Callable[[str], object]


def tuned_graph(
    module: tvm.IRModule,
    target: tvm.target.Target,
    wanted: Mapping[str, Any],
    linker: Sequence[str],
    progress: Progress,
) -> tuple[Any, str]:
    """Compile a program with the best kernels that are known, after looking for some `seconds`.

    Parameters
    ----------
    wanted : mapping
        ``seconds`` to look for better ones, 0 for none; ``log``, the path of all trials;
        ``threads`` for kernels as text, None for one on each core; ``folder`` for kernels that are
        tried, which its owner deletes.

    Returns
    -------
    factory : tvm.relay.backend.executor_factory.GraphExecutorFactoryModule
        With them, or without if the whole model is no faster with them.
    str
        What was tuned.
    """
    here = runs_here(target)
    if wanted["seconds"] and not here:
        raise TVMValueError(
            f"tune: kernels are timed on this machine, which is not one of {target}"
        )
    path = Path(wanted["log"])
    if wanted["seconds"]:
        path.touch()
    log = Log(path, target)
    if log.others and not log.records and not wanted["seconds"]:
        there = ", ".join(sorted(log.others))
        raise TVMValueError(f"tune_log: expected trials for {target}, got some for {there}")
    isolate(wanted["threads"])
    progress("looking for kernels to tune")
    searches = searches_of(module, target, log)
    before = len(log.records)
    if wanted["seconds"] and searches:
        with temporary_files_in(wanted["folder"]):
            look(searches, log, Measure(linker), wanted["seconds"], progress)
    used = [each for each in searches if math.isfinite(each.best)]
    said = [
        f"{len(used)} of {len(searches)} kernels",
        f"{len(log.records) - before} trials in {wanted['seconds']:g} s, in {path}",
    ]
    if not used:
        return compile_graph(module, target, progress), ", ".join(said)
    if math.isfinite(estimated := ratio(used)):
        said.append(f"they take {estimated:.2f} of their untuned time")
    records = fitting(log.records, searches)
    factory, whole = faster_of(module, target, records, here, linker, progress)
    return factory, ", ".join([*said, whole])


def searches_of(module: tvm.IRModule, target: tvm.target.Target, log: Log) -> list[Search]:
    found = tasks_of(module, target)
    tasks = [task for task, _ in found]
    defaults = list(map(default_of, tasks))
    return [
        Search(task, calls, log.costs.get(task.workload, {}), default, fits)
        for (task, calls), default, fits in zip(found, defaults, agreement(tasks, defaults))
    ]


def fitting(records: Sequence[Record], searches: Sequence[Search]) -> list[Record]:
    """Return trials of a model's kernels that go with each other."""
    by_task = {each.task.workload: each for each in searches}
    return [
        (trial, result)
        for trial, result in records
        if (search := by_task.get(trial.task.workload)) and search.fits(trial.config.index)
    ]


@contextmanager
def temporary_files_in(folder: str) -> Iterator[None]:
    """Let AutoTVM, which leaves its files behind, put them there."""
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before


def look(
    searches: Sequence[Search],
    log: Log,
    measure: Measure,
    seconds: float,
    progress: Progress,
) -> None:
    """Try configurations until the time is over or nothing is left to try."""
    open_ones, trials, said = list(searches), 0, -math.inf
    begin = time.monotonic()
    end = begin + seconds
    while open_ones and time.monotonic() < end:
        search = next_of(open_ones)
        proposed = search.propose(measure.at_once)
        if not proposed:
            open_ones.remove(search)
            continue
        results: dict[int, float] = {}
        for trial, built in zip(proposed, measure.build(proposed)):
            if results and time.monotonic() >= end:
                break
            result = measure.time(built)
            log.add(trial, result)
            results[trial.config.index] = result.costs[0]
        if len(results) == len(proposed):
            search.take(results)
        else:
            search.known.update(results)
        trials += len(results)
        now = time.monotonic()
        if now - said >= 2:
            progress(line_of(searches, trials, now - begin, seconds))
            said = now
    progress(line_of(searches, trials, time.monotonic() - begin, seconds))


def next_of(searches: Sequence[Search]) -> Search:
    """Return whose turn it is: all that have nothing yet, then each as often as its share of the time."""
    for search in searches:
        if not search.is_begun:
            return search
    return max(searches, key=lambda each: time_of(each) / (each.batches + 1))


def time_of(search: Search) -> float:
    return search.calls * search.best if math.isfinite(search.best) else 0.0


def line_of(searches: Sequence[Search], trials: int, spent: float, seconds: float) -> str:
    best = 1e3 * sum(map(time_of, searches))
    tried = sum(math.isfinite(each.best) for each in searches)
    part = ratio(searches)
    return (
        f"tuning: {spent:.0f} of {seconds:g} s, {trials} trials, best so far {best:.3f} ms in {tried} of "
        f"{len(searches)} kernels" + (f", {part:.2f} of untuned" if math.isfinite(part) else "")
    )


def ratio(searches: Sequence[Search]) -> float:
    """Return which part of their untuned time kernels take, of those whose untuned time is known."""
    known = [each for each in searches if math.isfinite(each.untuned)]
    untuned = sum(each.calls * each.untuned for each in known)
    return sum(each.calls * each.best for each in known) / untuned if untuned else math.nan


def faster_of(
    module: tvm.IRModule,
    target: tvm.target.Target,
    records: Sequence[Record],
    here: bool,
    linker: Sequence[str],
    progress: Progress,
) -> tuple[Any, str]:
    """Compile with the best kernels; where that can be measured, without them if that is faster.

    What is fast alone need not be fast together: a kernel may want its data in another order than
    the one before it writes.
    """
    progress("compiling with the best kernels")
    relay.backend.te_compiler.get().clear()
    with ApplyHistoryBest(records):
        tuned = compile_graph(module, target, progress)
    if not here:
        return tuned, "not compared with the untuned model, which another machine runs"
    progress("compiling without them, to compare")
    relay.backend.te_compiler.get().clear()
    with autotvm.FallbackContext():
        untuned = compile_graph(module, target, progress)
    progress("timing both models")
    try:
        before, after = times_of([untuned, tuned], linker)
    except Exception as error:  # whatever running them leads to
        return untuned, f"not used, because timing the model failed: {last_line(error)}"
    whole = f"the whole model {after / before:.2f}, {after * 1e3:.3f} ms"
    if after > before:
        return untuned, f"{whole}, and so they are not used"
    return tuned, whole


def times_of(factories: Sequence[Any], linker: Sequence[str]) -> list[float]:
    command, *options = linker
    with tempfile.TemporaryDirectory(prefix="tvmgo-tuning-") as folder:
        paths = [f"{folder}/{number}.so" for number in range(len(factories))]
        for factory, path in zip(factories, paths):
            factory.export_library(path, fcompile=None, cc=command, options=list(options))
        return time_models(paths)


def runs_here(target: tvm.target.Target) -> bool:
    """Whether this machine has the processor and the instructions of a target."""
    triple = str(target.attrs.get("mtriple", ""))
    own = tvm.target.codegen.llvm_get_system_triple()
    if triple and triple.split("-")[0] != own.split("-")[0]:
        return False
    native = tvm.target.Target({"kind": "llvm", "mcpu": tvm.target.codegen.llvm_get_system_cpu()})
    needed, have = (
        set(map(str, tvm.target.codegen.llvm_get_cpu_features(each))) for each in (target, native)
    )
    return needed <= have
