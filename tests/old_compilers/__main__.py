# SPDX-License-Identifier: Apache-2.0
"""Builds artifacts by old compilers and compares what tvmgo makes of them with what they made.

    python -m tests.old_compilers [VERSION ...]

Makes an environment for each compiler, the first time; all versions by default.
A version whose Python is not found is passed over, but for 0.19.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.old_compilers.environments import CACHE, COMPILERS, environment

HERE = Path(__file__).parent
BUILT = CACHE / "old-artifacts"


def build(interpreter, folder, shard, shards):
    """Build a part of the cases; the others at the same time."""
    command = [interpreter, HERE / "build.py", folder, str(shard), str(shards)]
    variables = {**os.environ, "TOPHUB_LOCATION": "NONE"}  # no search for tuned schedules
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")


def main(*versions):
    shutil.rmtree(BUILT, ignore_errors=True)
    shards = os.cpu_count() or 1
    with ThreadPoolExecutor(shards) as pool:
        parts = []
        for version in versions or COMPILERS:
            interpreter = environment(version)
            if interpreter is None:
                message = f"TVM {version}: no Python {' or '.join(COMPILERS[version][0])}"
                if version == "0.19":
                    sys.exit(message)
                print(message + "; passed over")
                continue
            for shard in range(shards):
                parts.append(pool.submit(build, interpreter, BUILT / version, shard, shards))
        for part in parts:
            part.result()
    return pytest.main(["-q", str(HERE / "compare.py")])


sys.exit(main(*sys.argv[1:]))
