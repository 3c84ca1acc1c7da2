# SPDX-License-Identifier: Apache-2.0
"""The tests against an installed wheel.

They run in a copy of the checkout in which nothing was compiled: a process that took the sources
there for the package could not import it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from release.command import run


def install(python: Path, wheel: Path, extra: str) -> None:
    """Install a wheel with what its tests need."""
    run(python, "-m", "pip", "install", "--quiet", f"tvmgo[{extra}] @ {wheel.absolute().as_uri()}")


def require_no_apache_tvm(python: Path) -> None:
    """End the program if there is a `tvm` that tvmgo could take its runtime from."""
    code = "import importlib.util; raise SystemExit(importlib.util.find_spec('tvm') is not None)"
    run(python, "-c", code)


def run_tests(python: Path, checkout: Path, *, without: Sequence[str] = ()) -> None:
    """Run the tests of a checkout against the package that is installed for `python`.

    Tests that carry one of the marks in `without` are left out.
    """
    options = ["-q", "-m", " and ".join(f"not {mark}" for mark in without)]
    if "apache_tvm" in without:  # all that the exporter's tests import
        options.append(f"--ignore={checkout / 'tests' / 'compiler'}")
    code = "import tvmgo; print(tvmgo.__file__)"
    package = run(python, "-I", "-c", code).strip()
    print(f"== the tests against {package}", flush=True)
    done = subprocess.run(
        [python.parent / "pytest", *options, checkout / "tests", checkout / "conformance"],
        cwd=checkout.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(checkout / "examples"),
            # The checkout after everything that is installed; for pytest in other processes, too.
            "PYTEST_ADDOPTS": "--import-mode=append -o pythonpath=",
        },
    )
    if done.returncode != 0:
        raise SystemExit(done.returncode)
