# SPDX-License-Identifier: Apache-2.0
"""How fast a pipeline is with tvmgo, and with ONNX Runtime in its place: the same actors, data, threads, in turns."""

import statistics
import time

import numpy as np
from ray.data import DataContext

from tests.cluster.nodes import cluster
from tests.cluster.tables import MLP, MOBILENET, Observed, Rival, compare, predicted

ROUNDS = 5
# In the object store, and how often a run has them: some seconds of work, of which who begins first is a small part.
ROWS = {MLP: (40 * 2656, 8), MOBILENET: (400, 3)}


def once(table, task, kind, truth, times, actors):
    """Run a table so many times; return what it took."""
    different = table.count()
    rows = different * times
    start = time.monotonic()
    dataset = predicted(table.union(*[table] * (times - 1)), task, kind, concurrency=actors)
    found = compare(dataset, task, truth, different, times=times)
    facts = found.facts
    if kind is Observed:
        found.check(different)
    # From the first batch on: processes that start are another figure.
    seconds = facts["end"].max() - facts["start"].min()
    return {
        "rows": rows,
        "rows_per_second": rows / seconds,
        "cpu_us": facts["cpu"].sum() / rows * 1e6,
        "batches": len(facts["cpu"]),
        "busy": float((facts["end"] - facts["start"]).sum()) / seconds / actors,
        "start_seconds": facts["start"].min() - start,
        "load_seconds": float(np.median(facts["load"])),
        "copies": int(facts["copies"].sum()),
    }


def tasks_per_second(blocks=300):
    """Return how many blocks of some rows a second Ray passes through a pool of actors: what its driver can do."""
    table = MLP.table(blocks * 8).repartition(blocks).materialize()
    start = time.monotonic()
    # With the usual size of a batch Ray would put all blocks together, and pass them once.
    dataset = predicted(table, MLP, concurrency=1, batch_size=8)
    facts = compare(dataset, MLP, MLP.truth(), blocks * 8).facts
    return len(facts["cpu"]) / (time.monotonic() - max(start, facts["start"].min()))


def run(rounds=ROUNDS):
    """Return a line for each model and number of actors, and what the driver does in a second."""
    lines = []
    with cluster(2, 1):
        # Else one actor works while another starts.
        DataContext.get_current().wait_for_min_actors_s = 300
        for task, (count, times) in ROWS.items():
            truth = task.truth()
            table = task.table(count).materialize()
            for actors in (1, 2):
                found = {kind.kind: [] for kind in (Observed, Rival)}
                for number in range(rounds):
                    pair = (Observed, Rival) if number % 2 else (Rival, Observed)
                    for kind in pair:
                        found[kind.kind].append(once(table, task, kind, truth, times, actors))
                lines.append(line(task, actors, found))
                print(lines[-1], flush=True)
            del table
        driver = tasks_per_second()
    return {"lines": lines, "tasks_per_second": driver, "rounds": rounds}


def line(task, actors, found):
    mine, theirs = found["tvmgo"], found["ONNX Runtime"]

    def median(side, name):
        return statistics.median(each[name] for each in side)

    def ratio(name):
        return statistics.median(a[name] / b[name] for a, b in zip(mine, theirs))

    return {
        "model": task.name,
        "rows": mine[0]["rows"],
        "actors": actors,
        "bytes_in": int(np.prod(task.shape)) * 4,
        "rate": median(mine, "rows_per_second"),
        "their_rate": median(theirs, "rows_per_second"),
        "ratio": ratio("rows_per_second"),
        "cpu_us": median(mine, "cpu_us"),
        "their_cpu_us": median(theirs, "cpu_us"),
        "cpu_ratio": 1 / ratio("cpu_us"),
        **{
            name: median(mine, name)
            for name in ("batches", "busy", "start_seconds", "load_seconds")
        },
        "their_load_seconds": median(theirs, "load_seconds"),
    }
