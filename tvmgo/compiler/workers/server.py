# SPDX-License-Identifier: Apache-2.0
"""The worker's side: ``python server.py KIND`` does jobs of one kind until its input ends."""

from __future__ import annotations

import gc
import importlib
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import IO

COMPILER = Path(__file__).parents[1]


def main(kind: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the client's, which then ends us
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever compilers print goes where their errors go
    import_tvmgo(whole=kind == "verify")
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=read_jobs, args=(jobs,), daemon=True).start()
    answers.write(answer(kind, jobs.get(), answers))
    leave_out_what_stays()
    while True:
        give_memory_back()
        answers.write(answer(kind, jobs.get(), answers))


def leave_out_what_stays() -> None:
    """Let no collection of garbage look at what the first job has imported: it took a tenth of the others."""
    gc.collect()
    gc.freeze()


def give_memory_back() -> None:
    """Return what a job has freed to the system, where the C library keeps it for the next one.

    Another worker may need it at once; this one waits.
    """
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def read_jobs(jobs: queue.SimpleQueue[bytes]) -> None:
    """Read jobs; their end, with the client or because it wants no more, ends a job under way."""
    for line in sys.stdin.buffer:
        jobs.put(line)
    os._exit(0)


def import_tvmgo(*, whole: bool) -> None:
    """Let tvmgo's modules be imported; unless `whole`, without the package, which loads libtvm_ffi.

    The folder of this file is no place to import from, where Python has made it one.
    """
    here = str(Path(__file__).parent)
    sys.path[:] = [place for place in sys.path if place != here]
    if whole:
        sys.path.insert(0, str(COMPILER.parents[1]))
        return
    for name, folder in (("tvmgo", COMPILER.parent), ("tvmgo.compiler", COMPILER)):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


def answer(kind: str, line: bytes, answers: IO[bytes]) -> bytes:
    """Do one job and return what is to be said of it."""
    import json

    from tvmgo.compiler.workers.messages import describe_error, line_of

    try:
        job = importlib.import_module(f"tvmgo.compiler.{kind}.job")
        result = job.run(
            json.loads(line), lambda text: answers.write(line_of({"progress": str(text)}))
        )
        return line_of({"result": result})
    except BaseException as error:  # a job that calls sys.exit has failed as well
        return line_of({"error": describe_error(error)})


if __name__ == "__main__":
    main(sys.argv[1])
