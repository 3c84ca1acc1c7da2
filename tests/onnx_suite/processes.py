# SPDX-License-Identifier: Apache-2.0
"""Cases judged in child processes, which may crash or hang without ending the run."""

import multiprocessing
from collections import deque
from multiprocessing.connection import wait

from tests.onnx_suite.cases import all_cases
from tests.onnx_suite.outcome import Outcome, outcome_of

SECONDS = 120  # for one case


def serve(connection, compiler):
    """Judge the cases whose names come, until None does."""
    cases = all_cases()
    connection.send(None)
    while (name := connection.recv()) is not None:
        connection.send(outcome_of(cases[name], compiler))


class Child:
    def __init__(self, compiler):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, compiler), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()
        self.name = None

    def give(self, name):
        self.name = name
        self.connection.send(name)

    def outcome(self, *, in_time):
        """Return what came of the case; a process that ended or hangs is not used again."""
        if not in_time:
            outcome = Outcome("time-out", f"no answer after {SECONDS} s")
        else:
            try:
                return self.connection.recv()
            except EOFError:
                self.process.join()
                outcome = Outcome("crash", f"exit code {self.process.exitcode}")
        self.end()
        return outcome

    def end(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


def judge_all(names, count, compiler):
    """Yield the name and outcome of each case, as they come."""
    waiting, children = deque(names), {}
    while waiting or children:
        while waiting and len(children) < count:
            child = Child(compiler)
            child.give(waiting.popleft())
            children[child.connection] = child
        ready = wait(list(children), SECONDS)
        for connection in ready or list(children):
            child = children.pop(connection)
            name = child.name
            yield name, child.outcome(in_time=bool(ready))
            if not connection.closed and waiting:
                child.give(waiting.popleft())
                children[connection] = child
            elif not connection.closed:
                child.end()
