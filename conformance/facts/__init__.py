# SPDX-License-Identifier: Apache-2.0
"""Reading the records, and the verdict that is stated beside each."""

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SAMPLES = (
    "simple",
    "complex",
    "pack_func_convert",
    "pack_func_register",
    "pack_func_handle_arg",
    "pack_func_closure_arg",
    "pack_func_closure_return",
)
MATCH, IMPROVED, PYTHON = VERDICTS = ("match", "improved", "python")


@dataclass(frozen=True)
class Fact:
    """One call that was made on gotvm, what came of it, and what is stated about tvmgo.

    Attributes
    ----------
    id : str
        Area, subject and case, separated by dots.
    call : str
        The call as a Go programmer would write it.
    outcome : dict
        ``value`` and ``go_type`` of the result; ``error``, its text; ``panic``; ``signal``;
        ``extra``, more that was seen.
    note : str
        What the people who recorded it had to say.
    varied : tuple of dict
        The outcomes, if repeated runs had different ones.
    stated : dict
        The entry of ``verdicts.json``, which ``README.md`` explains.
    """

    id: str
    call: str
    outcome: dict
    note: str = ""
    varied: tuple = ()
    stated: dict | None = None

    @property
    def area(self):
        """What the id starts with."""
        return self.id.partition(".")[0]

    @property
    def case(self):
        """The id without its area."""
        return self.id.partition(".")[2]

    @property
    def killed(self):
        """Whether gotvm's process died of it, at least once."""
        return any(outcome.get("signal") for outcome in (self.outcome, *self.varied))

    @property
    def verdict(self):
        """``match``, ``improved`` or ``python``."""
        return self.stated["verdict"]

    @property
    def reason(self):
        """Why tvmgo differs: the record's own note if no other reason is stated."""
        return self.stated.get("reason", self.note)


def read(name):
    """Return what a file holds, as JSON has it: of a sample, for example, all that was recorded."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def _result(value):
    return {"value": value, "go_type": None, "error": None}


def _recorded():
    for test in read("tests")["tests"]:  # each passed; there is nothing else to compare
        call = f"go test -run {test['name']}: {test['asserts']}"
        yield Fact(f"tests.{test['name']}", call, _result(None))
    for name in SAMPLES:
        record = read(name)
        lines = record.get("with_model", record)["stdout_lines"]
        yield Fact(f"samples.{name}", f"go run {name}.go", _result(lines))
    for entry in read("edges"):
        varied = tuple(varied["outcome"] for varied in entry.get("varies", ()))
        yield Fact(entry["id"], entry["call"], entry["outcome"], entry["note"], varied)


@functools.cache
def recorded():
    """Return all facts by id: gotvm's own tests, its samples, and the calls of ``edges.json``."""
    verdicts = read("verdicts")
    found = {fact.id: replace(fact, stated=verdicts.pop(fact.id)) for fact in _recorded()}
    if verdicts:
        raise ValueError(f"verdicts.json names facts that are not recorded: {[*verdicts]}")
    return found


def calls():
    """Return the facts of ``edges.json``: all but gotvm's own tests and samples."""
    return [fact for fact in recorded().values() if fact.area not in ("tests", "samples")]


def formula_run():
    """Return how the small classifier answered the formula picture.

    Returns
    -------
    tuple of (numpy.ndarray, list of str)
        The 1001 results as float32, and the remarks that follow them in the file.
    """
    lines = (HERE / "expected_formula_input.txt").read_text(encoding="utf-8").splitlines()
    bits = [int(line, 16) for line in lines if not line.startswith("#")]
    remarks = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    return np.array(bits, np.uint32).view(np.float32), remarks
