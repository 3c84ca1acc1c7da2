# SPDX-License-Identifier: Apache-2.0
"""Tests of the rule itself: what it lets pass, and what it does not."""

import pytest

from conformance.replay import differences


@pytest.mark.parametrize(
    ("recorded", "printed"),
    [
        ("TVM Version   : v0.12.0", "TVM Version   : v0.1.14"),
        ("DLPACK Version: v70", "DLPACK Version: v1.3"),
        ("Global Functions:[tvm.a b]", "Global Functions:[c]"),
        ("Module Imported:0xc0000a4068", "Module Imported:0x7f1c"),
        ("Module Imported:0x..", "Module Imported:0x7f1c"),
        ("*gotvm.Function - 0xc0000a4068 ", "*gotvm.Function - 0x7f1c "),
    ],
)
def test_line_differs_in_what_may_differ_passes(recorded, printed):
    assert not differences(["before", recorded, ""], f"before\n{printed}\n")


@pytest.mark.parametrize(
    ("recorded", "printed"),
    [
        ("TVM Version   : v0.12.0", "TVM Version   : v"),
        ("TVM Version   : v0.12.0", "TVM version   : v0.12.0"),
        ("DLPACK Version: v70", "DLPACK Version: vNone"),
        ("Global Functions:[tvm.a b]", "Global Functions:[]"),
        ("Global Functions:[tvm.a b]", "Global Functions:['tvm.a', 'b'"),
        ("Module Imported:0x..", "Module Imported:7f1c"),
        ("Module Imported:0x..", "Module Imported:0x"),
        ("*gotvm.Function - 0xc0000a4068 ", "*gotvm.Function - 0x7f1c"),
        ("Result:[0.1]", "Result:[0.10000001]"),
        ("Result:[0.1 0.2]", "Result:[0.1, 0.2]"),
        ("Result:30", "Result:30 "),
        ("Result:30", "Result:30\n"),
        ("Result:30", ""),
    ],
)
def test_line_differs_in_anything_else_fails_with_both_in_the_diff(recorded, printed):
    diff = differences(["before", recorded, ""], f"before\n{printed}\n")
    assert diff[:2] == ["--- gotvm", "+++ tvmgo"]


def test_output_ends_without_newline_fails():
    assert differences(["Result:30", ""], "Result:30")
