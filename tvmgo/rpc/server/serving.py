# SPDX-License-Identifier: Apache-2.0
"""One session: the process between a client and the runtime."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from typing import NoReturn

from tvmgo._core.registry import get_global_function
from tvmgo.rpc import wire
from tvmgo.rpc.channel import Channel, PeerGone, PeerSilent, wait_for

_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


class _Filter:
    """Hands packets to the runtime: whole ones, which have been checked."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.ready = memoryview(b"")
        self.first = True

    def receive(self, count: int) -> bytes:
        """Return at most this many bytes, b"" at the end of the conversation."""
        if not self.ready:
            self.ready = memoryview(self._next())
        data, self.ready = bytes(self.ready[:count]), self.ready[count:]
        return data

    def _next(self) -> bytes:
        try:
            if not wait_for([self.channel], self.channel.timeout):
                raise PeerSilent
            packet = self.channel.read(self.channel.read_length())
            wire.check_request(packet, self.first)
            self.first = False
            return wire.framed(packet)
        except PeerGone:
            return b""
        except PeerSilent:
            return self._refuse(
                "RPCSessionTimeoutError: the server ends a session whose client is silent for "
                f"{self.channel.timeout:g} s"
            )
        except wire.WireError as error:
            return self._refuse(f"the server ends the session: {error}")

    def _refuse(self, why: str) -> bytes:
        try:
            self.channel.write(wire.exception_packet(why))
        except (PeerGone, PeerSilent):
            pass
        return b""

    def send(self, data: bytes) -> int:
        try:
            self.channel.write(data)
        except (PeerGone, PeerSilent):
            os._exit(0)  # there is nobody to serve
        return len(data)


def serve(sock: socket.socket, folder: str, timeout: float, longest_packet: int) -> NoReturn:
    """Serve a client until one of them ends the session, in a process that is for nothing else."""
    status = 1
    try:
        os.setsid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # clients' crashes fill no disk
        os.chdir(folder)
        filter = _Filter(Channel(sock, timeout, longest_packet))
        get_global_function("rpc.ServerLoop")(filter.send, filter.receive)
        status = 0
    except BaseException as error:
        print(f"tvmgo rpc server: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)
