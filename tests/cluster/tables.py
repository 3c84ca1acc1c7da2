# SPDX-License-Identifier: Apache-2.0
"""Tables whose answers a model of this process gives, and predictors that tell what happened to each batch.

A table's rows are drawn from a pool of some hundred, in an order in which neighbours differ: the model answers the pool
here, once, and every answer of a cluster is compared with one of these, bit by bit.
"""

import os
import re
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pyarrow as pa
import ray

import tvmgo
from tvmgo.batch import ray_data

MODELS = Path(__file__).parents[2] / ".cache" / "cluster" / "models"
PRIME = 7919


class Task(NamedTuple):
    """A model, and the rows that it is given."""

    name: str
    input: str
    shape: tuple[int, ...]
    pool: int  # different rows
    block: int  # rows of a block

    @property
    def path(self):
        return str(MODELS / f"{self.name}.tvmgo")

    @property
    def onnx(self):
        return str(MODELS / f"{self.name}.onnx")

    def rows(self):
        """Return the pool."""
        return np.random.default_rng(0).random((self.pool, *self.shape), "float32")

    def truth(self):
        """Return the answers of a model of this process for the pool."""
        with tvmgo.Model.load(self.path, concurrency=1, threads=1) as model:
            if model.rows_independent:
                return model(self.rows())
            return np.concatenate([model(row[None]) for row in self.rows()])

    def table(self, count):
        """Return a dataset of so many rows: a number, and what the model is given."""
        numbers = ray.data.range(count, override_num_blocks=max(4, count // self.block))
        # Not in the predictor's actors: what they are given comes out of the object store.
        return numbers.map_batches(partial(fill, self), batch_size=None, num_cpus=0.5)


MLP = Task("mlp", "x", (784,), 4096, 8 * 2656)
MOBILENET = Task("mobilenet", "input", (224, 224, 3), 64, 52)
_pools = {}


def fill(task, batch):
    if task not in _pools:
        _pools[task] = task.rows()
    return {"id": batch["id"], task.input: _pools[task][place(task, batch["id"])]}


def place(task, number):
    """Return which row of the pool has a number."""
    return number * PRIME % task.pool


class Observed(ray_data.RayPredictor):
    """Adds to the first row of each batch what happened to it; the other rows have zeros."""

    kind = "tvmgo"

    def __init__(self, *arguments, **options):
        start = time.monotonic()
        super().__init__(*arguments, **options)
        self.load_seconds = time.monotonic() - start
        self.read = self.in_store = 0

    def __call__(self, batch):
        self.read = self.in_store = 0
        copies, cpu, start = self.copies, time.thread_time(), time.monotonic()
        self.ranges = store_ranges()
        table = super().__call__(batch)
        facts = {
            "pid": os.getpid(),
            "cpu": time.thread_time() - cpu,
            "start": start,
            "end": time.monotonic(),
            "copies": self.copies - copies,
            "read": self.read,
            "in_store": self.in_store,
            "load": self.load_seconds,
        }
        for name, value in facts.items():
            column = np.zeros(batch.num_rows)
            column[0] = value
            table = table.append_column(f"_{name}", pa.array(column))
        return table

    def _part(self, inputs, rows):
        for array in inputs.values():
            address = array[rows].ctypes.data
            self.read += 1
            self.in_store += any(first <= address < last for first, last in self.ranges)
        return self.answers(inputs, rows)

    def answers(self, inputs, rows):
        return super()._part(inputs, rows)


class Rival(Observed):
    """The same actor with ONNX Runtime in the model's place."""

    kind = "ONNX Runtime"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.model.threads
        settings.inter_op_num_threads = 1
        start = time.monotonic()
        path = dict(self.arguments["model"].arguments)["path"].replace(".tvmgo", ".onnx")
        self._session = onnxruntime.InferenceSession(path, settings, ["CPUExecutionProvider"])
        self.load_seconds = time.monotonic() - start
        self._names = [each.name for each in self._session.get_outputs()]

    def answers(self, inputs, rows):
        part = {name: array[rows] for name, array in inputs.items()}
        return dict(zip(self._names, self._session.run(self._names, part)))


def store_ranges():
    """Return where the object store's memory is in this process."""
    maps = Path("/proc/self/maps").read_text()
    found = re.findall(r"^(\w+)-(\w+) .*plasma.*$", maps, re.MULTILINE)
    return [(int(first, 16), int(last, 16)) for first, last in found]


def predicted(dataset, task, kind=Observed, **options):
    """Return a dataset with a model's answers, by a class of actors."""
    usual, ray_data.RayPredictor = ray_data.RayPredictor, kind
    try:
        return ray_data.predict(dataset, task.path, keep=["id"], **options)
    finally:
        ray_data.RayPredictor = usual


class Found(NamedTuple):
    """What came of a table."""

    rows: int
    wrong: int
    twice: int  # rows that came too often
    facts: dict[str, np.ndarray]  # of each batch

    def check(self, count):
        assert (self.rows, self.wrong, self.twice) == (count, 0, 0), self[:3]
        return self


def compare(dataset, task, truth, count, meanwhile=None, times=1):
    """Hold each answer of a dataset beside the truth, as it comes; `meanwhile` sees each block.

    The dataset has each row so many times.
    """
    seen, wrong, facts = np.zeros(count, int), 0, []
    output = None
    for block in dataset.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
        output = output or next(name for name in block if name[0] != "_" and name != "id")
        seen[block["id"]] += 1
        expected = truth[place(task, block["id"])]
        wrong += int((block[output] != expected).reshape(len(expected), -1).any(axis=1).sum())
        real = block["_pid"] > 0
        facts.append({name[1:]: each[real] for name, each in block.items() if name[0] == "_"})
        if meanwhile is not None:
            meanwhile(facts[-1])
    together = {name: np.concatenate([each[name] for each in facts]) for name in facts[0]}
    return Found(int((seen >= times).sum()), wrong, int((seen > times).sum()), together)
