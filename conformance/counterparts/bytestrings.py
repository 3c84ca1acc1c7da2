# SPDX-License-Identifier: Apache-2.0
"""``bytes``: byte strings there and back."""

import operator

from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback
from conformance.outcome import TypeCode, error_of

CONTENTS = {
    "nil": b"",
    "empty": b"",
    "nul": b"\0",
    "nul_middle": b"a\0b",
    "all256": bytes(range(256)),
}


@counterpart("bytes.*.c")
def seen_by_kernel(fact):
    content = CONTENTS[fact.case.partition(".")[0]]
    return {
        "size": library.kernel("bytes_len").invoke(content).as_int64(),
        "sum": library.kernel("bytes_sum").invoke(content).as_int64(),
    }


@counterpart("bytes.*.roundtrip")
def round_trip(fact):
    content = CONTENTS[fact.case.partition(".")[0]]
    seen = {}

    def echo(value):
        seen["arg"] = TypeCode(value.type_code)
        return value.as_bytes()

    value = callback(echo).invoke(content)
    back = value.as_bytes()
    return {
        "equal": back == content,
        "hex_prefix": back[:8].hex(),
        "len": len(back),
        "in_is_nil_slice": content is None,
        "out_is_nil_slice": back is None,
        "type_code_arg": seen["arg"],
        "type_code_ret": TypeCode(value.type_code),
    }


@counterpart("bytes.is_copy")
def is_copy():
    content = bytes([1, 2, 3])
    refused = []

    def change(value):
        refused.append(error_of(operator.setitem, memoryview(value.as_bytes()), 0, 99))

    callback(change).invoke(content)
    assert refused[0]  # what Python cannot change it gets no access to
    return content
