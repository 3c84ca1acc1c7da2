# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``gotvm_test.go``: versions. Also that each of gotvm's tests is here by its name."""

import ast
from pathlib import Path

import pytest

import tvmgo
from conformance import facts, suites

HERE = Path(__file__).parent


def test_tvm_version():
    assert isinstance(tvmgo.runtime_version, str)
    assert tvmgo.runtime_version


def test_dlpack_version():
    # An int in gotvm, 70 for 0.7; DLPack has major and minor now.
    major, _, minor = tvmgo.dlpack_version.partition(".")
    assert major.isdecimal()
    assert minor.isdecimal()


@pytest.mark.parametrize("test", facts.gotvm_tests(), ids=lambda test: test["name"])
def test_test_of_gotvm_is_ported_by_name(test):
    assert test["result"] == "pass"
    tree = ast.parse((HERE / suites.python_file(test["file"])).read_text(encoding="utf-8"))
    assert suites.snake_case(test["name"]) in {
        item.name for item in tree.body if isinstance(item, ast.FunctionDef)
    }
