# SPDX-License-Identifier: Apache-2.0
"""Latency and throughput of a model, beside ONNX Runtime's if wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tvmgo.exceptions import TVMError, TVMImportError, TVMValueError
from tvmgo.model.cpus import allowed_cpus, share_out
from tvmgo.model.files.model_files import Pathlike, existing
from tvmgo.model.model import Model
from tvmgo.model.stats import latency_of
from tvmgo.model.trials.samples import complete, read_inputs

SECONDS = 20.0
ROUNDS = 5  # of all engines in turn, so that what else the machine does meets all of them

Call = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """What was measured of one engine.

    Attributes
    ----------
    concurrency, threads : int
        How many callers there were, and on how many threads the kernels of each ran.
    engine : str
        ``"tvmgo"`` or ``"onnxruntime"``.
    calls : int
        How many were measured.
    per_second : float
        Calls of all callers.
    p50_seconds, p90_seconds, p99_seconds, max_seconds : float
        Latency of a call.
    """

    concurrency: int
    threads: int
    engine: str
    calls: int
    per_second: float
    p50_seconds: float
    p90_seconds: float
    p99_seconds: float
    max_seconds: float


def bench(
    path: Pathlike,
    inputs: Mapping[str, str] | None = None,
    *,
    seconds: float = SECONDS,
    concurrency: Sequence[int] | None = None,
    threads: int | None = None,
    onnx: Pathlike | None = None,
) -> dict[str, Any]:
    """Call a model for some time on the same inputs, and tell how long calls took, for JSON.

    Parameters
    ----------
    path : path-like
        The model.
    inputs : mapping of str to str, optional
        A ``.npy`` file for inputs; others are made up.
    seconds : float, default 20
        How long all measurements take together; loading comes on top.
    concurrency : sequence of int, optional
        How many callers there are. Default: one, and as many as the process may use CPUs.
    threads : int, optional
        For the kernels of each. Default: the CPUs divided by the callers.
    onnx : path-like, optional
        An ONNX file that ONNX Runtime runs on the same inputs, with as many callers and threads.

    Returns
    -------
    dict
        ``"rows"``: a `Row` for each engine and number of callers. ``"speedup"``, with `onnx`: by
        number of callers, how many times as many calls tvmgo answered.

    Raises
    ------
    ValueError, TypeError
        If a number makes no sense, or ONNX Runtime cannot run the file on the same inputs.
    ImportError
        If ONNX Runtime is not installed.
    TVMError
        As `Model.load`.
    """
    if not seconds > 0:
        raise TVMValueError(f"seconds: expected a positive number, got {seconds}")
    values = read_inputs(inputs or {})
    levels = sorted({1, allowed_cpus()}) if concurrency is None else concurrency
    rows: list[Row] = []
    for level in levels:
        rows += measure_level(path, values, level, threads, onnx, seconds / len(levels))
    document: dict[str, Any] = {"path": str(path), "rows": [asdict(row) for row in rows]}
    if onnx is not None:
        document["speedup"] = {
            str(ours.concurrency): ours.per_second / theirs.per_second
            for ours, theirs in zip(rows[::2], rows[1::2])
        }
    return document


def measure_level(
    path: Pathlike,
    values: Mapping[str, np.ndarray | None],
    concurrency: int,
    threads: int | None,
    onnx: Pathlike | None,
    seconds: float,
) -> list[Row]:
    concurrency, threads = share_out(concurrency, threads)
    with Model.load(path, concurrency=concurrency, threads=threads) as model:
        feed = complete(model, values)
        engines: dict[str, Call] = {"tvmgo": lambda: model.run(feed)}
        if onnx is not None:
            engines["onnxruntime"] = onnx_call(onnx, feed, threads)
        times: dict[str, list[float]] = {name: [] for name in engines}
        spent = dict.fromkeys(engines, 0.0)
        for call in engines.values():
            call_all(call, concurrency, 0.0)  # makes memory, wakes threads
        for _ in range(ROUNDS):
            for name, call in engines.items():
                start = time.perf_counter()
                times[name] += call_all(call, concurrency, seconds / ROUNDS / len(engines))
                spent[name] += time.perf_counter() - start
    return [
        Row(concurrency, threads, name, len(each), len(each) / spent[name], *percentiles(each))
        for name, each in times.items()
    ]


def percentiles(seconds: Sequence[float]) -> Sequence[float]:
    return list(latency_of(seconds).values())


def call_all(call: Call, callers: int, seconds: float) -> list[float]:
    """Have so many threads call something for some time, and at least once each.

    Returns how many seconds each call took; raises the first error of a call.
    """
    times: list[list[float]] = [[] for _ in range(callers)]
    errors: list[BaseException] = []
    ready = threading.Barrier(callers)

    def work(mine: list[float]) -> None:
        ready.wait()
        try:
            start = now = time.perf_counter()
            while not mine or (now - start < seconds and not errors):
                call()
                then, now = now, time.perf_counter()
                mine.append(now - then)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(mine,), daemon=True) for mine in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [second for mine in times for second in mine]


def onnx_call(path: Pathlike, feed: dict[str, np.ndarray], threads: int) -> Call:
    """Return what runs an ONNX file on the values of inputs by ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError:
        raise TVMImportError.for_package("onnx", "ONNX Runtime", "onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    file = existing("onnx", path)
    try:
        session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        if missing := [name for name in names if name not in feed]:
            raise TVMValueError(f"onnx: {path} has inputs {missing}, which the model has not")
        values = {name: feed[name] for name in names}
        session.run(None, values)
    except TVMError:
        raise
    except Exception as error:  # onnxruntime's errors have no class in common
        reason = str(error).partition("\n")[0]
        raise TVMValueError(f"onnx: ONNX Runtime cannot run {path}: {reason}") from None
    return lambda: session.run(None, values)
