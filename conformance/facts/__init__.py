# SPDX-License-Identifier: Apache-2.0
"""Reading the records."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def _read(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def sample(name):
    """Return the record of one sample program, as the JSON file has it."""
    return _read(name)


def gotvm_tests():
    """Return the record of each test in gotvm's own suite: name, file, result, what it asserts."""
    return _read("tests")["tests"]


@dataclass(frozen=True)
class Fact:
    """One call that was made on gotvm, and what came of it.

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
    was_wrong : bool
        They found it a defect of gotvm.
    varied : tuple of dict
        The outcomes, if repeated runs had different ones.
    """

    id: str
    call: str
    outcome: dict
    note: str
    was_wrong: bool
    varied: tuple

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


@functools.cache
def edges():
    """Return the recorded facts by id, in the order of the file."""
    return {
        entry["id"]: Fact(
            entry["id"],
            entry["call"],
            entry["outcome"],
            entry["note"],
            entry["verdict"] == "improve",
            tuple(varied["outcome"] for varied in entry.get("varies", ())),
        )
        for entry in _read("edges")
    }


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
