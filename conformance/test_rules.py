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


def test_same_type_passes():
    assert differences(fact_of(5, "int64"), Observed(5)) == []


@pytest.mark.parametrize(
    ("value", "go_type", "observed"),
    [(5, "float64", 5.0), (5, "int64", 5), (True, "*gotvm.Module", None)],
)
def test_other_type_fails(value, go_type, observed):
    wrong = {"float64": 5, "int64": 5.0}.get(go_type, observed)
    assert differences(fact_of(value, go_type), Observed(wrong))


@pytest.mark.parametrize("go_type", ["int32", "int64x", "*gotvm.Array"])
def test_type_without_counterpart_fails(go_type):
    assert differences(fact_of(5, go_type), Observed(5))


@pytest.mark.parametrize("go_type", ["<nil>", "[]int64", "map[string]interface {}", "int passed"])
def test_type_in_which_observations_were_put_passes(go_type):
    assert differences(fact_of([5], go_type), Observed([5])) == []


def test_error_with_all_information_passes():
    error = tvmgo.TVMError("16 bytes are there, 12 are given")
    assert differences(fact_of(error=MISMATCH), failed(error)) == []


@pytest.mark.parametrize("message", ["16 bytes", "12 and 160", "", "112 and 16"])
def test_error_with_missing_number_fails(message):
    assert differences(fact_of(error=MISMATCH), failed(tvmgo.TVMError(message)))


def test_error_of_another_class_fails():
    assert differences(fact_of(error=MISMATCH), failed(OSError("16 12")))


def test_error_where_there_was_none_fails():
    assert differences(fact_of(5, "int64"), failed(tvmgo.TVMError("x")))


def test_no_error_where_there_was_one_fails():
    assert differences(fact_of(error=MISMATCH), Observed(5))


def test_error_names_type_of_refused_argument():
    text = "Given value Type not defined for Value: (1+2i) : complex128"
    assert not differences(fact_of(error=text), failed(TypeError("a complex"), about=1 + 2j))
    assert differences(fact_of(error=text), failed(TypeError("an object"), about=1 + 2j))


def test_message_of_callback_is_compared_whole():
    text = "TVMError: Sample Error XYZABCStack trace:\nStack trace:\n  [bt] <3 frames>\n"
    error = tvmgo.TVMError("Sample Error XYZABC")
    assert not differences(fact_of(error=text), failed(error, raised=error))
    assert differences(fact_of(error=text), failed(tvmgo.TVMError("Sample Error")))


def test_another_exception_than_the_raised_one_fails():
    raised = tvmgo.TVMError("x")
    assert differences(fact_of(error="TVMError: x"), failed(tvmgo.TVMError("x"), raised=raised))


def test_further_observation_is_compared():
    fact = fact_of(5, "int64", extra={"type_code": 0})
    assert differences(fact, Observed(5, extra={"type_code": TypeCode(0)})) == []
    assert differences(fact, Observed(5, extra={"type_code": TypeCode(2)}))
    assert differences(fact, Observed(5))


@pytest.mark.parametrize("end", [{"signal": "SIGSEGV"}, {"panic": "nil dereference"}])
def test_crash_never_is_the_same(end):
    assert differences(fact_of(**end), Observed(None))


def test_record_with_several_outcomes_is_matched_only_if_all_are():
    varied = ({"value": 5, "go_type": "int64"}, {"value": 6, "go_type": "int64"})
    assert differences(fact_of(5, "int64", varied=varied[:1]), Observed(5)) == []
    assert differences(fact_of(5, "int64", varied=varied), Observed(5))


@pytest.mark.parametrize(
    ("text", "core"),
    [
        (
            MISMATCH,
            "  Check failed: arr_size == nbytes (16 vs. 12) : ArrayCopyFromBytes: size mismatch",
        ),
        (CHECK + "ret == 0 (-1 vs. 0) : from C" + TRACE, "from C"),
        (
            CHECK
            + "ret == 0 (-1 vs. 0) : "
            + CHECK
            + "ret == 0 (-1 vs. 0) : from C"
            + TRACE
            + TRACE,
            "from C",
        ),
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
