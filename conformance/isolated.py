# SPDX-License-Identifier: Apache-2.0
"""Executing facts in processes of their own: ``python -m conformance.isolated DIRECTORY ID...``.

Facts in which gotvm died share a process: one that dies in tvmgo as well is named, and the others
go on in another. Facts that measure something, or take long
in a process with much garbage, have a process each.
"""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tvmgo
from conformance import facts
from conformance.catalogue import counterpart_of
from conformance.judge import Judgement, judge
from conformance.world import World

ROOT = Path(__file__).parents[1]


def is_alone(fact):
    """Whether the fact wants a process to itself."""
    counterpart = counterpart_of(fact)
    return counterpart is not None and counterpart.alone


def needs_isolation(fact):
    """Whether the fact may not be executed in just any process."""
    return fact.killed or is_alone(fact)


COMMAND = (sys.executable, "-m", "conformance.isolated")


def judge_isolated(chosen, directory, command=COMMAND):
    """Execute facts in processes of their own.

    Parameters
    ----------
    chosen : list of conformance.facts.Fact
    directory : pathlib.Path
        That of a `World`.
    command : sequence of str
        What starts a process that runs `main`.

    Returns
    -------
    dict of str to Judgement
        By id.
    """
    batches = [[fact.id] for fact in chosen if is_alone(fact)]
    batches.append([fact.id for fact in chosen if not is_alone(fact)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        judged = pool.map(lambda batch: _judge_batch(batch, directory, command), batches)
    return {judgement.id: judgement for part in judged for judgement in part}


def _judge_batch(ids, directory, command):
    judged = []
    while len(judged) < len(ids):
        waiting = ids[len(judged) :]
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        result = subprocess.run(
            [*command, str(directory), *waiting],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        judged += [Judgement(name, verdict, tuple(found)) for name, verdict, found in lines]
        if len(lines) < len(waiting):
            judged.append(Judgement(waiting[len(lines)], None, (_last_words(result),)))
    return judged


def _last_words(result):
    if result.returncode < 0:
        return f"the process died of {signal.Signals(-result.returncode).name}"
    return f"the process ended with code {result.returncode}: {result.stderr[-2000:]}"


def main(directory, *ids):
    """Execute facts in this process, a line of JSON for each."""
    tvmgo._native.locate.load()
    tvmgo._native.companions.load_extra()
    with World(Path(directory)).entered() as world:
        for fact_id in ids:
            judgement = judge(facts.edges()[fact_id], world)
            print(json.dumps([judgement.id, judgement.verdict, judgement.differences]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
