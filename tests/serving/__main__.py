# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.serving``: a real server, asked by real clients; then figures for docs/.

Installs KServe and clients under ``.cache/serving`` and exports models there, the first time. ``--no-load``
leaves out the figures, ``--only-load`` the tests; what else is given goes to ``tests.serving.load``.
"""

import argparse
import subprocess

from tests.helpers import CHECKOUT
from tests.serving.environment import environment, models


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--only-load", action="store_true")
    arguments, others = parser.parse_known_args()
    models()
    python = environment()
    if not arguments.only_load:
        for folder in ("live", "embedded"):
            tests = [python, "-m", "pytest", "-q", f"tests/serving/{folder}"]
            subprocess.run(tests, cwd=CHECKOUT, check=True)
    if not arguments.no_load:
        subprocess.run([python, "-m", "tests.serving.load", *others], cwd=CHECKOUT, check=True)


if __name__ == "__main__":
    main()
