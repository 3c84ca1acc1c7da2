# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.cluster``: a cluster of Ray on this machine, and figures for docs/reports/cluster.md.

Installs Ray, and Spark where there is Java, under ``.cache/cluster`` and exports models there, the first time.
``--only-speed`` and ``--no-speed`` take a part; the others of its options are those of ``tests.cluster.run``.
"""

import subprocess
import sys

from tests.cluster.environment import environment, models
from tests.helpers import CHECKOUT

if __name__ == "__main__":
    models()
    command = [environment(), "-m", "tests.cluster.run", *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=CHECKOUT).returncode)
