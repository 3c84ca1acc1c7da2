# SPDX-License-Identifier: Apache-2.0
"""The rule by which a program's output counts as the recorded one.

Line by line, every character. Three things may differ, since no two runs or releases share them,
and each must still be there in its form: a pointer, a version, the list of global functions.
Floats are no exception: Go's shortest decimal form tells every float from its neighbours, so equal
text means equal bits.
"""

import difflib
import re

MAY_DIFFER = (
    # Some records have their pointers folded to "0x..".
    (re.compile(r"\b0x(?:[0-9a-f]+|\.\.)(?![0-9a-f.])"), "<pointer>"),
    (re.compile(r"(?<=^TVM Version   : v)\d+(?:\.\d+)+$"), "<version>"),
    (re.compile(r"(?<=^DLPACK Version: v)\d+(?:\.\d+)*$"), "<version>"),
    (re.compile(r"(?<=^Global Functions:)\[\S+(?: \S+)*\]$"), "<names>"),
)


def mask(line):
    """Return the line with a placeholder for whatever may differ."""
    for pattern, placeholder in MAY_DIFFER:
        line = pattern.sub(placeholder, line)
    return line


def assert_replayed(recorded, printed):
    """Fail with a diff unless a program printed what was recorded.

    Parameters
    ----------
    recorded : list of str
        The output split at each newline: the last element is empty when the output ends with one.
    printed : str
        The program's output.

    Raises
    ------
    AssertionError
        If a line differs in anything that may not, is missing, or is one too many.
    """
    expected = [mask(line) for line in recorded]
    got = [mask(line) for line in printed.split("\n")]
    if got != expected:
        diff = difflib.unified_diff(expected, got, "gotvm", "tvmgo", lineterm="")
        raise AssertionError("the output is not the recorded one\n" + "\n".join(diff))
