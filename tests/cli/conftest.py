# SPDX-License-Identifier: Apache-2.0
"""The command, called as a function."""

import json
from dataclasses import dataclass

import pytest

from tests.model.conftest import operators, two_inputs, write, write_one  # noqa: F401, fixtures
from tvmgo.cli import main


@dataclass
class Said:
    """What a call of the command returned and printed."""

    status: int
    out: str
    err: str

    @property
    def document(self):
        assert (self.status, self.err) == (0, "")
        return json.loads(self.out)


@pytest.fixture
def tvmgo_says(capsys):
    """Return a function that calls the command."""

    def call(*words):
        status = main([str(word) for word in words])
        return Said(status, *capsys.readouterr())

    return call
