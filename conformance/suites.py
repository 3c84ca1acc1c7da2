# SPDX-License-Identifier: Apache-2.0
"""gotvm's samples and its own tests, run as the tests they are here, for the report."""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from dataclasses import dataclass
from pathlib import Path

from conformance import facts
from conformance.catalogue import IMPROVED, MATCH
from conformance.counterparts.arrays import ZERO_DIMENSIONS
from conformance.judge import Judgement

HERE = Path(__file__).parent
SAMPLES = (
    "simple",
    "complex",
    "pack_func_convert",
    "pack_func_register",
    "pack_func_handle_arg",
    "pack_func_closure_arg",
    "pack_func_closure_return",
)


@dataclass(frozen=True)
class Otherwise:
    """Where the test ported from a Go test asserts something else than that did."""

    gotvm: str
    tvmgo: str
    reason: str


OTHERWISE = {
    "tests.TestArrayCreateSize": Otherwise(
        "asserts that `Empty` with an empty shape returns an error",
        "asserts that `empty([])` gives an array of one element",
        ZERO_DIMENSIONS,
    ),
}

# Names that are one word, though Go writes more than one capital in them.
WORD = re.compile(r"TVM|DLPack|NDim|DType|UInt\d*|[A-Z][a-z]+\d*")


def snake_case(name):
    """Return the Python name of a Go test: ``TestArrayNDim`` is ``test_array_ndim``."""
    return "_".join(WORD.findall(name)).lower()


def python_file(go_file):
    """Return the file that holds the tests of a Go file."""
    room = go_file.removesuffix("_test.go")
    return "test_gotvm.py" if room == "gotvm" else f"test_gotvm_{room}.py"


def judge_tests():
    """Run gotvm's tests and samples.

    Returns
    -------
    list of Judgement
        With the ids ``tests.<Go's name>`` and ``samples.<name>``.
    """
    files = sorted({python_file(test["file"]) for test in facts.gotvm_tests()})
    outcomes = _run([*files, "test_samples.py"], "not exported and not without and not lists")
    judged = [
        _judgement("tests", test["name"], [snake_case(test["name"])], outcomes)
        for test in facts.gotvm_tests()
    ]
    for sample in SAMPLES:
        wanted = [
            name
            for name in outcomes
            if name.startswith("test_")
            and "prints_what" in name
            and (f"[{sample}]" in name or name.startswith(f"test_{sample}_"))
        ]
        judged.append(_judgement("samples", sample, wanted or [sample], outcomes))
    return judged


def _judgement(area, name, wanted, outcomes):
    found = tuple(
        f"{test}: {outcomes.get(test, 'there is no such test')}"
        for test in wanted
        if outcomes.get(test) != "passed"
    )
    judged = f"{area}.{name}"
    if not found and judged in OTHERWISE:
        return Judgement(judged, IMPROVED, (OTHERWISE[judged].tvmgo,))
    return Judgement(judged, None if found else MATCH, found)


def _run(files, expression):
    """Return the outcome of each test by its name."""
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory) / "tests.xml"
        path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                f"--junitxml={record}",
                "-k",
                expression,
                *[str(HERE / file) for file in files],
            ],
            cwd=HERE.parent,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
        )
        cases = xml.etree.ElementTree.parse(record).iter("testcase")
        return {
            case.get("name"): case[0].get("message", "failed") if len(case) else "passed"
            for case in cases
        }
