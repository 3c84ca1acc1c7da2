# SPDX-License-Identifier: Apache-2.0
"""Exports and runs every case of ONNX's backend suite, and writes docs/reports/operators.md.

    python -m tests.onnx_suite [--compiler relax] [--processes N] [PATTERN ...]

Patterns choose cases by name. What was found is kept in the cache, a file for each compiler, so that what
has changed can be tried alone; the page has what all runs have found.
"""

import argparse
import fnmatch
import json
import os
import sys
from collections import Counter
from pathlib import Path

from tests.onnx_suite.cases import all_cases
from tests.onnx_suite.page import page
from tests.onnx_suite.processes import judge_all

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reports" / "operators.md"
FOUND = ROOT / ".cache" / "operators"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.onnx_suite", description=__doc__)
    parser.add_argument("patterns", nargs="*", default=["*"], metavar="PATTERN")
    parser.add_argument("--compiler", default="relax")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N")
    options = parser.parse_args()
    cases = all_cases()
    names = [
        name for name in cases if any(fnmatch.fnmatch(name, each) for each in options.patterns)
    ]
    file = FOUND / f"{options.compiler}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(file.read_text()) if file.exists() else {}
    for name, outcome in judge_all(names, options.processes, options.compiler):
        found[name] = outcome.as_row()
        file.write_text(json.dumps(found, indent=1))
        if outcome.result != "right":
            print(f"{name}: {outcome.result}: {outcome.reason}"[:250], flush=True)
    print(dict(Counter(found[name]["result"] for name in names)))
    PAGE.write_text(
        page(cases, {each.stem: json.loads(each.read_text()) for each in FOUND.glob("*.json")})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
