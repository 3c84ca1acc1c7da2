# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.rpc``: all tests of RPC, a server for AArch64, many broken conversations; then what was found, as
docs/reports/rpc.md. ``--count`` makes the conversations fewer and writes no page.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.helpers import CHECKOUT
from tests.rpc import aarch64, broken
from tests.rpc.page import page

PAGE = CHECKOUT / "docs" / "reports" / "rpc.md"
COUNT = 100_000


def run_tests():
    """Return what each test said by its name: "" if it passed, or why it was left out."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.xml")
        pytest = [sys.executable, "-m", "pytest", f"--junit-xml={results}", "tests/rpc"]
        subprocess.run(pytest, cwd=CHECKOUT, check=True)
        found = {}
        for case in ElementTree.parse(results).iter("testcase"):
            skipped = case.find("skipped")
            name = f"{case.get('classname').rpartition('.')[2]}.{case.get('name')}"
            found[name] = "" if skipped is None else skipped.get("message")
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    text = page(run_tests(), aarch64.measure(), broken.measure(arguments.count))
    print(text)
    if arguments.count >= COUNT:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
