# SPDX-License-Identifier: Apache-2.0
"""``str``: text there and back."""

from conformance.catalogue import Gives, Raises, executes, improved
from conformance.outcome import Observed, TypeCode, attempt
from conformance.world import callback, received_by_callback

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


@executes("str.*.callee_len_c")
def length_in_kernel(world, fact):
    return world.kernel("str_len").invoke(text_of(fact)).as_int64()


@executes("str.*.cb_arg")
def passed(world, fact):
    return received_by_callback(text_of(fact))


@executes("str.*.cb_return")
def returned(world, fact):
    text = text_of(fact)
    return callback(lambda: text).invoke().as_str()


@executes("str.*.roundtrip")
def round_trip(world, fact):
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


improved(
    "str.nul_*.callee_len_c",
    Raises(ValueError, "NUL"),
    "Silently cut at the first NUL. C text cannot carry one, so it is refused.",
)
improved("str.nul_middle.cb_arg", Gives([{"type_code": TypeCode(11), "AsStr": "a\0b"}]))
improved("str.nul_*.cb_return", lambda fact: Gives(text_of(fact)))
improved("str.nul_*.roundtrip", lambda fact: Gives(text_of(fact)))


@executes("str.1MiB.roundtrip")
def long_round_trip(world, fact):
    length = fact.outcome["value"]["len"]
    text = ("0123456789ab" * length)[:length]
    observed = attempt(callback(lambda value: value.as_str()).invoke, text)
    back = observed.value.as_str()
    return {"equal": back == text, "len": len(back)}


@executes("str.AsStr_twice")
def read_twice(world, fact):
    value = callback(lambda: "twice").invoke()
    return [value.as_str(), value.as_str()]
