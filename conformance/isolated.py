# SPDX-License-Identifier: Apache-2.0
"""Executing facts in processes of their own: ``python -m conformance.isolated DIRECTORY ID...``.

Facts in which gotvm died share a process: one that dies in tvmgo as well is named, and the others
go on in another. Facts that measure something, or take long in a process with much garbage, have a
process each.
"""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from conformance import library
from conformance.catalogue import counterpart_of
from conformance.facts import recorded
from conformance.judge import judge
from tests.helpers import search_path

COMMAND = (sys.executable, "-m", "conformance.isolated")


def is_alone(fact):
    """Whether the fact wants a process to itself."""
    counterpart = counterpart_of(fact)
    return counterpart is not None and counterpart.alone


def needs_isolation(fact):
    """Whether the fact may not be executed in just any process."""
    return fact.killed or is_alone(fact)


def judge_isolated(chosen, directory, command=COMMAND):
    """Execute facts in processes of their own.

    Parameters
    ----------
    chosen : list of conformance.facts.Fact
    directory : pathlib.Path
        One that ``library.prepare`` filled.
    command : sequence of str
        What starts a process that runs `main`.

    Returns
    -------
    dict of str to list of str
        What is unexplained of each fact, by id.
    """
    batches = [[fact.id] for fact in chosen if is_alone(fact)]
    batches.append([fact.id for fact in chosen if not is_alone(fact)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        judged = pool.map(lambda ids: _judge_batch(ids, [*command, str(directory)]), batches)
    return {fact_id: found for part in judged for fact_id, found in part.items()}


def _judge_batch(ids, command):
    environment = {**os.environ, "PYTHONPATH": search_path()}
    judged = {}
    while waiting := [fact_id for fact_id in ids if fact_id not in judged]:
        result = subprocess.run(
            [*command, *waiting], capture_output=True, text=True, env=environment
        )
        lines = result.stdout.splitlines()
        judged.update(json.loads(line) for line in lines)
        if len(lines) < len(waiting):
            judged[waiting[len(lines)]] = [_last_words(result)]
    return judged


def _last_words(result):
    if result.returncode < 0:
        return f"the process died of {signal.Signals(-result.returncode).name}"
    return f"the process ended with code {result.returncode}: {result.stderr[-2000:]}"


def main(directory, *ids):
    """Execute facts in this process, a line of JSON for each."""
    with library.beside(directory):
        for fact_id in ids:
            print(json.dumps([fact_id, judge(recorded()[fact_id])]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
