# SPDX-License-Identifier: Apache-2.0
"""The process that accepts clients. It has no threads, so that it can fork, and runs none of what
clients send.
"""

from __future__ import annotations

import contextlib
import gc
import hmac
import os
import select
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tvmgo._native import locate
from tvmgo.rpc import wire
from tvmgo.rpc.channel import keep_alive
from tvmgo.rpc.server import functions, serving

GREETING_TIMEOUT = 10.0  # for what begins a conversation
LONGEST_PACKET = 1 << 30
_MOST_GREETING = 512  # connections that have not said their key; the oldest goes
_GRACE = 5.0  # for a session whose client is gone
_TICK = 0.5


@dataclass
class _Greeting:
    """A connection that has not said its key, or waits for a session to end."""

    sock: socket.socket
    peer: str
    end: float
    said: bytearray = field(default_factory=bytearray)
    needs: int = 4


@dataclass
class _Running:
    """A session."""

    process: int
    sock: socket.socket
    peer: str
    folder: str
    end: float
    gone: float | None = None  # since when its client has been


class Server:
    """Accepts clients, and gives each a process and a folder.

    Parameters
    ----------
    host : str, default "127.0.0.1"
    port : int, default 9090
        0 takes a free one.
    key : str, default ""
    timeout : float, default 600
        After how many seconds without a word of its client a session ends; a client that waits for a
        session to end waits as long.
    sessions : int, default 8
        How many there may be at a time.
    longest_packet : int, default 1 GiB
    log : callable, optional
        Gets a line for what happens; default: to stderr.

    Attributes
    ----------
    address : (str, int)
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 9090,
        key: str = "",
        *,
        timeout: float = 600.0,
        sessions: int = 8,
        longest_packet: int = LONGEST_PACKET,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self.key = wire.check_key(key)
        self.timeout = timeout
        self.sessions = sessions
        self.longest_packet = longest_packet
        self.log = log or (lambda line: print(line, file=sys.stderr, flush=True))
        locate.load()
        functions.register(longest_packet)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self._listener.setblocking(False)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._greetings: dict[int, _Greeting] = {}
        self._waiting: list[tuple[_Greeting, float]] = []  # and how long their sessions may last
        self._running: list[_Running] = []
        gc.freeze()  # children share these objects' memory

    def serve_forever(self) -> None:
        """Serve until an exception, such as that of Ctrl-C, ends it."""
        while True:
            self.serve_once()

    def serve_once(self) -> None:
        """Do what there is to do, waiting for half a second at most."""
        for key, _ in self._selector.select(_TICK if not self._running else _TICK / 10):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fd in self._greetings:
                self._hear(self._greetings[key.fd])
        self._end_late_greetings()
        self._watch_sessions()
        while self._waiting and len(self._running) < self.sessions:
            self._begin(*self._waiting.pop(0))

    def close(self) -> None:
        """End all sessions, and listen no more."""
        for greeting in [*self._greetings.values(), *(each for each, _ in self._waiting)]:
            self._dismiss(greeting)
        self._waiting.clear()
        for session in self._running:
            self._kill(session)
            os.waitpid(session.process, 0)
            self._clear(session)
        self._running.clear()
        self._selector.close()
        self._listener.close()

    # ---------------------------------------------------------------- greetings

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError:  # gone again, or there are no descriptors left
            return
        sock.setblocking(False)
        keep_alive(sock)
        greeting = _Greeting(
            sock, f"{address[0]}:{address[1]}", time.monotonic() + GREETING_TIMEOUT
        )
        if len(self._greetings) >= _MOST_GREETING:
            self._dismiss(next(iter(self._greetings.values())))
        self._greetings[sock.fileno()] = greeting
        self._selector.register(sock, selectors.EVENT_READ)

    def _hear(self, greeting: _Greeting) -> None:
        """Take what a client says, and not a byte more than its key."""
        try:
            data = greeting.sock.recv(greeting.needs - len(greeting.said))
            greeting.said += data
            if not data:
                self._dismiss(greeting)
            elif len(greeting.said) == greeting.needs:
                self._understand(greeting)
        except BlockingIOError:
            pass
        except (OSError, wire.WireError, ValueError):
            self._dismiss(greeting)

    def _understand(self, greeting: _Greeting) -> None:
        said = greeting.said
        if len(said) == 4:
            if int.from_bytes(said, "little") != wire.MAGIC:
                raise wire.WireError("another protocol")
            greeting.needs = 8
        elif len(said) == 8:
            length = wire.key_length(said[4:])
            greeting.needs = 8 + length
        if len(said) == greeting.needs:
            self._take_key(greeting, said[8:].decode().split())

    def _take_key(self, greeting: _Greeting, words: list[str]) -> None:
        expected = f"client:{self.key}"
        if not words or not hmac.compare_digest(words[0].encode(), expected.encode()):
            self.log(f"{greeting.peer}: another key")
            greeting.sock.send(wire.MISMATCH.to_bytes(4, "little"))
            self._dismiss(greeting)
            return
        seconds = float("inf")
        for word in words[1:]:
            if word.startswith("-timeout="):
                seconds = max(0.0, float(word.removeprefix("-timeout=")))
        self._forget(greeting)
        greeting.end = time.monotonic() + self.timeout
        self._waiting.append((greeting, seconds))

    def _end_late_greetings(self) -> None:
        now = time.monotonic()
        for greeting in [each for each in self._greetings.values() if each.end < now]:
            self._dismiss(greeting)
        for item in [item for item in self._waiting if _is_gone(item[0].sock) or item[0].end < now]:
            self._waiting.remove(item)
            item[0].sock.close()

    def _forget(self, greeting: _Greeting) -> None:
        if self._greetings.pop(greeting.sock.fileno(), None) is not None:
            self._selector.unregister(greeting.sock)

    def _dismiss(self, greeting: _Greeting) -> None:
        self._forget(greeting)
        greeting.sock.close()

    # ---------------------------------------------------------------- sessions

    def _begin(self, greeting: _Greeting, seconds: float) -> None:
        """Accept a client, in a process of its own."""
        sock, peer = greeting.sock, greeting.peer
        try:
            sock.send(wire.greeting(f"server:{self.key}"))
        except OSError:
            sock.close()
            return
        folder = tempfile.mkdtemp(prefix="tvmgo-rpc-")
        process = os.fork()
        if process == 0:
            self._close_descriptors(sock)
            serving.serve(sock, folder, self.timeout, self.longest_packet)
        self.log(f"{peer}: session {process} begins")
        end = time.monotonic() + seconds
        self._running.append(_Running(process, sock, peer, folder, end))

    def _close_descriptors(self, own: socket.socket) -> None:
        """In a new session's process: leave nothing open that is another's."""
        with contextlib.suppress(OSError):
            self._selector.close()
        for sock in (
            self._listener,
            *(each.sock for each in self._greetings.values()),
            *(each.sock for each, _ in self._waiting),
            *(each.sock for each in self._running),
        ):
            if sock is not own:
                sock.close()

    def _watch_sessions(self) -> None:
        now = time.monotonic()
        for session in list(self._running):
            process, status = os.waitpid(session.process, os.WNOHANG)
            if process:
                self._say_end(session, os.waitstatus_to_exitcode(status))
                self._finish(session)
            elif session.end < now:
                self._kill(session)
                os.waitpid(session.process, 0)
                self._tell(session, "RPCSessionTimeoutError: the session's time is over")
                self.log(f"{session.peer}: session {session.process} has used up its time")
                self._finish(session)
            elif _is_gone(session.sock):
                session.gone = session.gone or now
                if session.gone + _GRACE < now:
                    self._kill(session)  # and be told of its end

    def _say_end(self, session: _Running, code: int) -> None:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        self.log(f"{session.peer}: session {session.process} ends {how}")
        if code:
            self._tell(session, f"the session's process ended {how}")

    def _tell(self, session: _Running, why: str) -> None:
        with contextlib.suppress(OSError):
            session.sock.setblocking(False)
            session.sock.send(wire.exception_packet(why))

    def _kill(self, session: _Running) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(session.process, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(session.process, signal.SIGKILL)

    def _finish(self, session: _Running) -> None:
        self._running.remove(session)
        self._clear(session)

    def _clear(self, session: _Running) -> None:
        with contextlib.suppress(OSError):  # what it has started and left behind
            os.killpg(session.process, signal.SIGKILL)
        session.sock.close()
        shutil.rmtree(session.folder, ignore_errors=True)


def _is_gone(sock: socket.socket) -> bool:
    """Whether a client has closed its connection."""
    poll = select.poll()
    poll.register(sock.fileno(), getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))
