# SPDX-License-Identifier: Apache-2.0
"""A pool of processes, each of which loads the model once.

    python examples/process_pool.py DIRECTORY [requests]

DIRECTORY is what `tvmgo.Model.load` takes. Threads of one process are as fast where the model does the work; processes
are for Python code around it that keeps the GIL, such as decoding and tokenising.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import tvmgo

model: tvmgo.Model  # of this process


def begin(given: tvmgo.Model) -> None:
    """Begin a worker's life. Pickled, a model is the paths of its files: this has loaded them."""
    global model
    model = given
    model.warmup()


def answer(seed: int) -> tuple[int, int]:
    """Make an input as slow Python code would, and return who answered and the largest place."""
    numbers = np.random.default_rng(seed)
    inputs = {}
    for info in model.inputs:
        shape = [n if isinstance(n, int) else 1 for n in info.shape or ()]
        inputs[info.name] = numbers.random(shape).astype(str(info.dtype))
    first, *_ = model.run(inputs).values()
    return os.getpid(), int(first.argmax())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("requests", type=int, nargs="?", default=20)
    parser.add_argument("--method", choices=("spawn", "forkserver", "fork"), default="spawn")
    arguments = parser.parse_args()

    # One request at a time on one thread in each of as many processes as there are CPUs.
    given = tvmgo.Model.load(arguments.directory, concurrency=1, threads=1)
    with (
        given,
        ProcessPoolExecutor(
            len(os.sched_getaffinity(0)),
            mp_context=multiprocessing.get_context(arguments.method),
            initializer=begin,
            initargs=(given,),
        ) as pool,
    ):
        answers = list(pool.map(answer, range(arguments.requests), chunksize=4))
    processes = {process for process, _ in answers}
    print(len(answers), "answers of", len(processes), "processes, which are not", os.getpid())
    print("largest places:", [place for _, place in answers])


if __name__ == "__main__":
    main()
