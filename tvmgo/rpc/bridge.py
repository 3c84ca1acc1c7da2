# SPDX-License-Identifier: Apache-2.0
"""What a client's runtime talks to in place of the server.

The runtime waits without end for whatever it talks to, and believes all that it is told. So it is
connected to a thread of this process, which hands its packets on and the answers back: whole ones,
checked, and within a time. Where there is no answer the thread gives one itself: an error that says
why.
"""

from __future__ import annotations

import array
import atexit
import fcntl
import os
import secrets
import socket
import termios
import threading
import weakref
from collections.abc import Iterator

from tvmgo._core.handle import answer_here, release_deferred
from tvmgo.exceptions import TVMRPCError
from tvmgo.rpc import wire
from tvmgo.rpc.channel import Channel, PeerGone, PeerSilent, wait_for

_TIMED_OUT = "RPCSessionTimeoutError: "  # by which the runtime knows that kind of error
_INTERRUPTED = (
    "a call was interrupted, and its answer must not be taken for another's; connect again"
)
_LOCAL_TIMEOUT = 60.0  # for this process's own runtime, which does nothing but read and write

_open: weakref.WeakSet[Bridge] = weakref.WeakSet()


class _Interrupted(Exception):
    """The runtime has not waited for an answer."""


class Bridge:
    """A thread between this process's runtime and a server.

    Parameters
    ----------
    server : Channel
        On which the conversation has begun.
    name : str
        The server in messages.

    Attributes
    ----------
    address : (str, int)
        Where the runtime finds it.
    token : str
        The key that only this process's runtime knows.
    timeout : float
        How long to wait for an answer, in seconds.
    reason : str or None
        Why there will be no more answers.
    requests : int
        How many the runtime has made.
    """

    def __init__(self, server: Channel, name: str) -> None:
        self.server = server
        self.name = name
        self.timeout = server.timeout
        self.reason: str | None = None
        self.requests = 0
        self.token = secrets.token_hex(16)
        self.runtime: Channel | None = None
        self._runtime_end = -1, -1  # the runtime's descriptor, and its inode
        self._last_reply = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(_LOCAL_TIMEOUT)
        self.address: tuple[str, int] = self._listener.getsockname()
        _open.add(self)
        threading.Thread(target=self._run, name="tvmgo-rpc", daemon=True).start()

    def close(self, reason: str) -> None:
        """End the conversation; whoever asks for something from now on is told the reason."""
        if self.reason is None:
            self.reason = reason
        try:
            self.server.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def leave(self) -> None:
        """Be gone, too; the runtime finds that out by itself."""
        self.close("the process ends")
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # ends a wait there
        except OSError:
            pass
        self._listener.close()
        if self.runtime is not None:
            self.runtime.close()

    def forget(self) -> None:
        """In a forked child: the conversation is the parent's, of which no byte is to be taken."""
        self.reason = "the session is of the process that this one was forked from"
        nobody, other = socket.socketpair()
        other.close()
        try:
            self._runtime_socket().close()
            os.dup2(nobody.fileno(), self._runtime_end[0])
        except (OSError, PeerGone):  # there is none, or no more
            pass
        nobody.close()
        self.server.sock.close()
        self._listener.close()
        if self.runtime is not None:
            self.runtime.sock.close()

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        answer_here(True)
        try:
            self.runtime = self._accept()
            while self._serve_one(self.runtime):
                pass
        except (PeerGone, PeerSilent, OSError, ValueError):
            pass  # the runtime is gone, or this process is about to be
        finally:
            _open.discard(self)
            self.close("the session is over")
            self.server.close()
            self._listener.close()
            if self.runtime is not None:
                self.runtime.close()
            answer_here(False)
            release_deferred()

    def _accept(self) -> Channel:
        """Wait for the runtime; whoever else comes does not know the token."""
        expected = wire.greeting(f"client:{self.token}")
        while True:
            sock, peer = self._listener.accept()
            channel = Channel(sock, _LOCAL_TIMEOUT, 1 << 62)
            if secrets.compare_digest(bytes(channel.read(len(expected))), expected):
                break
            channel.close()
        self._listener.close()
        self._runtime_end = _descriptor_with_name(peer)
        channel.write(wire.greeting("server:tvmgo"))
        return channel

    def _serve_one(self, runtime: Channel) -> bool:
        """Serve one packet of the runtime's; return False after the last one."""
        while runtime not in wait_for(
            [runtime] if self.reason is not None else [runtime, self.server], None
        ):
            self._hear_out_of_turn()
        if self._unread() and not self._drop_unread():
            return False
        length = runtime.read_length()
        self.requests += 1
        body = runtime.pieces(length)
        head = next(body)
        while len(head) < 4:
            head += next(body)
        last = wire.code_of(head) == wire.SHUTDOWN
        reply = self._ask(runtime, length, head, body)
        for _ in body:  # what the server has not taken
            pass
        if last:
            return False
        self._last_reply = len(reply)
        runtime.write(reply)
        return True

    def _ask(self, runtime: Channel, length: int, head: bytes, body: Iterator[bytes]) -> bytes:
        """Hand a request on, and return the answer, or an error that says why there is none."""
        if self.reason is not None:
            return wire.exception_packet(self.reason)
        try:
            self.server.write(length.to_bytes(8, "little") + head)
            for piece in body:
                self.server.write(piece)
            if wire.code_of(head) == wire.SHUTDOWN:
                return b""
            return self._answer(runtime)
        except _Interrupted:
            self.close(_INTERRUPTED)
        except PeerGone as error:
            self.close(self._say_gone(error))
        except PeerSilent:
            self.close(f"{_TIMED_OUT}no answer from {self.name} within {self.timeout:g} s")
        except wire.WireError as error:
            self.close(f"{self.name} breaks the protocol: {error}")
        return wire.exception_packet(self.reason or "")

    def _answer(self, runtime: Channel) -> bytes:
        ready = wait_for([runtime, self.server], self.timeout)
        if runtime in ready:
            raise _Interrupted
        if not ready:
            raise PeerSilent
        packet = self.server.read(self.server.read_length())
        wire.check_reply(packet)
        return wire.framed(packet)

    def _say_gone(self, error: PeerGone) -> str:
        said = f" ({error})" if str(error) else ""
        return f"{self.name} closed the connection{said}"

    def _hear_out_of_turn(self) -> None:
        """The server ends the conversation while nobody asks for anything; it may say why."""
        try:
            packet = self.server.read(self.server.read_length())
            wire.check_reply(packet)
            told = wire.code_of(packet) == wire.EXCEPTION
            self.close(wire.message_of(packet) if told else f"{self.name} speaks out of turn")
        except PeerGone as error:
            self.close(self._say_gone(error))
        except PeerSilent:
            self.close(f"{self.name} sent half a packet")
        except wire.WireError as error:
            self.close(f"{self.name} breaks the protocol: {error}")

    # ---------------------------------------------------------------- interrupted calls

    def _unread(self) -> int:
        """How many bytes of an answer the runtime has not read although it asks the next thing.

        That is after Ctrl-C: it would take the answer for that of its next call.
        """
        with self._runtime_socket() as end:
            return _bytes_to_read(end)

    def _drop_unread(self) -> bool:
        """Take the answer back; False if the runtime has part of it."""
        self.close(_INTERRUPTED)
        with self._runtime_socket() as end:
            count = _bytes_to_read(end)
            dropped = 0
            while dropped < count:
                dropped += len(end.recv(count - dropped, socket.MSG_DONTWAIT))
        return dropped == self._last_reply

    def _runtime_socket(self) -> socket.socket:
        """The runtime's end of the connection; PeerGone if its number is another file's by now."""
        copy = os.dup(self._runtime_end[0])
        if os.fstat(copy).st_ino != self._runtime_end[1]:
            os.close(copy)
            raise PeerGone
        return socket.socket(fileno=copy)


def _bytes_to_read(sock: socket.socket) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, count)
    return count[0]


def _descriptor_with_name(name: tuple[str, int]) -> tuple[int, int]:
    """The descriptor of this process's socket that has this address, and its inode."""
    for entry in os.listdir("/dev/fd"):
        try:
            copy = os.dup(int(entry))
        except OSError:  # of the folder itself
            continue
        try:
            with socket.socket(fileno=copy) as sock:
                if sock.family == socket.AF_INET and sock.getsockname() == name:
                    return int(entry), os.fstat(copy).st_ino
        except OSError:  # no socket
            os.close(copy)
    raise TVMRPCError("the runtime's connection to this process cannot be found")


def _leave_all() -> None:
    for bridge in list(_open):
        bridge.leave()


def _forget_all() -> None:
    for bridge in list(_open):
        bridge.forget()
    _open.clear()


atexit.register(_leave_all)
os.register_at_fork(after_in_child=_forget_all)
