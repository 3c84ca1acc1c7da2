# SPDX-License-Identifier: Apache-2.0
"""The second half of the article's script, on files that are there; `tests.article` does both halves."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.graphs import op, var
from tests.helpers import search_path

SCRIPT = Path(__file__).parents[2] / "examples" / "article" / "deploy.py"


@pytest.mark.parametrize("difference", [0, 1])
def test_what_differs_from_the_framework_fails(difference, write):
    nodes = [
        var("input", (1, 4)),
        var("k", (1, 4)),
        op("myadd", ["input", "k"], (1, 4), name="y", prefix=""),
    ]
    folder = write(nodes, ["y"], {"k": np.array([[0, 0, 5, 0]], "float32")})
    output = np.array([[1, 2, 8, 4 + difference]], "float32")
    np.savez(folder / "answer.npz", input=np.array([[1, 2, 3, 4]], "float32"), output=output)
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, folder],
        capture_output=True,
        text=True,
        timeout=100,
        env={"PYTHONPATH": search_path()},
    )
    assert done.stdout.startswith("top five classes: 2 (8.000000) 3 (4.000000) 1 (2.000000)")
    assert (done.returncode, done.stderr) == (
        (1, "the results differ from the framework's\n") if difference else (0, "")
    )
