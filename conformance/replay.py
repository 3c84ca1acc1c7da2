# SPDX-License-Identifier: Apache-2.0
"""Running a sample, and the rule by which its output counts as the recorded one.

Line by line, every character. Three things may differ, since no two runs or releases share them,
and each must still be there in its form: a pointer, a version, the list of global functions.
Floats are no exception: Go's shortest decimal form tells every float from its neighbours, so equal
text means equal bits.
"""

import contextlib
import difflib
import io
import re

MAY_DIFFER = (
    # Some records have their pointers folded to "0x..".
    (re.compile(r"\b0x(?:[0-9a-f]+|\.\.)(?![0-9a-f.])"), "<pointer>"),
    (re.compile(r"(?<=^TVM Version   : v)\d+(?:\.\d+)+$"), "<version>"),
    (re.compile(r"(?<=^DLPACK Version: v)\d+(?:\.\d+)*$"), "<version>"),
    (re.compile(r"(?<=^Global Functions:)\[\S+(?: \S+)*\]$"), "<names>"),
)


def output_of(main, *args, **options):
    """Run a program's main function. Return what it printed to stdout and to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        main(*args, **options)
    return out.getvalue(), err.getvalue()


def mask(line):
    """Return the line with a placeholder for whatever may differ."""
    for pattern, placeholder in MAY_DIFFER:
        line = pattern.sub(placeholder, line)
    return line


def differences(recorded, printed):
    """Return a diff of what was recorded and what a program printed; empty if it is the same.

    Parameters
    ----------
    recorded : list of str
        The output split at each newline: the last element is empty when the output ends with one.
    printed : str
        The program's output.
    """
    lines = [[mask(line) for line in text] for text in (recorded, printed.split("\n"))]
    return list(difflib.unified_diff(*lines, "gotvm", "tvmgo", lineterm=""))


def compare(fact, observed):
    """The rule for facts about samples."""
    if not isinstance(observed.value, str):
        return [f"no output: {observed}"]
    return differences(fact.outcome["value"], observed.value)
