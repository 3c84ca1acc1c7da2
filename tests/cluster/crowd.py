# SPDX-License-Identifier: Apache-2.0
"""Twenty actors with thirty models each: how many threads work, and how much memory they take together."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import ray

import tvmgo
from tests.cluster.environment import CROWD
from tests.cluster.nodes import cluster
from tests.cluster.tables import MOBILENET, MODELS

ACTORS = 20


@ray.remote(num_cpus=0.1)
class Holder:
    """An actor with as many models as asked for, by the same class as `predict`'s."""

    def __init__(self):
        self.predictors = []

    def load(self, paths):
        from tvmgo.batch import Predictor

        before = threads()
        start = time.monotonic()
        self.predictors = [Predictor(path) for path in paths]
        self.answer(np.zeros((1, *MOBILENET.shape), "float32"))
        return before, threads(), time.monotonic() - start

    def answer(self, x):
        return [each({"input": x})["probabilities"] for each in self.predictors]

    def memory(self):
        return os.getpid(), memory()


def threads():
    return len(list(Path("/proc/self/task").iterdir()))


def memory():
    """Return MB of this process: resident, its share of what several have, and what is its own."""
    text = Path("/proc/self/smaps_rollup").read_text()
    kb = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]}
    private = int(kb["Private_Clean"]) + int(kb["Private_Dirty"])
    return [n * 1024 / 1e6 for n in (int(kb["Rss"]), int(kb["Pss"]), private)]


def running(pids, seconds):
    """Return how many threads of these processes are on a CPU or wait for one: the most, looked at again and again."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        count = 0
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                try:
                    count += task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "R"
                except OSError:
                    continue
        most = max(most, count)
        time.sleep(0.005)
    return most


def run():
    """Return the figures."""
    paths = [str(MODELS / f"crowd{number}.tvmgo") for number in range(CROWD)]
    x = MOBILENET.rows()[:1]
    with tvmgo.Model.load(MOBILENET.path, concurrency=1, threads=1) as model:
        truth, parameters = model(x), model.memory()["parameters"]
    with cluster(1, 1):
        holders = [Holder.remote() for _ in range(ACTORS)]
        empty = ray.get([each.memory.remote() for each in holders])
        loaded = ray.get([each.load.remote(paths) for each in holders])
        reference = ray.put(x)
        pending = [each.answer.remote(reference) for each in holders]
        most = []
        watch = threading.Thread(target=lambda: most.append(running([pid for pid, _ in empty], 5)))
        watch.start()
        for answers in ray.get(pending):
            assert all((each == truth).all() for each in answers)
        watch.join()
        full = ray.get([each.memory.remote() for each in holders])
    total = [sum(figure[place] for _, figure in full) for place in range(3)]
    before = [sum(figure[place] for _, figure in empty) for place in range(3)]
    return {
        "models": CROWD,
        "actors": ACTORS,
        "parameters_mb": parameters / 1e6,
        "threads_before": max(each[0] for each in loaded),
        "threads_more": max(each[1] - each[0] for each in loaded),
        "running": most[0],
        "rss_mb": total[0],
        "pss_mb": total[1],
        "own_mb": total[2],
        "empty_rss_mb": before[0],
        "empty_pss_mb": before[1],
        "empty_own_mb": before[2],
        "load_seconds": float(np.median([each[2] for each in loaded])),
    }
