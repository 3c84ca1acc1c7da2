# SPDX-License-Identifier: Apache-2.0
"""Exports of these tests are not verified unless they ask for it: what they are about is compared
here, with NumPy or ONNX Runtime, and a run beside the original costs a process for each."""

import pytest

from tvmgo.compiler import export


@pytest.fixture(autouse=True)
def no_verification_by_default(monkeypatch):
    monkeypatch.setitem(export.__kwdefaults__, "verify", False)
