# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.serving``: a real server, asked by real clients; then figures for docs/.

Installs KServe and clients under ``.cache/serving`` and exports models there, the first time. ``--no-load``
leaves out the figures, ``--only-load`` the tests, ``--only-clients`` all but those of clients that get answers or
errors; what else is given goes to ``tests.serving.load``.
"""

import argparse
import subprocess

from tests.helpers import CHECKOUT
from tests.serving.environment import environment, models


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--only-load", action="store_true")
    parser.add_argument("--only-clients", action="store_true")
    arguments, others = parser.parse_known_args()
    models()
    python = environment()
    if not arguments.only_load:
        for tests in ("live/test_clients.py" if arguments.only_clients else "live", "embedded"):
            command = [python, "-m", "pytest", "-q", f"tests/serving/{tests}"]
            subprocess.run(command, cwd=CHECKOUT, check=True)
    if not (arguments.no_load or arguments.only_clients):
        subprocess.run([python, "-m", "tests.serving.load", *others], cwd=CHECKOUT, check=True)


if __name__ == "__main__":
    main()
