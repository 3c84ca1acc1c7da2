# SPDX-License-Identifier: Apache-2.0
"""One run of a model on arrays in files."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.model.files.model_files import Pathlike
from tvmgo.model.model import Model, checked_outputs
from tvmgo.model.trials.samples import RANDOM, complete, read_inputs


def run_once(
    path: Pathlike,
    inputs: Mapping[str, str],
    folders: Sequence[Pathlike] = (),
    files: Mapping[str, Pathlike] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Run a model once, and tell what came out as a document for JSON.

    Parameters
    ----------
    path : path-like
        The model.
    inputs : mapping of str to str
        A ``.npy`` file for each input, or "random", as are those that are not named.
    folders : sequence of path-like
        Where all outputs are written, as ``NAME.npy``.
    files : mapping of str to path-like
        Where one output is written.
    seed : int, default 0
        Of what is random.

    Raises
    ------
    TVMError
        If a file is missing or no ``.npy`` file, there is no such input or output, or the model
        refuses a value.
    OSError
        If an output cannot be written.
    """
    files = files or {}
    values = read_inputs(inputs)
    with Model.load(path, concurrency=1) as model:
        checked_outputs(files, [info.name for info in model.outputs])
        feed = complete(model, values, seed)
        start = time.perf_counter()
        results = model.run(feed)
        seconds = time.perf_counter() - start
    written: dict[str, list[str]] = {name: [] for name in results}
    for name, result in results.items():
        targets = [Path(folder, f"{file_name(name)}.npy") for folder in folders]
        targets += [Path(files[name])] if name in files else []
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:  # np.save would append .npy to another ending
                np.save(file, np.asarray(result))
            written[name].append(str(target))
    return {
        "inputs": [
            {"name": name, **facts(value), "from": inputs.get(name, RANDOM)}
            for name, value in feed.items()
        ],
        "outputs": [
            {"name": name, **facts(result), **summary(result), "file": ", ".join(written[name])}
            for name, result in results.items()
        ],
        "seconds": seconds,
    }


def file_name(name: str) -> str:
    """Return a name without folders for an output, which may be called anything."""
    return re.sub(r"[^\w.+-]", "_", name)


def facts(value: Any) -> dict[str, Any]:
    return {"dtype": str(value.dtype), "shape": list(value.shape)}


def summary(value: Any) -> dict[str, Any]:
    """Return least, largest and mean of what is finite, and how many elements are not."""
    numbers = np.asarray(value).astype("float64")
    finite = numbers[np.isfinite(numbers)]
    found = [finite.min(), finite.max(), finite.mean()] if finite.size else [math.nan] * 3
    least, largest, mean = (float(number) if finite.size else None for number in found)
    return {
        "min": least,
        "max": largest,
        "mean": mean,
        "not_finite": int(numbers.size - finite.size),
    }
