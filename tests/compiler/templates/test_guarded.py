# SPDX-License-Identifier: Apache-2.0
"""No kernel of a template touches memory outside of its tensors."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiler.templates.kernels import TARGETS

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("target", TARGETS)
def test_kernels_touch_nothing_outside_of_their_tensors(target):
    command = [sys.executable, "-m", "tests.compiler.templates.guarded", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 50
