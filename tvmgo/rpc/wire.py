# SPDX-License-Identifier: Apache-2.0
"""TVM's protocol for calls between machines, in the form of TVM 0.21 and later: its numbers, and
whether a packet is what it says.

The runtime believes every count and length in a packet that it is given. So nothing reaches it that
has not been through `check_request` or `check_reply`.
"""

from __future__ import annotations

import struct

MAGIC = 0xFF271  # begins a conversation, and accepts one
DUPLICATE = MAGIC + 1
MISMATCH = MAGIC + 2
LONGEST_KEY = 4096

(
    SHUTDOWN,
    INIT_SERVER,
    CALL,
    RETURN,
    EXCEPTION,
    COPY_FROM,
    COPY_TO,
    COPY_ACK,
    GET_FUNCTION,
    FREE_HANDLE,
    SET_DEVICE,
    GET_ATTRIBUTE,
    ALLOCATE,
    FREE_DATA,
    STREAM_SYNC,
    COPY_AMONG,
    ALLOCATE_WITH_SCOPE,
    CREATE_STREAM,
    FREE_STREAM,
    SET_STREAM,
    GET_STREAM,
) = range(1, 22)

# How many values come with each; the runtime reads them without looking.
_ARGUMENTS = {
    GET_FUNCTION: 1,
    FREE_HANDLE: 1,
    SET_DEVICE: 1,
    GET_ATTRIBUTE: 2,
    ALLOCATE: 4,
    FREE_DATA: 2,
    STREAM_SYNC: 2,
    COPY_AMONG: 3,
    ALLOCATE_WITH_SCOPE: 2,
    CREATE_STREAM: 1,
    FREE_STREAM: 2,
    SET_STREAM: 2,
    GET_STREAM: 1,
}

# Types of values.
_NONE, _INT, _BOOL, _FLOAT, _POINTER, _DTYPE, _DEVICE, _TENSOR, _TEXT, _BYTES = range(10)
_SMALL_TEXT, _SMALL_BYTES, _FIRST_OBJECT = 11, 12, 64
_STRING_OBJECT, _BYTES_OBJECT, _FUNCTION, _MODULE, _REMOTE_OBJECT = 65, 66, 68, 73, 115
_EIGHT_BYTES = {_INT, _BOOL, _FLOAT, _POINTER, _DTYPE, _DEVICE, _FUNCTION, _MODULE}
_MOST_DIMENSIONS = 64

_OLD = "; TVM 0.20 and older wrote other packets than TVM 0.21 and later"


class WireError(Exception):
    """A packet, or what begins a conversation, is not what the protocol says."""


class _Reader:
    """The fields of a packet, one after the other."""

    def __init__(self, packet: bytes | bytearray) -> None:
        self.packet = packet
        self.at = 0

    def number(self, form: str) -> int:
        size = struct.calcsize(form)
        if self.left < size:
            raise WireError(f"a packet of {len(self.packet)} bytes is too short for what it holds")
        (value,) = struct.unpack_from("<" + form, self.packet, self.at)
        self.at += size
        number: int = value
        return number

    @property
    def left(self) -> int:
        return len(self.packet) - self.at

    def skip(self, count: int) -> None:
        if not 0 <= count <= self.left:
            raise WireError(f"a packet says that {count} bytes follow, and {self.left} do")
        self.at += count

    def tensor(self) -> int:
        """Pass over a tensor; return how many bytes it has from where it begins."""
        self.skip(16)  # address and device
        dimensions = self.number("i")
        _code, bits, lanes = self.number("B"), self.number("B"), self.number("H")
        if not 0 <= dimensions <= _MOST_DIMENSIONS:
            raise WireError(f"a packet has a tensor of {dimensions} dimensions")
        size = (bits * lanes + 7) // 8
        for _ in range(dimensions):
            length = self.number("q")
            if length < 0:
                raise WireError(f"a packet has a tensor with a dimension of {length}")
            size *= length
        return size - self.number("Q")

    def values(self) -> list[int]:
        """Pass over a sequence of values; return their types."""
        try:
            count = self.number("i")
            if not 0 <= count <= self.left // 4:
                raise WireError(f"a packet says that {count} values follow, which do not fit")
            return [self.value() for _ in range(count)]
        except WireError as error:
            raise WireError(f"{error}{_OLD}") from None

    def value(self) -> int:
        kind = self.number("i")
        if kind in _EIGHT_BYTES:
            self.skip(8)
        elif kind == _TENSOR:
            self.tensor()
        elif kind in (_TEXT, _BYTES):
            self.skip(self.number("Q"))
        elif kind >= _FIRST_OBJECT or kind in (_SMALL_TEXT, _SMALL_BYTES):
            self.object()
        elif kind != _NONE:
            raise WireError(f"a packet has a value of the unknown type {kind}")
        return kind

    def object(self) -> None:
        kind = self.number("I")
        if kind == _REMOTE_OBJECT:
            self.skip(8)
        elif kind in (_STRING_OBJECT, _BYTES_OBJECT):
            self.skip(self.number("Q"))
        else:
            raise WireError(f"a packet has an object of the unknown type {kind}")


