# SPDX-License-Identifier: Apache-2.0
"""The user's side: workers, their jobs, and what becomes of those that go wrong."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tvmgo.compiler.workers import server
from tvmgo.compiler.workers.messages import error_of, line_of
from tvmgo.exceptions import ExportError, TVMValueError

# How long a worker may say nothing, in seconds, before it counts as hung.
PATIENCE_VARIABLE = "TVMGO_COMPILER_TIMEOUT"
PATIENCE = 1800.0

LAST_WORDS = 2000  # bytes of what a worker printed that an error shows

Job = dict[str, Any]
Progress = Callable[[str], object]


def run_job(kind: str, interpreter: Path, job: Job, progress: Progress) -> dict[str, Any]:
    """Have a worker do a job, and return its result.

    Parameters
    ----------
    kind : str
        The package of `tvmgo.compiler` whose ``job.run`` does it.
    interpreter : pathlib.Path
        The Python whose environment has what the job needs.
    job : dict
        What JSON can say.
    progress : callable
        Called with one line of text as each step begins. What it raises ends the job.

    Raises
    ------
    ExportError, TVMTypeError, TVMValueError, TVMImportError
        As the job raised it; the cause holds the worker's traceback. `ExportError` too when the
        worker ends on its own, runs out of memory, or says nothing for `PATIENCE_VARIABLE` seconds.

    Notes
    -----
    A worker that has done a job waits for the next of its kind. Jobs of several threads run side by
    side, each in a worker. What ends a job early, such as Ctrl-C, ends its worker.
    """
    patience = read_patience()
    worker = take_worker(kind, interpreter)
    try:
        result = worker.run(job, progress, patience)
    except BaseException:
        if worker.busy:
            worker.kill()
        else:
            give_back(worker)
        raise
    give_back(worker)
    return result


def read_patience() -> float:
    text = os.environ.get(PATIENCE_VARIABLE)
    try:
        seconds = PATIENCE if text is None else float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise TVMValueError(f"{PATIENCE_VARIABLE}: expected seconds, got {text!r}")
    return seconds


class Worker:
    """A process that does jobs of one kind, one at a time.

    Attributes
    ----------
    busy : bool
        Whether a job was begun and not answered; such a worker can only be killed.
    """

    def __init__(self, kind: str, interpreter: Path) -> None:
        self.kind = kind
        self.interpreter = interpreter
        self.busy = False
        self._unread = b""
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed with the worker
        # What it prints goes to the end, wherever we read.
        fcntl.fcntl(self._words, fcntl.F_SETFL, os.O_APPEND)
        # Another environment must not find this one's packages, one of which is called tvm too.
        isolation = [] if interpreter == Path(sys.executable) else ["-I"]
        command = [str(interpreter), *isolation, server.__file__, kind]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words
            )
        except OSError:
            self._words.close()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, job: Job, progress: Progress, patience: float) -> dict[str, Any]:
        self.busy = True
        self._say(line_of(job))
        while True:
            line = self._read_line(time.monotonic() + patience, patience)
            try:
                message = json.loads(line)
            except ValueError:
                advice = "make its environment anew"
                raise self._failed(f"it said {line!r}, which is no answer", advice) from None
            if "progress" in message:
                progress(message["progress"])
                continue
            self.busy = False
            self._words.truncate(0)  # an error shows what was printed since
            if "error" in message:
                raise error_of(message["error"], self.kind)
            return message["result"]

    def close(self) -> None:
        """Let the process end: without jobs to come it ends at once."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:  # a job that was not taken
                pass
        self._process.wait()
        self._words.close()

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def forget(self) -> None:
        """Leave the process to the parent, in whose child we are."""
        self._process.returncode = 0  # subprocess would warn of a child that is still running

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _read_line(self, deadline: float, patience: float) -> bytes:
        assert self._process.stdout is not None
        answers = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(answers, select.POLLIN)
        while b"\n" not in self._unread:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self._failed(
                    f"it has said nothing for {patience:g} s",
                    f"give it more time by the variable {PATIENCE_VARIABLE}",
                )
            if poll.poll(min(remaining, 3600) * 1000):
                more = os.read(answers, 1 << 16)
                if not more:
                    raise self._ended()
                self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _ended(self) -> ExportError:
        code = self._process.wait()
        if code >= 0:
            return self._failed(f"it ended with exit status {code}", "make its environment anew")
        name = signal.Signals(-code).name
        advice = "give the export more memory, if it ran out; else report this as its fault"
        return self._failed(f"it was ended by {name}", advice)

    def _failed(self, what: str, instead: str) -> ExportError:
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - LAST_WORDS))
        words = self._words.read().decode(errors="replace").strip()
        said = f"; its last words:\n{words}\n" if words else "; it said no more"
        return ExportError(f"the {self.kind} worker ({self.interpreter})", what + said, instead)


# ---------------------------------------------------------------- workers that wait for a job

# By kind and interpreter; each look-up is one step, so that threads need no lock.
_idle: dict[tuple[str, Path], Worker] = {}


def take_worker(kind: str, interpreter: Path) -> Worker:
    """Return a worker that waits, or a new one."""
    worker = _idle.pop((kind, interpreter), None)
    if worker is not None and not worker.alive:
        worker.close()
        worker = None
    return worker or Worker(kind, interpreter)


def give_back(worker: Worker) -> None:
    """Keep the worker for the next job, unless another of its kind waits already."""
    if _idle.setdefault((worker.kind, worker.interpreter), worker) is not worker:
        worker.close()


@atexit.register
def close_workers() -> None:
    """End the workers that wait, for instance to give their memory back."""
    while _idle:
        _idle.popitem()[1].close()


def _forget_workers() -> None:
    while _idle:
        _idle.popitem()[1].forget()


os.register_at_fork(after_in_child=_forget_workers)
