# SPDX-License-Identifier: Apache-2.0
"""Fresh interpreters: how long one lives and how much memory it has to itself."""

import subprocess
import sys

_REPORT = """
with open("/proc/self/smaps_rollup") as file:
    print(sum(int(line.split()[1]) for line in file if line.startswith("Private_")))
"""


def start(code: str) -> None:
    """Run `code` in a fresh interpreter, from its start to its end."""
    subprocess.run([sys.executable, "-c", code], check=True)


def private_kib(code: str) -> int:
    """Return the KiB of memory an interpreter shares with nobody after it has run `code`."""
    done = subprocess.run(
        [sys.executable, "-c", code + _REPORT], check=True, capture_output=True, text=True
    )
    return int(done.stdout)
