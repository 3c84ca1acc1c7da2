# SPDX-License-Identifier: Apache-2.0
"""The steps from exported files to a verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.artifacts import Artifacts
from tvmgo.compiler.tensor_files import read_tensors
from tvmgo.compiler.verify.comparison import Difference, compare, distances
from tvmgo.exceptions import ExportError, TVMError

Tensors = Mapping[str, np.ndarray]

# Seconds that exported files have to load and run, and how much longer than the original they may
# take.
ALLOWANCE, SLOWER = 300.0, 200.0

NOT_VERIFIED = "not verified"

ACCEPT = "take another compiler, or accept it by verify=False; please report it as well"
COMPARE = (
    "take another compiler; or hold it beside what trained the model and, if that agrees, accept it "
    "by verify=False; please report it as well"
)


@dataclass
class Verifier:
    """Holds what compilers make of one model beside the original.

    Parameters
    ----------
    ask : callable
        Gives a question to the worker that knows what the original computes
        (`tvmgo.compiler.simplify.truth.job`), and returns the answer.
    run : callable
        Gives a job to a process that runs exported files (`tvmgo.compiler.verify.job`), for which
        it has so many seconds.
    model, simple : str
        The file of the original, and that of its normal form.
    shapes : mapping of str to sequence of int
        Shapes of inputs that the model leaves open.
    given : str or None
        A file of inputs to run on; what it lacks is made up.
    directory : pathlib.Path
        For inputs and results.
    for_this_machine : bool
        Whether this machine must be able to run the files: no other target was asked for.
    """

    ask: Callable[[dict[str, Any]], dict[str, Any]]
    run: Callable[[dict[str, Any], float], dict[str, Any]]
    model: str
    simple: str
    shapes: Mapping[str, Sequence[int]]
    given: str | None
    directory: Path
    for_this_machine: bool
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def check(self, files: Artifacts) -> str:
        """Return what the files agree with, or ``not verified`` and why.

        The original runs once, however many compilers are tried.

        Raises
        ------
        ExportError
            If the files compute something else, crash or hang.
        TVMTypeError, TVMValueError
            If the given inputs are not the model's.
        """
        foreign = foreign_processor(files.library)
        if foreign:
            return f"{NOT_VERIFIED}: {foreign}"
        truth = self._answer(
            "results", simple=self.simple, shapes=dict(self.shapes), given=self.given
        )
        if "unknown" in truth:
            return f"{NOT_VERIFIED}: {truth['unknown']}"
        try:
            expected = read_tensors(truth["outputs"])
        except ModuleNotFoundError as error:
            return f"{NOT_VERIFIED}: {error} in this Python, which an element type needs"
        runs = self._run(files, truth)
        if isinstance(runs, str):
            return f"{NOT_VERIFIED}: this machine cannot load the library: {runs}"
        verdicts = {
            level: self._verdict(got, expected, truth, level) for level, got in runs.items()
        }
        return next(iter(verdicts.values()))

    def _verdict(
        self, got: Sequence[np.ndarray], expected: Tensors, truth: Mapping[str, Any], level: str
    ) -> str:
        check_types(got, expected)
        errors, wrong = differences(got, expected, truth["quantised"])
        verdict = f"agrees with {truth['truth']}"
        if wrong:
            # Changed runs are of the ONNX file, which a framework's model may differ from.
            unchanged = read_tensors(truth.get("unchanged", truth["outputs"]))
            spreads = self._spreads(truth["inputs"], unchanged)
            errors, left = differences(got, expected, truth["quantised"], spreads)
            if left:
                return self._second_opinion(got, left, truth, spreads, level)
            verdict += f" as far as rounding lets the model: {', '.join(map(repr, wrong))}"
        largest = max(errors.values(), default=0.0)
        return f"{verdict}; the largest error is {largest:.2g} of the tolerance"

    def _answer(self, question: str, **details: Any) -> dict[str, Any]:
        """Ask once; a worker that fails knows nothing, which is no fault of the exported files."""
        if question not in self._answers:
            job = {"question": question, "model": self.model, "directory": str(self.directory)}
            try:
                self._answers[question] = self.ask({**job, **details})
            except ExportError as error:
                self._answers[question] = {"unknown": f"{error.where}: {error.reason}"}
        return self._answers[question]

    def _run(self, files: Artifacts, truth: Mapping[str, Any]) -> dict[str, list[np.ndarray]] | str:
        """Return the results by level, or why the library cannot be loaded if it may be for others."""
        job = {
            "library": str(files.library),
            "graph": files.graph and str(files.graph),
            "params": files.params and str(files.params),
            "inputs": truth["inputs"],
            "directory": str(self.directory),
        }
        try:
            answer = self.run(job, ALLOWANCE + SLOWER * truth["seconds"])
        except TVMError as error:
            reason = getattr(error, "reason", str(error).rstrip("."))
            raise ExportError("running the exported model", reason, ACCEPT) from error
        if "unloadable" in answer:
            if self.for_this_machine:
                raise ExportError("loading the exported model", answer["unloadable"], ACCEPT)
            return str(answer["unloadable"])
        return {level: list(read_tensors(path).values()) for level, path in answer["runs"].items()}

    def _spreads(self, inputs: str, unchanged: Tensors) -> list[Tensors]:
        """Return for each changed run how far its outputs lie from those without changes."""
        runs = [
            read_tensors(path) for path in self._answer("spread", inputs=inputs).get("runs", ())
        ]
        return [
            {name: distances(run[name], value) for name, value in unchanged.items()} for run in runs
        ]

    def _second_opinion(
        self,
        got: Sequence[np.ndarray],
        wrong: Mapping[str, Difference],
        truth: Mapping[str, Any],
        spreads: Sequence[Tensors],
        level: str,
    ) -> str:
        """Accept what ONNX's own definitions confirm: ONNX Runtime has faults as well. For a framework's
        model they settle nothing; who answers says whose fault it is.

        Raises
        ------
        ExportError
            If they do not.
        """
        second = self._answer("second", inputs=truth["inputs"])
        if "outputs" in second:
            expected = read_tensors(second["outputs"])
            if (
                same_types(got, expected)
                and not differences(got, expected, truth["quantised"], spreads)[1]
            ):
                return f"agrees with {second['truth']}, not with {truth['truth']}"
            other, instead = "", ACCEPT
            if second["truth"] != truth["truth"]:
                other = f"; nor does it agree with {second['truth']}"
        elif "blame" in second:
            other, instead = f"; {second['blame']}", COMPARE
        else:
            other = f"; ONNX's own definitions cannot tell who is right ({second['unknown']})"
            instead = COMPARE
        name, difference = next(iter(wrong.items()))
        place = list(difference.place) or "the scalar"
        raise ExportError(
            f"output `{name}` at {place}",
            f"the exported model{of_level(level)} and {truth['truth']} compute different results: "
            f"{difference}{other}",
            instead,
        )


def of_level(level: str) -> str:
    return f" for x86-64-{level}" if level.startswith("v") else ""


def differences(
    got: Sequence[np.ndarray],
    expected: Tensors,
    quantised: bool,
    spreads: Sequence[Tensors] = (),
) -> tuple[dict[str, float], dict[str, Difference]]:
    """Return the largest error of each output, and what is wrong with those that are wrong."""
    errors, wrong = {}, {}
    for result, (name, value) in zip(got, expected.items()):
        near = [spread[name] for spread in spreads]
        errors[name], difference = compare(result, value, near, quantised=quantised)
        if difference is not None:
            wrong[name] = difference
    return errors, wrong


def same_types(got: Sequence[np.ndarray], expected: Tensors) -> bool:
    return [(each.dtype, each.shape) for each in got] == [
        (each.dtype, each.shape) for each in expected.values()
    ]


def check_types(got: Sequence[np.ndarray], expected: Tensors) -> None:
    if len(got) != len(expected):
        reason = f"it has {len(got)} outputs, the original {len(expected)}"
        raise ExportError("the exported model", reason, ACCEPT)
    for result, (name, value) in zip(got, expected.items()):
        if (result.dtype, result.shape) != (value.dtype, value.shape):
            raise ExportError(
                f"output `{name}`",
                f"expected {value.dtype} of shape {value.shape}, as the original gives, got "
                f"{result.dtype} of shape {result.shape}",
                ACCEPT,
            )


def foreign_processor(library: Path) -> str | None:
    """Return why this machine cannot run a library at all, None if it may."""
    theirs, ours = elf_machine(library), elf_machine(Path(sys.executable))
    if None in (theirs, ours) or theirs == ours:
        return None
    return "the library is for another processor"


def elf_machine(path: Path) -> tuple[bytes, bytes] | None:
    """Return word size and byte order, and the number of the machine; None for other files."""
    with path.open("rb") as file:
        header = file.read(20)
    return (header[4:6], header[18:20]) if header.startswith(b"\x7fELF") else None
