# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.classic.valgrind``: the tests of classic libraries under Valgrind's memory checker.

They call C libraries of the old convention with every kind of argument, result, error and call
back, and load libraries with modules embedded in them. What counts is an error or a leak in or
below code of tvmgo, of libtvm or of a test library; CPython reads memory it has not written
(a zero has no digits) and keeps objects until the process ends, and neither is our business.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

import tvmgo
from tests.libraries import compile_library

HERE = Path(__file__).parent
TESTS = sorted(map(str, HERE.glob("test_classic_*.py")))
# Tests of how much memory the process has, which is Valgrind's; and of thousands of damaged files,
# which `python -m tests.fuzz` does under another checker.
LEFT_OUT = "not leak and not any_length and not any_byte and not every_byte and not random"
INTERPRETER = "_PyEval_EvalFrameDefault"
COMPILER = ("cc", "cc1", "as", "collect2", "ld", "gcc", "clang", "objdump")

# Mistakes made on purpose, which show that a clean report means something.
MISTAKES = """
import sys, tvmgo
library = tvmgo.load_module(sys.argv[1])
for name in ("write_beyond_the_end", "decide_by_what_was_never_written", "lose"):
    library[name]()
"""
KINDS_OF_MISTAKES = ["InvalidWrite", "Leak_DefinitelyLost", "UninitCondition"]


def frames_of(error):
    """Return object file and function of the frames above the interpreter's, innermost first."""
    found = []
    for frame in error.find("stack").iter("frame"):
        if frame.findtext("fn") == INTERPRETER:
            break
        found.append((frame.findtext("obj", ""), frame.findtext("fn", "???")))
    return found


def is_ours(obj, directory):
    """Whether an object file is the code under test; so is what is not in memory any more."""
    return (
        not obj
        or obj.startswith((str(Path(tvmgo.__file__).parent), str(directory)))
        or Path(obj).name.startswith("libtvm")
    )


def errors_in(report, directory):
    """Yield the kind and a description of each error in a report that counts."""
    parser = xml.etree.ElementTree.XMLPullParser(["end"])
    parser.feed(report.read_text(errors="replace"))  # without an end if the process became another
    for _, error in parser.read_events():
        if error.tag == "error":
            frames = frames_of(error)
            if any(is_ours(obj, directory) for obj, _ in frames):
                what = error.findtext("what") or error.findtext("xwhat/text")
                yield (
                    error.findtext("kind"),
                    "\n".join([what, *(f"    {function} ({obj})" for obj, function in frames)]),
                )


def watch(directory, *command):
    """Run Python under Valgrind, its child processes too.

    Returns
    -------
    tuple of int, list of (str, str)
        The exit code, and the kinds and descriptions of errors.
    """
    code = subprocess.run(
        [
            "valgrind",
            "--quiet",
            "--leak-check=full",
            "--show-leak-kinds=definite",
            "--num-callers=60",
            "--keep-debuginfo=yes",
            "--xml=yes",
            f"--xml-file={directory}/report.%p.xml",
            "--trace-children=yes",
            f"--trace-children-skip={','.join(f'*/{name}' for name in COMPILER)}",
            sys.executable,
            *command,
        ],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONMALLOC": "malloc"},
    ).returncode
    return code, [
        error
        for report in sorted(directory.glob("report.*.xml"))
        for error in errors_in(report, directory)
    ]


def finds_mistakes(directory):
    """Whether the checker reports each mistake made on purpose, and nothing else."""
    source = HERE / "sources/defects.c"
    library = compile_library(source, directory / "defects.so", "-O0", "-w")
    code, errors = watch(directory, "-c", MISTAKES, str(library))
    return code == 0 and sorted(kind for kind, _ in errors) == KINDS_OF_MISTAKES


def main():
    """Run the tests. Return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.classic.valgrind", description=__doc__)
    parser.add_argument("pytest", nargs="*", help="arguments for pytest instead of the usual ones")
    arguments = parser.parse_args().pytest or [*TESTS, "-k", LEFT_OUT]
    if shutil.which("valgrind") is None:
        raise SystemExit("this needs valgrind, which is not installed")
    with tempfile.TemporaryDirectory() as directory:
        if not finds_mistakes(Path(directory)):
            print("Valgrind does not report mistakes made on purpose, and those only")
            return 1
    with tempfile.TemporaryDirectory() as directory:
        code, errors = watch(
            Path(directory),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--basetemp={directory}/tests",
            *arguments,
        )
    print(*(f"{kind}: {text}" for kind, text in errors), f"{len(errors)} errors", sep="\n")
    return 1 if errors or code else 0


if __name__ == "__main__":
    sys.exit(main())
