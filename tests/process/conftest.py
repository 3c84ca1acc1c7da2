# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests in processes of their own."""

import importlib.util
from pathlib import Path

import pytest

from tests.helpers import PACKAGE


def package_of(name):
    return Path(importlib.util.find_spec(name).origin).parent


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A directory of packages like an environment without apache-tvm: tvm_ffi, NumPy and tvmgo."""
    directory = tmp_path_factory.mktemp("bare")
    numpy = package_of("numpy")
    for package in (package_of("tvm_ffi"), numpy, numpy.parent / "numpy.libs", PACKAGE):
        if package.exists():
            (directory / package.name).symlink_to(package)
    return directory
