# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``error_test.go``."""

import pytest

import tvmgo


def test_error_test():
    # gotvm's text had the system's "cannot open shared object"; the class says it here.
    with pytest.raises(FileNotFoundError, match="dummy.so") as failure:
        tvmgo.load_module("dummy.so")
    assert isinstance(failure.value, tvmgo.TVMError)
