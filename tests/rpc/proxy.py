# SPDX-License-Identifier: Apache-2.0
"""A network that behaves badly: a TCP proxy that delays, splits, stalls and cuts."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Hands bytes on between its clients and a server.

    Parameters
    ----------
    server : (str, int)
    piece : int
        The most bytes to hand on at a time.
    delay : float
        Seconds before each piece.
    stall_after, cut_after : int, optional
        After how many bytes from the server nothing comes any more, or the connections are closed.
    """

    def __init__(self, server, *, piece=65536, delay=0.0, stall_after=None, cut_after=None):
        self.server, self.piece, self.delay = server, piece, delay
        self.stall_after, self.cut_after = stall_after, cut_after
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.open = []
        self.closed = threading.Event()
        self.threads = []
        self._start(self._accept)

    def _start(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
                self.open += [client, server]
                self._start(self._pump, client, server, None, None)
                self._start(self._pump, server, client, self.stall_after, self.cut_after)

    def _pump(self, source, target, stall_after, cut_after):
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(self.piece):
                time.sleep(self.delay)
                if stall_after is not None and passed + len(data) > stall_after:
                    target.sendall(data[: stall_after - passed])
                    self.closed.wait()
                    break
                if cut_after is not None and passed + len(data) > cut_after:
                    target.sendall(data[: cut_after - passed])
                    break
                target.sendall(data)
                passed += len(data)
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.closed.set()
        for sock in (self.listener, *self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self.threads:
            thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
