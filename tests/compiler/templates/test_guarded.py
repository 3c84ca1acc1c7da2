# SPDX-License-Identifier: Apache-2.0
"""No kernel of a template touches memory outside of its tensors."""

import pytest

from tests.compiler.templates.kernels import TARGETS
from tests.helpers import run_module

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


@pytest.mark.parametrize("target", TARGETS)
def test_kernels_touch_nothing_outside_of_their_tensors(target):
    done = run_module("tests.compiler.templates.guarded", target)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 50
