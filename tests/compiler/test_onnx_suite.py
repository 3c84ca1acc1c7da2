# SPDX-License-Identifier: Apache-2.0
"""The command that tries ONNX's suite: what it holds for wrong, and what its page says."""

import ml_dtypes
import numpy as np
import pytest

from tests.onnx_suite.cases import Case, all_cases, with_constants
from tests.onnx_suite.outcome import problem
from tests.onnx_suite.page import page

ONES = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    "result, expected, said",
    [
        (ONES, ONES, ""),
        (ONES, ONES + np.float32(5e-4), ""),
        (ONES, ONES + np.float32(5e-3), "6 of 6 elements; [(0, 0)] is 1.0"),
        (ONES, ONES.astype(np.float64), "float32 of shape [2, 3] instead of float64"),
        (ONES, ONES[:1], "instead of float32 of shape [1, 3]"),
        (ONES * np.nan, ONES * np.nan, ""),
        (ONES, ONES * np.nan, "6 of 6"),
        (np.array([2**63 + 1], np.uint64), np.array([2**63], np.uint64), "1 of 1"),
        (np.array([1, 2]), np.array([1, 3]), "1 of 2 elements; [(1,)] is 2, not 3"),
        (ONES.astype(ml_dtypes.bfloat16), ONES.astype(ml_dtypes.bfloat16), ""),
        (ONES[:0], ONES[:0], ""),
    ],
)
def test_what_is_wrong(result, expected, said):
    found = problem(result, expected)
    assert said in found and bool(said) == bool(found)


@pytest.mark.parametrize(
    "which, left", [("integers", ["X", "scales"]), ("others", ["X"]), ("all", [])]
)
def test_which_inputs_become_constants(which, left):
    case = all_cases()["resize_downsample_scales_linear"]
    inputs, _ = case.values
    model, kept = with_constants(case.model, inputs, which)
    assert list(kept) == [value.name for value in model.graph.input] == left
    assert len(model.graph.input) + len(model.graph.initializer) == len(case.model.graph.input)
    assert len(case.model.graph.input) == 2  # it is not changed


def test_page_has_a_row_for_each_operator_and_names_what_is_wrong():
    cases = all_cases()
    right = {"result": "right", "reason": "", "constants": "integers", "caught": False}
    rows = {
        "add": right,
        "add_bcast": {**right, "result": "wrong", "reason": "1 of 2", "caught": True},
        "celu_expanded": {**right, "result": "refused", "reason": "its domain is 'x'"},
    }
    text = page(cases, {"relax": rows})
    assert f"3 of {len(cases)} cases: 1 right, 1 wrong, 1 refused. 33.3 % are right." in text
    assert "| Add | 1 | 1 | wrong: a difference (1) |" in text
    assert "| Celu | 0 | 1 | refused: not ONNX's own domain (1) |" in text
    assert "- add_bcast, wrong: 1 of 2; verification finds it" in text


def test_cases_are_of_tensors_and_of_no_training():
    names = all_cases()
    assert all(isinstance(case, Case) for case in names.values())
    assert "add" in names and len(names) > 1900
    assert not {"sequence_insert_at_back", "adam", "string_concat"} & set(names)
