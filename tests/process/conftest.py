# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests in processes of their own."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from tests.helpers import PACKAGE
from tests.process.environments import REAL, link_without_runtime


def package_of(name):
    return Path(importlib.util.find_spec(name).origin).parent


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A directory of packages like an environment without apache-tvm: tvm_ffi, NumPy and tvmgo."""
    directory = tmp_path_factory.mktemp("bare")
    numpy = package_of("numpy")
    for package in (package_of("tvm_ffi"), numpy, numpy.parent / "numpy.libs"):
        if package.exists():
            (directory / package.name).symlink_to(package)
    link_without_runtime(PACKAGE, directory / PACKAGE.name)
    return directory


@pytest.fixture(scope="module")
def like_a_wheel(tmp_path_factory):
    """A directory with tvmgo as a wheel brings it: with copies of the runtime's libraries."""
    directory = tmp_path_factory.mktemp("wheel")
    link_without_runtime(PACKAGE, directory / PACKAGE.name)
    libraries = directory / PACKAGE.name / "_native" / "lib"
    libraries.mkdir()
    for name in (REAL.name, REAL.name.replace("runtime", "runtime_extra")):
        shutil.copy(REAL.with_name(name), libraries)
    return directory
