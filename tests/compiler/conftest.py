# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests of the exporter."""

import zlib

import numpy as np
import pytest

from tests.compiler import models
from tests.compiler.templates import kernels
from tvmgo.compiler import export


@pytest.fixture(autouse=True)
def no_verification_by_default(monkeypatch):
    """What tests are about is compared there, with NumPy or ONNX Runtime; a run beside the original costs a process."""
    monkeypatch.setitem(export.__kwdefaults__, "verify", False)


@pytest.fixture(autouse=True)
def numbers_of_its_own(request):
    """Have random numbers depend on the test alone, not on those before it: several processes share these."""
    seed = zlib.crc32(request.node.name.encode())
    models.RANDOM.seed(seed)
    kernels.RANDOM.bit_generator.state = np.random.PCG64(seed).state
