# SPDX-License-Identifier: Apache-2.0
"""The client: connecting, and what there is on the other machine."""

from __future__ import annotations

import json
import os
import socket
import struct
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from tvmgo._core import device_api
from tvmgo._core.array import Array, empty
from tvmgo._core.bytearray import ByteArray
from tvmgo._core.device import REMOTE_STEP, Device
from tvmgo._core.function import Function
from tvmgo._core.module import Module
from tvmgo._core.native import answer_signals
from tvmgo._core.registry import get_global_function
from tvmgo._native import locate
from tvmgo.exceptions import (
    TVMError,
    TVMFileNotFoundError,
    TVMFunctionNotFoundError,
    TVMRPCError,
    TVMRPCTimeoutError,
    TVMTypeError,
    TVMValueError,
)
from tvmgo.made import Made
from tvmgo.rpc import wire
from tvmgo.rpc.bridge import Bridge
from tvmgo.rpc.channel import Channel, PeerGone, PeerSilent, keep_alive
from tvmgo.rpc.machines import check_library

_LONGEST_ANSWER = 1 << 33
_PIECE = 1 << 22  # of an upload
_CLOSED = "the session is closed"

# By index, as long as they are open.
_sessions: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()


def _open_session(device: Device) -> Session | None:
    return _sessions.get(device.device_type // REMOTE_STEP - 1)


def _root_of(device: Device) -> Module | None:
    session = _open_session(device)
    return None if session is None else session._root


device_api.find_session = _root_of


def connect(
    host: str,
    port: int = 9090,
    key: str = "",
    *,
    timeout: float = 60.0,
    session_timeout: float | None = None,
) -> Session:
    """Connect to an RPC server: ``tvmgo rpc server``, or one of apache-tvm's from 0.21 on.

    Parameters
    ----------
    host : str
        Name or address.
    port : int, default 9090
    key : str, default ""
        The server's key, a word. It keeps clients apart, and is no protection: it is sent as it is.
    timeout : float, default 60
        How many seconds to wait for the connection, for the answer to a call, and for the next byte of
        what has begun. Calls that take longer, such as `Module.time_evaluator`'s, need more.
    session_timeout : float, optional
        After how many seconds the server ends the session, whatever it is doing.

    Returns
    -------
    Session

    Raises
    ------
    TVMRPCTimeoutError
        If the server does not answer in time.
    TVMRPCError
        If there is no server, it has another key, or it speaks the protocol of another version.
    ValueError, TypeError
        If an argument is of the wrong type or value.
    ImportError
        If libtvm_runtime is not installed.

    Notes
    -----
    A process can have 32 sessions at a time. Releases the GIL while it waits; Ctrl-C ends the wait.
    Source: ``rpc.Connect``; TVM's ``rpc.connect``.
    """
    wire.check_key(key)
    if not isinstance(host, str):
        raise TVMTypeError(f"host: expected a str, got {type(host).__name__}")
    if host.count(":") == 1:  # an address of IPv6 has more
        raise TVMValueError(
            f"host: expected a name or an address, got {host!r}; the port is an argument of its own"
        )
    if isinstance(port, bool) or not isinstance(port, int):
        raise TVMTypeError(f"port: expected an int, got {type(port).__name__}")
    if not 0 < port < 65536:
        raise TVMValueError(f"port: expected a number from 1 to 65535, got {port}")
    seconds = check_seconds("timeout", timeout)
    options = ""
    if session_timeout is not None:
        options = f" -timeout={check_seconds('session_timeout', session_timeout):g}"
    locate.load()
    answer_signals()
    name = f"the RPC server at {host}:{port}"
    channel = _greet(host, port, key, options, seconds, name)
    bridge = Bridge(channel, name)
    try:
        root = get_global_function("rpc.Connect")(*bridge.address, bridge.token, False)
        return Session._make(root, bridge)
    except BaseException:
        bridge.leave()
        raise


def check_seconds(argument: str, given: Any) -> float:
    """Return a number of seconds; TypeError or ValueError if it is none."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TVMTypeError(f"{argument}: expected a number of seconds, got {type(given).__name__}")
    if not 0 < given <= 1e8:
        raise TVMValueError(f"{argument}: expected a positive number of seconds, got {given!r}")
    return float(given)


def _greet(host: str, port: int, key: str, options: str, timeout: float, name: str) -> Channel:
    """Open a connection and begin the conversation."""
    try:
        sock = socket.create_connection((host, port), timeout)
    except TimeoutError:
        raise TVMRPCTimeoutError(f"{name} cannot be reached within {timeout:g} s") from None
    except (OSError, UnicodeError) as error:
        raise TVMRPCError(f"{name} cannot be reached: {error}") from None
    keep_alive(sock)
    channel = Channel(sock, timeout, _LONGEST_ANSWER)
    try:
        channel.write(wire.greeting(f"client:{key}{options}"))
        (code,) = struct.unpack("<i", channel.read(4))
        if code == wire.MISMATCH:
            raise TVMRPCError(f"{name} has another key than {key!r}")
        if code == wire.DUPLICATE:
            raise TVMRPCError(f"{name} has another client with the key {key!r}")
        if code != wire.MAGIC:
            raise TVMRPCError(f"{name} is no RPC server of TVM: it answers 0x{code & 0xFFFFFFFF:x}")
        channel.read(wire.key_length(channel.read(4)))
        return channel
    except BaseException as error:
        channel.close()
        if isinstance(error, PeerSilent):
            raise TVMRPCTimeoutError(f"no answer from {name} within {timeout:g} s") from None
        if isinstance(error, (PeerGone, wire.WireError)):
            raise TVMRPCError(f"{name} did not accept the connection: {error}") from None
        raise


class Session(Made):
    """A process on another machine, of which modules, functions and arrays can be used from here.

    Made by `connect`. As a context manager it closes itself.

    Attributes
    ----------
    name : str
        The server in messages.
    machine : dict or None
        What a tvmgo server tells of itself: "machine", "tvmgo" and "runtime". None for others.

    Notes
    -----
    For any number of threads; their calls take turns. All of them release the GIL while they wait, and
    Ctrl-C ends a wait; the session is of no use then. In a forked child, it is not either.
    """

    __module__ = "tvmgo.rpc"
    _made_by = "tvmgo.rpc.connect"

    def _begin(self, root: Module, bridge: Bridge) -> None:
        self.name = bridge.name
        self._root: Module | None = root
        self._bridge = bridge
        self._functions: dict[str, Function] = {}
        self._index: int = get_global_function("rpc.SessTableIndex")(root)
        describe = self._find("tvmgo.rpc.server.describe")
        self.machine: dict[str, str] | None = json.loads(describe()) if describe else None
        _sessions[self._index] = self

    @property
    def timeout(self) -> float:
        """How many seconds a call may take; may be set."""
        return self._bridge.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._bridge.timeout = self._bridge.server.timeout = check_seconds("timeout", seconds)

    @property
    def closed(self) -> bool:
        """Whether the session is over: closed, lost or interrupted."""
        return self._bridge.reason is not None

    def close(self) -> None:
        """End the session. What is left of it here raises `TVMRPCError` when it is used."""
        if _sessions.get(self._index) is self:
            del _sessions[self._index]
        self._bridge.close(_CLOSED)
        self._functions.clear()
        self._root = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tvmgo.rpc.Session with {self.name}{', closed' if self.closed else ''}>"

    # ---------------------------------------------------------------- functions and devices

    def get_function(self, name: str) -> Function:
        """Return a global function of the other process.

        Raises
        ------
        KeyError
            If it has none of that name.

        Notes
        -----
        Arguments are numbers, strings, bytes, devices of this session, and what came from it:
        arrays, functions and modules. Arrays of this machine are not taken; `array` sends them.
        """
        function = self._find(name)
        if function is None:
            raise TVMFunctionNotFoundError(f"{self.name} has no function {name!r}")
        return function

    def _find(self, name: str) -> Function | None:
        _require_str("name", name)
        if name not in self._functions:
            if name not in self._open():
                return None
            self._functions[name] = self._open()[name]
        return self._functions[name]

    def _open(self) -> Module:
        if self._root is None:
            raise TVMRPCError(_CLOSED)
        return self._root

    def device(self, device: Device | str = "cpu", device_id: int | None = None) -> Device:
        """Return a device of the other machine.

        Parameters
        ----------
        device : Device or str, default "cpu"
        device_id : int, optional

        Raises
        ------
        ValueError
            If it is a device of a session, or there is no such kind.
        TVMRPCError
            If the session is closed.
        """
        self._open()
        local = Device(device, device_id)
        if not 0 < local.device_type < REMOTE_STEP:
            raise TVMValueError(f"device: expected a kind of device, got {local}")
        return Device(local.device_type + (self._index + 1) * REMOTE_STEP, local.device_id)

    def cpu(self, device_id: int = 0) -> Device:
        """Return the other machine's CPU."""
        return self.device("cpu", device_id)

    def empty(
        self, shape: int | Sequence[int], dtype: Any = "float32", device: Device | str = "cpu"
    ) -> Array:
        """Make an array in the other machine's memory, as `tvmgo.empty` does here.

        `device` is a kind of device, or one of this session's; errors are those of `tvmgo.empty`, and
        `TVMRPCError` if there is no memory or no session.
        """
        return empty(shape, dtype, self._own(device))

    def array(self, values: Any, device: Device | str = "cpu") -> Array:
        """Copy an array, or what `numpy.asarray` takes, to the other machine.

        Parameters
        ----------
        values : Array or array-like
            Of any session: from machine to machine it goes by way of this one.
        device : Device or str, default "cpu"
            A kind of device, or one of this session's.

        Returns
        -------
        Array
            Of the shape and element type of `values`, in memory there that goes with it.

        Raises
        ------
        ValueError
            If it is a device of another session.
        TVMRPCError
            If there is no memory or no session.
        """
        import numpy

        if not isinstance(values, Array):
            values = numpy.asarray(values)
        elif values.device.is_remote and not self._has(values.device):
            values = values.numpy()  # from machine to machine is by way of this one
        made = empty(values.shape, values.dtype, self._own(device))
        made.copy_from(values)
        return made

    def _own(self, device: Device | str) -> Device:
        if not (isinstance(device, Device) and device.is_remote):
            return self.device(device)
        self._open()
        if not self._has(device):
            raise TVMValueError(f"device: expected one of this session, got {device}")
        return device

    def _has(self, device: Device) -> bool:
        return _open_session(device) is self

    # ---------------------------------------------------------------- files and modules

    def upload(
        self,
        data: str | os.PathLike[str] | bytes | bytearray | memoryview,
        target: str | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Send a file to the session's folder.

        Parameters
        ----------
        data : path, or bytes-like
        target : str, optional
            Its name there; default for a path: its own.
        progress : callable, optional
            Called with the number of bytes sent so far, and that of all. To a tvmgo server they go in
            pieces of 4 MiB, to others in one.

        Raises
        ------
        ValueError
            If it is a library for another kind of processor, or for instructions that the other machine
            lacks (tvmgo's server tells); nothing is sent then. If there is no name.
        FileNotFoundError
            If there is no such file.
        TypeError
            If an argument is of another type.
        """
        if target is not None:
            _require_str("target", target)
        if progress is not None and not callable(progress):
            raise TVMTypeError(f"progress: expected a callable, got {type(progress).__name__}")
        if isinstance(data, (bytes, bytearray, memoryview)):
            if not target:
                raise TVMValueError("target: expected a name, since data is not a file")
            contents = memoryview(data).cast("B")
        elif not isinstance(data, (str, os.PathLike)):
            raise TVMTypeError(f"data: expected a path or bytes, got {type(data).__name__}")
        else:
            path = os.fsdecode(data)
            if not os.path.isfile(path):
                raise TVMFileNotFoundError.for_argument("data", path)
            target = target or os.path.basename(path)
            if self.machine is not None:
                missing = self.get_function("tvmgo.rpc.server.missing_cpu_feature")
                check_library(path, self.machine["machine"], missing, self.name)
            with open(path, "rb") as file:
                contents = memoryview(file.read())
        report = progress or (lambda sent, total: None)
        append = self._find("tvmgo.rpc.server.append")
        send = append or self.get_function("tvm.rpc.server.upload")
        step = _PIECE if append else max(1, len(contents))
        report(0, len(contents))
        for at in range(0, max(1, len(contents)), step):
            piece = ByteArray(bytes(contents[at : at + step]))
            send(*((target, at, piece) if append else (target, piece)))
            if contents:
                report(min(at + step, len(contents)), len(contents))

    def download(self, path: str) -> bytes:
        """Return the contents of a file in the session's folder; `TVMRPCError` if there is none."""
        _require_str("path", path)
        return bytes(self.get_function("tvm.rpc.server.download")(path))

    def remove(self, path: str) -> None:
        """Delete a file in the session's folder; no error if there is none."""
        _require_str("path", path)
        self.get_function("tvm.rpc.server.remove")(path)

    def load_module(self, path: str) -> Module:
        """Load a library that has been uploaded.

        Parameters
        ----------
        path : str
            In the session's folder, as `upload` called it.

        Returns
        -------
        Module
            Its functions run there, on arrays of that machine.

        Raises
        ------
        TVMRPCError
            If it cannot be loaded there; the message says why.

        Notes
        -----
        This runs the library's code. Source: ``rpc.LoadRemoteModule``.
        """
        _require_str("path", path)
        module: Module = get_global_function("rpc.LoadRemoteModule")(self._open(), path)
        return module


def _require_str(argument: str, given: Any) -> None:
    if not isinstance(given, str):
        raise TVMTypeError(f"{argument}: expected a str, got {type(given).__name__}")


def session_of(device: Device) -> Session:
    """Return the open session that a device is of."""
    session = _open_session(device)
    if session is None:
        raise TVMError(f"device: there is no open session for {device}")
    return session
