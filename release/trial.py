# SPDX-License-Identifier: Apache-2.0
"""``python -m release.trial [PYTHON]``: the package as somebody else builds it.

A Python's wheel is built from the source distribution by the compilers that CC and CXX name, and
the quick tests run against it, installed in an environment without apache-tvm.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from release import suite
from release.command import run
from release.source import build_sdist, build_wheel, copy_checkout


def main(python: str = sys.executable) -> None:
    with tempfile.TemporaryDirectory(prefix="tvmgo-trial-") as folder:
        work = Path(folder)
        checkout = copy_checkout(work / "checkout")
        run(python, "-m", "venv", work / "environment")
        installed = work / "environment" / "bin" / "python"
        wheel = build_wheel(installed, build_sdist(checkout, work / "dist"), work / "dist")
        suite.install(installed, wheel, "test-runtime")
        suite.require_no_apache_tvm(installed)
        suite.run_tests(installed, checkout, without=["apache_tvm", "slow"])


if __name__ == "__main__":
    main(*sys.argv[1:])
