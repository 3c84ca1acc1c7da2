# SPDX-License-Identifier: Apache-2.0
"""These tests need what `make test-serving` installs; elsewhere there are none."""

import importlib.util

if importlib.util.find_spec("kserve") is None:
    collect_ignore_glob = ["test_*.py"]
