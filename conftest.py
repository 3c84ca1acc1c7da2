# SPDX-License-Identifier: Apache-2.0
"""What all tests share: a collector of garbage that looks at what they made and nothing else."""

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def only_new_objects_are_collected():
    """Keep what was made so far out of collections.

    Most of it are the compilers and frameworks that some tests import: with them, looking for what
    a test has left behind takes longer than the test.
    """
    gc.collect()
    gc.freeze()
