# SPDX-License-Identifier: Apache-2.0
"""A connection on which no wait is without end."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tvmgo.rpc.wire import WireError

_Result = TypeVar("_Result")

# A packet may take as long as a wait may, and a second more for this many bytes.
SLOWEST_BYTES_PER_SECOND = 8192
_PIECE = 1 << 20


class PeerGone(Exception):
    """The other side has closed the connection, or the network has."""


class PeerSilent(Exception):
    """The other side has not said or taken anything for too long."""


class Channel:
    """The packets of a connection.

    Parameters
    ----------
    sock : socket.socket
    timeout : float
        How long to wait for the next byte of what has begun; for a packet in all, a second more for
        each 8 KiB of it.
    limit : int
        The longest packet.
    """

    def __init__(self, sock: socket.socket, timeout: float, limit: int) -> None:
        self.sock = sock
        self.timeout = timeout
        self.limit = limit

    def read(self, count: int) -> bytearray:
        """Return this many bytes; memory is taken as they come."""
        data = bytearray()
        for piece in self.pieces(count):
            data += piece
        return data

    def pieces(self, count: int) -> Iterator[bytes]:
        """Yield this many bytes as they come."""
        end = self._end(count)
        while count:
            piece = self._until(end, self.sock.recv, min(count, _PIECE))
            if not piece:
                raise PeerGone
            count -= len(piece)
            yield piece

    def read_length(self) -> int:
        """Return the length of the next packet."""
        (length,) = struct.unpack("<Q", self.read(8))
        if not 4 <= length <= self.limit:
            raise WireError(f"a packet of {length} bytes, of which {self.limit} are allowed")
        number: int = length
        return number

    def write(self, data: bytes | bytearray | memoryview) -> None:
        end = self._end(len(data))
        view = memoryview(data)
        while view:
            sent = self._until(end, self.sock.send, view[:_PIECE])
            view = view[sent:]

    def _end(self, count: int) -> float:
        return time.monotonic() + self.timeout + count / SLOWEST_BYTES_PER_SECOND

    def _until(self, end: float, call: Callable[[Any], _Result], argument: Any) -> _Result:
        left = end - time.monotonic()
        if left <= 0:
            raise PeerSilent
        self.sock.settimeout(min(left, self.timeout))
        try:
            return call(argument)
        except TimeoutError:
            raise PeerSilent from None
        except OSError as error:
            raise PeerGone(str(error)) from None

    def close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def wait_for(channels: list[Channel], timeout: float | None) -> list[Channel]:
    """Return those of them that have something to read; none after `timeout` seconds."""
    poll = select.poll()  # `select` refuses descriptors from 1024 on
    by_number = {channel.sock.fileno(): channel for channel in channels}
    for number in by_number:
        poll.register(number, select.POLLIN)
    events = poll.poll(None if timeout is None else max(0, timeout) * 1000)
    return [by_number[number] for number, _ in events]


def keep_alive(sock: socket.socket) -> None:
    """Have the system notice that the other machine is gone, and send small packets at once."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
