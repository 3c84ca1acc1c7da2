# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the binding's core."""

import pytest

import tvmgo
from tests.core.conversion import identity, identity_of_values
from tests.core.hostile import SETUP
from tests.helpers import ForkServer


@pytest.fixture(params=["kernel", "callback", "callback below", "callback with values", "value"])
def through(request, kernels):
    """Every way a value can take through the runtime and back."""
    return {
        "kernel": lambda x: kernels["echo"](x),
        "callback": identity,
        # A callback called by Python may be called directly; from below it never is.
        "callback below": lambda x: kernels["forward"](identity, x),
        "callback with values": identity_of_values,
        "value": lambda x: tvmgo.Value(x).to_python(),
    }[request.param]


@pytest.fixture(scope="module")
def survive(kernels_path, tmp_path_factory):
    """Return a function that runs a script and fails if it crashes or an assertion in it fails."""
    server = ForkServer(SETUP.format(path=str(kernels_path)), tmp_path_factory.mktemp("hostile"))

    def run(script):
        code, output = server.run(script + "\nprint('alive')")
        assert (code, output[-6:]) == (0, "alive\n"), output

    yield run
    server.close()
