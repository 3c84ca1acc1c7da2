# SPDX-License-Identifier: Apache-2.0
"""Tests of the rules: what they let pass, and what they do not."""

import re

import numpy as np
import pytest

import tvmgo
from conformance.facts import Fact, recorded
from conformance.judge import differences_from_stated
from conformance.memory import compare, compare_growth, without_noise
from conformance.outcome import Observed, TypeCode, attempt
from conformance.rules import INFORMATION, differences, essence, same

CHECK = "TVMError: \n" + "-" * 63 + "\nbanner\n" + "-" * 63 + "\n\n  Check failed: "
TRACE = '\nStack trace:\n  File "<TVM>/x.cc", line 64\n  [bt] <7 frames>\n'
LAYER = "ret == 0 (-1 vs. 0)"
MISMATCH = CHECK + "arr_size == nbytes (16 vs. 12) : ArrayCopyFromBytes: size mismatch" + TRACE


def fact_of(value=None, go_type=None, error=None, varied=(), **more):
    outcome = {"value": value, "go_type": go_type, "error": error, **more}
    return Fact("area.case", "call", outcome, varied=varied)


def failed(error, **more):
    return Observed(error=error, **more)


@pytest.mark.parametrize(
    ("recorded", "observed"),
    [
        (1, 1),
        (2.5, 2.5),
        (3, 3.0),
        ("NaN", float("nan")),
        ("-0", -0.0),
        ("-Inf", float("-inf")),
        ("x", "x"),
        ({"hex": "fffe"}, b"\xff\xfe".decode("utf-8", "surrogateescape")),
        ({"bytes_hex": "0102", "len": 2}, b"\1\2"),
        ([1, 2], (1, 2)),
        ([1.5], np.array([1.5], np.float32)),
        (1, TypeCode(0)),
        (13, TypeCode(7)),
        (None, None),
        ({"type_code": 4, "AsInt64": 123}, tvmgo.Value(None)),
        ({"type_code": 0, "AsInt64": 5, "isLocal": False}, tvmgo.Value(5)),
        ({"type_code": 12, "AsBytes": {"bytes_hex": "00", "len": 1}}, tvmgo.Value(b"\0")),
    ],
    ids=repr,
)
def test_same_value_passes(recorded, observed):
    assert same(recorded, observed)


@pytest.mark.parametrize(
    ("recorded", "observed"),
    [
        (1, 2),
        (1, True),
        (1, 1.5),
        (1, "1"),
        ("1", 1),
        (0.1, np.float32(0.1)),
        ("NaN", 0.0),
        ("-0", 0.0),
        (0, -0.0),
        ("x", b"x"),
        ([1, 2], [1]),
        ([1, 2], [2, 1]),
        (0, TypeCode(1)),
        (7, TypeCode(8)),
        (None, 0),
        ({"a": 1}, {}),
        ({"a": 1}, {"a": 2}),
        ({"type_code": 4, "AsInt64": 123}, tvmgo.Value(123)),
        ({"type_code": 0, "AsInt64": 5}, tvmgo.Value(6)),
        ({"type_code": 2, "AsFloat64": 5}, tvmgo.Value(5)),
    ],
    ids=repr,
)
def test_other_value_fails(recorded, observed):
    assert not same(recorded, observed)


COMPLEX = "Given value Type not defined for Value: (1+2i) : complex128"
CALLBACK = "TVMError: Sample Error XYZABCStack trace:\nStack trace:\n  [bt] <3 frames>\n"
RAISED = tvmgo.TVMError("Sample Error XYZABC")
CODED = fact_of(5, "int64", extra={"type_code": 0})
SIX = {"value": 6, "go_type": "int64"}
NUMBERS = tvmgo.TVMError("16 bytes are there, 12 are given")

