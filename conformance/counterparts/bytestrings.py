# SPDX-License-Identifier: Apache-2.0
"""``bytes``: byte strings there and back."""

import operator

from conformance.catalogue import executes
from conformance.outcome import TypeCode, error_of
from conformance.world import callback

CONTENTS = {
    "nil": b"",
    "empty": b"",
    "nul": b"\0",
    "nul_middle": b"a\0b",
    "all256": bytes(range(256)),
}


@executes("bytes.*.c")
def seen_by_kernel(world, fact):
    content = CONTENTS[fact.case.partition(".")[0]]
    return {
        "size": world.kernel("bytes_len").invoke(content).as_int64(),
        "sum": world.kernel("bytes_sum").invoke(content).as_int64(),
    }


@executes("bytes.*.roundtrip")
def round_trip(world, fact):
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


@executes("bytes.is_copy")
def is_copy(world, fact):
    content = bytes([1, 2, 3])
    refused = []

    def change(value):
        refused.append(error_of(operator.setitem, memoryview(value.as_bytes()), 0, 99))

    callback(change).invoke(content)
    assert refused[0]  # what Python cannot change it gets no access to
    return content