def code_of(packet: bytes | bytearray) -> int:
    """What a packet is for: CALL, RETURN, ..."""
    return _Reader(packet).number("i")


def check_request(packet: bytes | bytearray, first: bool = False) -> None:
    """Raise `WireError` unless it is a client's packet; the first one of a conversation, or another."""
    reader = _Reader(packet)
    code = reader.number("i")
    if first != (code == INIT_SERVER) and code != SHUTDOWN:
        raise WireError(f"a conversation cannot {'begin' if first else 'go on'} with packet {code}")
    if code == INIT_SERVER:
        reader.skip(reader.number("Q"))  # the version
        reader.values()
    elif code == CALL:
        if reader.number("Q") == 0:
            raise WireError("a packet calls no function")
        reader.values()
    elif code in (COPY_FROM, COPY_TO):
        size = reader.tensor()
        count = reader.number("Q")
        if count > size:
            raise WireError(f"a packet copies {count} bytes of a tensor that has {size}")
        if code == COPY_TO:
            reader.skip(count)
    elif code in _ARGUMENTS:
        if len(reader.values()) != _ARGUMENTS[code]:
            raise WireError(f"a packet with number {code} has {_ARGUMENTS[code]} values")
    elif code != SHUTDOWN:
        raise WireError(f"a packet has the number {code}, which no client sends")
    _require_end(reader)


def check_reply(packet: bytes | bytearray) -> None:
    """Raise `WireError` unless it is a server's packet."""
    reader = _Reader(packet)
    code = reader.number("i")
    if code == COPY_ACK:
        return
    if code not in (RETURN, EXCEPTION):
        raise WireError(f"a packet has the number {code}, which no server sends")
    kinds = reader.values()
    if not kinds or (code == EXCEPTION and kinds != [_TEXT]):
        raise WireError("a packet lacks its value")
    _require_end(reader)


def _require_end(reader: _Reader) -> None:
    if reader.left:
        raise WireError(f"a packet has {reader.left} bytes too many")


def exception_packet(message: str) -> bytes:
    """Return what makes the runtime at the other end raise an error, its length before it."""
    text = message.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    body = struct.pack("<iiiQ", EXCEPTION, 1, _TEXT, len(text)) + text
    return framed(body)


def message_of(packet: bytes | bytearray) -> str:
    """The message of an exception packet that `check_reply` has passed."""
    return bytes(packet[struct.calcsize("<iiiQ") :]).decode("utf-8", "backslashreplace")


def framed(packet: bytes | bytearray) -> bytes:
    """Return a packet with its length before it."""
    return struct.pack("<Q", len(packet)) + packet


def greeting(key: str, code: int = MAGIC) -> bytes:
    """Return what begins a conversation: a magic number, and a key, its length before it."""
    text = key.encode()
    return struct.pack("<ii", code, len(text)) + text


def key_length(head: bytes | bytearray) -> int:
    """The length of the key that follows these 4 bytes."""
    (length,) = struct.unpack("<i", head)
    if not 0 <= length <= LONGEST_KEY:
        raise WireError(f"a key of {length} bytes")
    number: int = length
    return number


def check_key(key: str) -> str:
    """Return `key`; ValueError if it cannot be sent: options follow a key after a space."""
    from tvmgo.exceptions import TVMTypeError, TVMValueError

    if not isinstance(key, str):
        raise TVMTypeError(f"key: expected a str, got {type(key).__name__}")
    if any(c.isspace() or c == "\0" for c in key) or len(key.encode()) > LONGEST_KEY // 2:
        raise TVMValueError(
            f"key: expected a word of at most {LONGEST_KEY // 2} bytes, got {key[:80]!r}"
        )
    return key
