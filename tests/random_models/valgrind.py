# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.random_models.valgrind``: kernels of random models under Valgrind's memory checker.

It sees every read of what was never written. The kernels are those of x86-64-v2 and v3; Valgrind knows no
AVX-512.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.classic.valgrind import watch
from tests.random_models.checking import write_files
from tests.random_models.model import RandomModel


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.random_models.valgrind", description=__doc__
    )
    parser.add_argument("--count", type=int, default=20, help="models (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first model's number")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folders = []
        for seed in range(options.first, options.first + options.count):
            folders.append(Path(folder, str(seed)))
            write_files(RandomModel(seed), folders[-1])
        for level in ("v2", "v3"):
            os.environ["TVMGO_CPU_LEVEL"] = level
            command = ("-m", "tests.random_models.player", *map(str, folders))
            code, errors = watch(Path(folder), *command)
            for report in Path(folder).glob("report.*"):
                report.unlink()
            print(*(f"{kind}: {text}" for kind, text in errors), sep="\n")
            print(
                f"{level}: {len(folders)} models, {len(errors)} errors, status {code}", flush=True
            )
            failed += len(errors) + code
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
