# SPDX-License-Identifier: Apache-2.0
"""Every test here has compilers of its own: none finds, makes or removes those of the user."""

import pytest

from tvmgo.compiler.environments import lock_files, probe
from tvmgo.compiler.environments.lock_files import environment_name, lock_path


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """The folder of managed environments; none is there."""
    monkeypatch.setenv("TVMGO_COMPILERS", str(tmp_path / "compilers"))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return tmp_path / "compilers"


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """The folder of lock files; empty."""
    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setattr(lock_files, "LOCKS", folder)
    return folder


@pytest.fixture
def make_environment(root, locks):
    """Return a function that makes what looks like a managed environment, and its lock file."""

    def make(kind="relay", tag=None, text="a==1\n"):
        lock = lock_path(kind, tag or probe.python_tag(), probe.platform_name())
        lock.write_text(text)
        python = root / kind / environment_name(lock) / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("")
        return python

    return make
