# SPDX-License-Identifier: Apache-2.0
"""Traces of Chrome's format, which chrome://tracing and Perfetto show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class TraceEvent(NamedTuple):
    """A span of time on a thread.

    Attributes
    ----------
    name : str
    arguments : mapping
        What is shown of it beside its name.
    category : str
    thread : int
        As the system numbers it.
    start, duration : int
        Nanoseconds.
    """

    name: str
    arguments: Mapping[str, Any]
    category: str
    thread: int
    start: int
    duration: int


def write_trace(
    path: str | os.PathLike[str],
    process: str,
    events: Iterable[TraceEvent],
    origin: int,
    threads: Mapping[int, str],
    left_out: int,
) -> None:
    """Write a trace.

    Parameters
    ----------
    path : path
    process : str
        How the process is called.
    events : iterable of TraceEvent
        Those of a thread lie beside or within each other.
    origin : int
        What counts as 0 of the starts.
    threads : mapping of int to str
        Names of threads.
    left_out : int
        How many events there were beyond these.
    """
    number = os.getpid()
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit": "ms",\n')
        file.write(f'"otherData": {json.dumps({"model": process, "left_out": left_out})},\n')
        file.write('"traceEvents": [\n')
        file.write(json.dumps(named("process_name", number, None, f"tvmgo: {process}")))
        seen: set[int] = set()
        for event in events:
            if event.thread not in seen:
                seen.add(event.thread)
                if event.thread in threads:
                    name = threads[event.thread]
                    record = named("thread_name", number, event.thread, name)
                    file.write(f",\n{json.dumps(record)}")
            file.write(f",\n{json.dumps(complete(event, number, origin))}")
        file.write("\n]}\n")


def complete(event: TraceEvent, process: int, origin: int) -> dict[str, Any]:
    """Return a complete event, which has its begin and its duration, in microseconds."""
    return {
        "name": event.name,
        "cat": event.category,
        "ph": "X",
        "ts": (event.start - origin) / 1e3,
        "dur": event.duration / 1e3,
        "pid": process,
        "tid": event.thread,
        **({"args": event.arguments} if event.arguments else {}),
    }


def named(what: str, process: int, thread: int | None, name: str) -> dict[str, Any]:
    ids = {"pid": process} if thread is None else {"pid": process, "tid": thread}
    return {"name": what, "ph": "M", **ids, "args": {"name": name}}
