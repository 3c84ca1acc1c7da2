# SPDX-License-Identifier: Apache-2.0
"""Packets: those of clients and servers pass, all others are refused, in no other way than by WireError."""

import contextlib
import random
import struct

import pytest

from tests.rpc.broken import INIT, REQUESTS, changed, text
from tvmgo.rpc import wire

REPLIES = [
    struct.pack("<iii", wire.RETURN, 1, 0),
    struct.pack("<iiiqiq", wire.RETURN, 2, 1, 68, 4, 1 << 40),
    struct.pack("<ii", wire.EXCEPTION, 1) + text(b"it failed"),
    struct.pack("<i", wire.COPY_ACK) + bytes(16),
]


def test_what_clients_and_servers_send_passes():
    wire.check_request(INIT, first=True)
    for packet in REQUESTS:
        wire.check_request(packet)
    for packet in REPLIES:
        wire.check_reply(packet)
    sent = wire.exception_packet("where \0 and ü")
    assert struct.unpack_from("<Q", sent) == (len(sent) - 8,)
    wire.check_reply(sent[8:])
    assert wire.message_of(sent[8:]) == "where \\0 and ü"


@pytest.mark.parametrize("packet", [INIT, *REQUESTS], ids=lambda packet: packet[:1].hex())
def test_half_packets_and_longer_ones_are_refused(packet):
    first = packet == INIT
    for size in range(len(packet)):
        with pytest.raises(wire.WireError):
            wire.check_request(packet[:size], first)
    with pytest.raises(wire.WireError):
        wire.check_request(packet + b"\0", first)


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (struct.pack("<iiiq", wire.GET_FUNCTION, 2**31 - 1, 1, 0), "values follow"),
        (struct.pack("<iiiq", wire.GET_FUNCTION, -1, 1, 0), "values follow"),
        (struct.pack("<ii", wire.GET_FUNCTION, 0), "has 1 values"),
        (struct.pack("<iiiQ", wire.GET_FUNCTION, 1, 8, 2**64 - 1), "bytes follow"),
        (struct.pack("<iiii", wire.GET_FUNCTION, 1, 71, 71), "unknown type 71"),
        (struct.pack("<iii", wire.GET_FUNCTION, 1, 10), "unknown type 10"),
        (struct.pack("<iQi", wire.CALL, 0, 0), "calls no function"),
        (struct.pack("<i", wire.RETURN), "which no client sends"),
        (struct.pack("<iQiiiBBH", wire.COPY_FROM, 0, 1, 0, 10**9, 2, 32, 1), "1000000000 dim"),
        (
            struct.pack("<iQiiiBBHqQQ", wire.COPY_FROM, 0, 1, 0, 1, 2, 32, 1, 4, 0, 17),
            "copies 17 bytes of a tensor that has 16",
        ),
        (
            struct.pack("<iQiiiBBHqQQ", wire.COPY_FROM, 0, 1, 0, 1, 2, 32, 1, 4, 12, 8),
            "copies 8 bytes of a tensor that has 4",
        ),
        (struct.pack("<iQiiiBBHqQQ", wire.COPY_FROM, 0, 1, 0, 1, 2, 32, 1, -4, 0, 0), "-4"),
        (INIT, "cannot go on"),
    ],
)
def test_what_no_client_sends(packet, words):
    with pytest.raises(wire.WireError, match=words):
        wire.check_request(packet)


def test_a_conversation_begins_with_its_version():
    with pytest.raises(wire.WireError, match="cannot begin"):
        wire.check_request(REQUESTS[0], first=True)


def test_changed_packets_are_refused_or_fine():
    chance = random.Random(0)
    refused = 0
    for _ in range(5000):
        for packets, check in ((REQUESTS, wire.check_request), (REPLIES, wire.check_reply)):
            try:
                check(changed(chance, chance.choice(packets)))
            except wire.WireError:
                refused += 1
    assert refused > 5000
    for _ in range(1000):
        with contextlib.suppress(wire.WireError):
            wire.check_request(chance.randbytes(chance.randint(0, 99)))
