# SPDX-License-Identifier: Apache-2.0
"""``str``: text there and back."""

from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback, received_by_callback
from conformance.outcome import Observed, TypeCode, attempt

TEXTS = {
    "empty": "",
    "ascii": "abc",
    "utf8": "héllo ✓ 日本 😀",
    "nul_middle": "a\0b",
    "nul_only": "\0",
    "nul_end": "ab\0",
    "invalid_utf8": b"\xff\xfe\x80a".decode("utf-8", "surrogateescape"),
    "newlines": "a\n\tb\r\n",
}


def text_of(fact):
    """Return the text the case is about."""
    return TEXTS[fact.case.partition(".")[0]]


@counterpart("str.*.callee_len_c")
def length_in_kernel(fact):
    return library.kernel("str_len").invoke(text_of(fact)).as_int64()


@counterpart("str.*.cb_arg")
def passed(fact):
    return received_by_callback(text_of(fact))


@counterpart("str.*.cb_return")
def returned(fact):
    text = text_of(fact)
    return callback(lambda: text).invoke().as_str()


@counterpart("str.*.roundtrip")
def round_trip(fact):
    text = text_of(fact)
    value = callback(lambda value: value.as_str()).invoke(text)
    back = value.as_str()
    return Observed(
        back,
        extra={
            "equal_to_input": back == text,
            "len": len(back.encode("utf-8", "surrogateescape")),
            "type_code": TypeCode(value.type_code),
        },
    )


@counterpart("str.1MiB.roundtrip")
def long_round_trip(fact):
    length = fact.outcome["value"]["len"]
    text = ("0123456789ab" * length)[:length]
    observed = attempt(callback(lambda value: value.as_str()).invoke, text)
    back = observed.value.as_str()
    return {"equal": back == text, "len": len(back)}


@counterpart("str.AsStr_twice")
def read_twice():
    value = callback(lambda: "twice").invoke()
    return [value.as_str(), value.as_str()]