PASSING = {
    "type": (fact_of(5, "int64"), Observed(5)),
    "observations_nil": (fact_of([5], "<nil>"), Observed([5])),
    "observations_slice": (fact_of([5], "[]int64"), Observed([5])),
    "observations_map": (fact_of([5], "map[string]interface {}"), Observed([5])),
    "observations_passed": (fact_of([5], "int passed"), Observed([5])),
    "error_with_all_numbers": (fact_of(error=MISMATCH), failed(NUMBERS)),
    "error_with_type": (fact_of(error=COMPLEX), failed(TypeError("a complex"), about=1 + 2j)),
    "message_of_callback": (fact_of(error=CALLBACK), failed(RAISED, raised=RAISED)),
    "further_observation": (CODED, Observed(5, extra={"type_code": TypeCode(0)})),
    "outcomes_the_same": (fact_of(6, "int64", varied=(SIX,)), Observed(6)),
}
FAILING = {
    "type_float": (fact_of(5, "float64"), Observed(5)),
    "type_int": (fact_of(5, "int64"), Observed(5.0)),
    "type_module": (fact_of(True, "*gotvm.Module"), Observed(None)),
    "unknown_type": (fact_of(5, "int32"), Observed(5)),
    "unknown_type_that_starts_as_one": (fact_of(5, "int64x"), Observed(5)),
    "unknown_pointer": (fact_of(5, "*gotvm.Array"), Observed(5)),
    "no_second_number": (fact_of(error=MISMATCH), failed(tvmgo.TVMError("16 bytes"))),
    "number_in_another": (fact_of(error=MISMATCH), failed(tvmgo.TVMError("12 and 160"))),
    "number_after_another": (fact_of(error=MISMATCH), failed(tvmgo.TVMError("112 and 16"))),
    "no_message": (fact_of(error=MISMATCH), failed(tvmgo.TVMError(""))),
    "error_of_another_class": (fact_of(error=MISMATCH), failed(OSError("16 12"))),
    "error_where_there_was_none": (fact_of(5, "int64"), failed(tvmgo.TVMError("x"))),
    "no_error_where_there_was_one": (fact_of(error=MISMATCH), Observed(5)),
    "error_of_type": (fact_of(error=COMPLEX), failed(TypeError("an object"), about=1 + 2j)),
    "part_of_message": (fact_of(error=CALLBACK), failed(tvmgo.TVMError("Sample Error"))),
    "not_the_raised": (fact_of(error=CALLBACK), failed(tvmgo.TVMError(str(RAISED)), raised=RAISED)),
    "other_observation": (CODED, Observed(5, extra={"type_code": TypeCode(2)})),
    "no_observation": (CODED, Observed(5)),
    "signal": (fact_of(signal="SIGSEGV"), Observed(None)),
    "panic": (fact_of(panic="nil dereference"), Observed(None)),
    "one_of_several_outcomes": (fact_of(5, "int64", varied=(SIX,)), Observed(5)),
}


@pytest.mark.parametrize(("fact", "observed"), PASSING.values(), ids=PASSING)
def test_what_is_as_recorded_passes(fact, observed):
    assert differences(fact, observed) == []


@pytest.mark.parametrize(("fact", "observed"), FAILING.values(), ids=FAILING)
def test_what_is_not_as_recorded_fails(fact, observed):
    assert differences(fact, observed)


@pytest.mark.parametrize(
    ("text", "core"),
    [
        (
            MISMATCH,
            "  Check failed: arr_size == nbytes (16 vs. 12) : ArrayCopyFromBytes: size mismatch",
        ),
        (f"{CHECK}{LAYER} : from C{TRACE}", "from C"),
        (f"{CHECK}{LAYER} : {CHECK}{LAYER} : from C{TRACE}{TRACE}", "from C"),
        ("TVMError: oops\nStack trace:\n  fake frame" + TRACE, "oops\nStack trace:\n  fake frame"),
        ("TVMError: (long )x3Stack trace:\n", "long long long "),
    ],
    ids=["check", "c", "nested", "fake_trace", "repeated"],
)
def test_essence_is_what_was_said_first(text, core):
    assert essence(text).strip("\n") == core.strip("\n")


def test_every_kind_of_error_text_was_recorded():
    texts = [fact.outcome["error"] or "" for fact in recorded().values()]
    for pattern in INFORMATION:
        assert any(pattern.search(essence(text)) for text in texts), pattern.pattern


@pytest.mark.parametrize(
    ("grown", "left", "passes"), [(15, {}, True), (16, {}, False), (0, {"handles": 1}, False)]
)
def test_growth_is_compared_with_noise(grown, left, passes):
    observed = Observed({"approx_bytes_per_call": without_noise(grown), "left_behind": left})
    stated = recorded()["leak.shape_tuple"].stated
    flat = fact_of({"approx_bytes_per_call": 3})
    leaked = fact_of({"approx_bytes_per_call": 145})
    assert (compare(flat, observed) == []) == passes
    assert (differences_from_stated(stated, observed) == []) == passes
    assert compare(leaked, observed)


@pytest.mark.parametrize(
    ("grown", "left", "passes"), [(64, {}, True), (65, {}, False), (0, {"handles": 1}, False)]
)
def test_growth_as_recorded_is_the_most_that_passes(grown, left, passes):
    observed = Observed({"left_behind": left}, extra={"rss_growth_kib": grown})
    assert (compare_growth(fact_of({"rss_growth_kib": 64}), observed) == []) == passes


def test_attempt_keeps_no_frames_of_the_error():
    def fail():
        raise ValueError("x")

    assert re.match("x", str(attempt(fail).error))
    assert attempt(fail).error.__traceback__ is None
