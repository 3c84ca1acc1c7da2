# SPDX-License-Identifier: Apache-2.0
"""A random model exported, run in every clone of its kernels, and held beside ONNX Runtime."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from tests.helpers import search_path
from tests.random_models.model import RandomModel
from tvmgo.compiler import export
from tvmgo.compiler.tensor_files import read_tensors, write_tensors

LEVELS = ("v2", "v3", "v4")

# Of the largest result; operators that follow one another add theirs.
TOLERANCE = {"float16": 4e-3, "float32": 3e-5, "float64": 1e-11}
SMALLEST = 1e-6  # differences below do not count: results may all be almost nothing
# How many times farther from the truth than ONNX Runtime's a result may be.
AS_FAR = 4


class Player:
    """A process that runs exported models with kernels of one level; made anew when it has died.

    A library that has no levels runs as it is.
    """

    def __init__(self, level: str) -> None:
        self.level = level
        self.process: subprocess.Popen[str] | None = None

    def play(self, folder: Path) -> list[np.ndarray]:
        """Return the results of the model in a folder.

        Raises
        ------
        AssertionError
            If it failed, or died.
        """
        process = self.process = self.process or self.start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{folder}\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
        if not answer:
            status, self.process = process.wait(), None
            raise AssertionError(f"{self.level}: the process died with status {status}")
        assert answer == "done", f"{self.level}: {answer}"
        results = read_tensors(folder / "outputs.npz")
        return [results[str(i)] for i in range(len(results))]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.random_models.player"],
            env={**os.environ, "PYTHONPATH": search_path(), "TVMGO_CPU_LEVEL": self.level},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        if self.process is not None:
            self.process.communicate()


@contextmanager
def players() -> Iterator[list[Player]]:
    """Yield a player for each level."""
    with ExitStack() as stack:
        made = [Player(level) for level in LEVELS]
        for player in made:
            stack.callback(player.close)
        yield made


def check(model: RandomModel, players: Sequence[Player], target: str | None = None) -> None:
    """Export a model, and compare its results.

    Raises
    ------
    ExportError
        If it is refused.
    AssertionError
        If a result differs, or a kernel touches what it must not.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_files(model, Path(folder), target)
        expected = model.expected()
        for player in players:
            compare(model, player.play(Path(folder)), expected, player.level)


def write_files(model: RandomModel, folder: Path, target: str | None = None) -> None:
    """Write what a player reads."""
    export(model.model(), folder, format="graph", target=target, verify=False)
    write_tensors(folder / "inputs.npz", model.inputs)


def compare(
    model: RandomModel, results: list[np.ndarray], expected: list[np.ndarray], level: str
) -> None:
    """Raise if results are neither ONNX Runtime's nor as near to the truth."""
    truth = None
    for number, (name, result, theirs) in enumerate(
        zip(model.outputs, results, expected, strict=True)
    ):
        where = f"{level}: output {name}"
        assert (result.shape, result.dtype) == (theirs.shape, theirs.dtype), where
        if theirs.dtype.kind != "f":
            wrong = np.count_nonzero(result != theirs)
            assert not wrong, f"{where}: {wrong} of {theirs.size} elements differ"
            continue
        finite = np.isfinite(theirs)
        same = np.array_equal(result[~finite], theirs[~finite], equal_nan=True)
        assert same, f"{where}: other infinities or NaNs"
        if not finite.any():
            continue
        result, theirs = (each.astype("float64")[finite] for each in (result, theirs))
        allowed = TOLERANCE[expected[number].dtype.name] * np.abs(theirs).max() + SMALLEST
        if (off := distance(result, theirs)) > allowed:
            truth = truth or model.truth()
            right = truth[number][finite]
            ours, other = distance(result, right), distance(theirs, right)
            assert ours <= max(allowed, AS_FAR * other), (
                f"{where}: off by {off:.3g} where {allowed:.3g} is allowed; from the truth {ours:.3g}, "
                f"ONNX Runtime {other:.3g}"
            )


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())
