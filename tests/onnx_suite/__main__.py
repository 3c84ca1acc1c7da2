# SPDX-License-Identifier: Apache-2.0
"""Exports and runs every case of ONNX's backend suite.

    python -m tests.onnx_suite [--write] [--processes N] [PATTERN ...]

Patterns choose cases by name; ``--write`` writes docs/operators.md if there are none.
"""

import argparse
import fnmatch
import json
import sys
from collections import Counter

from tests.onnx_suite.cases import all_cases
from tests.onnx_suite.processes import judge_all


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.onnx_suite", description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"], metavar="PATTERN")
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    parser.add_argument("--rows", metavar="FILE", help="write each outcome as a line of JSON")
    options = parser.parse_args()
    cases = all_cases()
    names = [
        name for name in cases if any(fnmatch.fnmatch(name, each) for each in options.patterns)
    ]
    total = Counter()
    with open(options.rows or "/dev/null", "w", encoding="utf-8") as rows:
        for name, outcome in judge_all(names, options.processes, {}):
            total[outcome.result] += 1
            print(json.dumps({"case": name, **outcome.as_row()}), file=rows, flush=True)
            if outcome.result != "right":
                print(f"{name}: {outcome.result}: {outcome.reason}"[:250], flush=True)
    print(dict(total))
    return 0


if __name__ == "__main__":
    sys.exit(main())
