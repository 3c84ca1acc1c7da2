# SPDX-License-Identifier: Apache-2.0
"""Tests of Go's formatting, against what Go printed."""

import numpy as np
import pytest

import tvmgo
from conformance import facts
from conformance.gofmt import go_type, go_value


def test_go_value_of_recorded_bits_is_recorded_text():
    results, remarks = facts.formula_run()
    assert go_value(results[:10]) == remarks[0]


# What Python reads, and what Go prints of it.
FLOATS = """
0.0=0 -0.0=-0 1.0=1 0.1=0.1 100.0=100 1.5e-4=0.00015 1e-4=0.0001 1e-5=1e-05 1.25e-5=1.25e-05
100000.0=100000 123456.75=123456.75 1e6=1e+06 16777216.0=1.6777216e+07 -16777216.0=-1.6777216e+07
nan=NaN inf=+Inf -inf=-Inf
"""


@pytest.mark.parametrize("pair", FLOATS.split())
@pytest.mark.parametrize("precision", [np.float32, np.float64, float])
def test_go_value_of_float_is_text_of_go(pair, precision):
    x, text = pair.split("=")
    assert go_value(precision(x)) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.float32(0.1), "0.1"),
        (float(np.float32(0.1)), "0.10000000149011612"),
        (np.float32(1e-45), "1e-45"),  # the smallest there is
        (5e-324, "5e-324"),
        (np.finfo(np.float32).max, "3.4028235e+38"),
        (float(np.finfo(np.float32).max), "3.4028234663852886e+38"),
        (1e100, "1e+100"),
    ],
)
def test_go_value_of_float_has_shortest_digits_of_its_precision(x, text):
    assert go_value(x) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (-42, "-42"),
        ("tvm", "tvm"),
        ([], "[]"),
        ([10, 20], "[10 20]"),
        (["a", "b"], "[a b]"),
        (np.array([1, -2], np.int8), "[1 -2]"),
        (np.array([1.5, np.inf, -0.0, 1e-7], np.float32), "[1.5 +Inf -0 1e-07]"),
    ],
    ids=repr,
)
def test_go_value_of_others_is_text_of_go(x, text):
    assert go_value(x) == text


def test_go_value_of_runtime_object_is_pointer():
    assert go_value(tvmgo.empty(1)).startswith("0x")


@pytest.mark.parametrize(
    ("x", "name"), [(1, "int64"), (1.0, "float64"), ("", "string"), (b"", "[]uint8")], ids=repr
)
def test_go_type_is_name_in_go(x, name):
    assert go_type(x) == name


def test_go_type_of_runtime_object_is_pointer_to_gotvm_type():
    assert go_type(tvmgo.convert_function(print)) == "*gotvm.Function"
    assert go_type(tvmgo.empty(1)) == "*gotvm.Array"
    assert go_type(tvmgo.system_library()) == "*gotvm.Module"
