# SPDX-License-Identifier: Apache-2.0
"""These tests need what `make test-serving` installs; elsewhere there are none."""

import importlib.util

import pytest

from tests.serving.server import serving

if importlib.util.find_spec("kserve") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server of one process, which whatever a test sends must not harm."""
    options = ("--max-mb", "1", "--timeout", "2")
    with serving(
        tmp_path_factory.mktemp("server"), "exact", "types", "slow", options=options
    ) as server:
        yield server
        assert server.process.poll() is None
        # What clients do wrong is no trouble of the server's; bytes that are no message are one to gRPC itself.
        errors = [each for each in server.logged() if each["level"] == "ERROR"]
        assert [each for each in errors if not each["logger"].startswith("grpc.")] == []
