# SPDX-License-Identifier: Apache-2.0
"""A million rows and ten thousand images on several nodes, as they come, and while a worker and a node are killed."""

import os
import signal
import time

import numpy as np
import pytest
import ray

from tests.cluster.nodes import alive, cluster, wait_for
from tests.cluster.tables import MLP, compare, predicted

ACTORS = 2


class Accident:
    """Ends a worker, or a node with all that runs there, when a part of the rows is there."""

    def __init__(self, after, node=None):
        self.after, self.node, self.happened = after, node, None
        self._seen = 0

    def __call__(self, facts):
        self._seen += len(facts["pid"])
        if self.happened is not None or self._seen < self.after or not len(facts["pid"]):
            return
        if self.node is not None:
            self.happened = "a node"
            self.node.kill()
        else:
            self.happened = "a worker"
            os.kill(int(facts["pid"][-1]), signal.SIGKILL)


def row(task, count, truth, accident=None):
    """Run a table; return a line of the page."""
    start = time.monotonic()
    dataset = predicted(task.table(count), task, concurrency=ACTORS)
    found = compare(dataset, task, truth, count, accident).check(count)
    facts = found.facts
    what = accident.happened if accident else "nobody"
    assert what, "the accident did not happen"
    return {
        "model": task.name,
        "rows": count,
        "killed": what,
        "wrong": found.wrong,
        "processes": len(np.unique(facts["pid"])),
        "batches": len(facts["pid"]),
        "arrays": int(facts["read"].sum()),
        "in_store": int(facts["in_store"].sum()),
        "copies": int(facts["copies"].sum()),
        "seconds": time.monotonic() - start,
    }


def errors():
    """See that what is wrong in an actor comes to the driver in the words of the model."""
    table = ray.data.from_items([{"id": 0, "x": [1.0, 2.0]}, {"id": 1, "x": [1.0]}])
    with pytest.raises(Exception, match=r"column 'x': expected rows of one shape, got \(1,\) and"):
        predicted(table, MLP, concurrency=1).take_all()


def run(task, count):
    """Return the lines of the page: all rows, then some while a worker and a node are killed."""
    truth = task.truth()
    few = min(count, 40 * task.block)
    rows = []
    with cluster(2, 1, 1) as nodes:
        accidents = (None, count), (Accident(5), few), (Accident(5, nodes[-1]), few)
        for accident, size in accidents:
            rows.append(row(task, size, truth, accident))
            print(rows[-1], flush=True)
        wait_for(lambda: alive() == 2)
        errors()
    return rows
