# SPDX-License-Identifier: Apache-2.0
"""Running other programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Run a program and return what it printed; end this one, with that, if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        # Tools that were installed with this Python lie beside it.
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\n{' '.join(map(str, command))} failed")
    return done.stdout
