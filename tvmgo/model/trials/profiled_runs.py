# SPDX-License-Identifier: Apache-2.0
"""A profile of some runs of a model, as the command makes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tvmgo.exceptions import TVMValueError
from tvmgo.model.files.model_files import Pathlike
from tvmgo.model.model import Model
from tvmgo.model.profiling.profile import Profile
from tvmgo.model.trials.samples import complete, read_inputs

SECONDS = 2.0  # of runs, if nobody says how many
MOST_RUNS = 1000


def profile_runs(
    path: Pathlike,
    inputs: Mapping[str, str] | None = None,
    *,
    runs: int | None = None,
    threads: int = 1,
    seed: int = 0,
    trace: Pathlike | None = None,
    dot: Pathlike | None = None,
) -> Profile:
    """Run a model some times on the same inputs, and tell how long its operators took.

    Parameters
    ----------
    path : path-like
        The model.
    inputs : mapping of str to str, optional
        A ``.npy`` file for inputs; others are made up.
    runs : int, optional
        How many; by default as many as take two seconds, at most 1,000. One before them is not
        counted.
    threads : int, default 1
        For the kernels of a run.
    seed : int, default 0
        Of what is made up.
    trace, dot : path-like, optional
        Where a Chrome trace, and the graph for Graphviz, are written.

    Raises
    ------
    TVMError
        If a file is missing or no ``.npy`` file, there is no such input, or the model refuses a
        value; NotImplementedError if `dot` is given and the model has no graph.
    OSError
        If a file cannot be written.
    """
    if runs is not None and runs < 1:
        raise TVMValueError(f"runs: expected 1 or more, got {runs}")
    values = read_inputs(inputs or {})
    with Model.load(path, concurrency=1, threads=threads) as model:
        if dot is not None:
            model.dot()  # before anything is run: it may have none
        feed = complete(model, values, seed)
        start = time.perf_counter()
        model.run(feed)
        spent = max(time.perf_counter() - start, 1e-9)
        count = runs or max(1, min(MOST_RUNS, int(SECONDS / spent)))
        with model.profile() as profile:
            for _ in range(count):
                model.run(feed)
        if trace is not None:
            profile.write_trace(trace)
        if dot is not None:
            Path(dot).write_text(model.dot(), encoding="utf-8")
    return profile
