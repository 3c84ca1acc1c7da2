# SPDX-License-Identifier: Apache-2.0
"""Exports of these tests are not verified unless they ask for it: what they are about is compared
here, with NumPy or ONNX Runtime, and a run beside the original costs a process for each."""

import zlib

import numpy as np
import pytest

from tests.compiler import models
from tests.compiler.templates import kernels
from tvmgo.compiler import export


@pytest.fixture(autouse=True)
def no_verification_by_default(monkeypatch):
    monkeypatch.setitem(export.__kwdefaults__, "verify", False)


@pytest.fixture(autouse=True)
def numbers_of_its_own(request):
    """Have random numbers depend on the test alone, not on those before it: several processes share these."""
    seed = zlib.crc32(request.node.name.encode())
    models.RANDOM.seed(seed)
    kernels.RANDOM.bit_generator.state = np.random.PCG64(seed).state
