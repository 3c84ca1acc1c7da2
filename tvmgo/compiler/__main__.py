# SPDX-License-Identifier: Apache-2.0
"""``python -m tvmgo.compiler``: the same as ``tvmgo compiler``."""

import sys

from tvmgo.cli import main

if __name__ == "__main__":
    sys.exit(main(["compiler", *sys.argv[1:]]))
