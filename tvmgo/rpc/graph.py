# SPDX-License-Identifier: Apache-2.0
"""Graphs on another machine: `GraphModule` whose executor is in a session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from tvmgo import graph_executor
from tvmgo._core.array import Array, empty
from tvmgo._core.device import Device
from tvmgo._core.function import Function
from tvmgo._core.module import Module
from tvmgo._graph import making
from tvmgo._graph.host_values import as_type
from tvmgo.exceptions import TVMNotImplementedError, TVMTypeError, TVMValueError
from tvmgo.rpc.session import session_of

_KIND = "rpc"


class RemoteGraphModule(graph_executor.GraphModule):
    """A `GraphModule` whose graph runs on another machine.

    Made by `graph_executor.create` with a library and a device of a session. Values of this machine
    are sent when they are set; outputs stay where they are until ``numpy()`` fetches them. Memory
    of this machine cannot be lent to it.
    """

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        # Where values go: an executor takes them to other devices itself.
        self._session = session_of(self._get_output(0).device)
        self._device: Device = self._session.cpu()

    def _tensor(self, key: Any, value: Any) -> Any:
        value = super()._tensor(key, value)
        if value is None or (isinstance(value, Array) and value.device.is_remote):
            return value
        if isinstance(value, Array):
            value = as_type(value, value.dtype, key)
        return self._session.array(value, self._device)

    def __call__(
        self, inputs: Mapping[int | str, Any] | None = None, /, **named: Any
    ) -> list[Array]:
        self.run(**named) if not inputs else self._run_with(inputs, named)
        return [self._copy_of(self._get_output(i)) for i in range(self.get_num_outputs())]

    def _run_with(self, inputs: Mapping[int | str, Any], named: Mapping[str, Any]) -> None:
        self._set_input(*self._converted({**inputs, **named}))
        self._run()

    def _copy_of(self, live: Array) -> Array:
        made = empty(live.shape, live.dtype, live.device)
        made.copy_from(live)
        return made

    def get_input(self, index: int | str, out: Any = None) -> Any:
        return self._fetch(super().get_input(index), out)

    def get_output(self, index: int | str, out: Any = None) -> Any:
        return self._fetch(super().get_output(index), out)

    def _fetch(self, live: Any, out: Any) -> Any:
        if out is None or live is None:
            return live
        import numpy

        if not isinstance(out, (Array, numpy.ndarray)):
            raise TVMTypeError(f"out: expected an Array or a NumPy array, got {type(out).__name__}")
        if (tuple(out.shape), str(out.dtype)) != (tuple(live.shape), str(live.dtype)):
            raise TVMValueError(
                f"out: expected {live.shape} of {live.dtype}, got {out.shape} of {out.dtype}"
            )
        if isinstance(out, Array):
            out.copy_from(live)
        else:
            out[...] = live.numpy()
        return out

    def clone(self) -> RemoteGraphModule:
        return self._settle(RemoteGraphModule(self.module["clone"]()))

    def set_input_zero_copy(
        self, key: int | str | None = None, value: Any = None, **params: Any
    ) -> NoReturn:
        raise TVMNotImplementedError(
            "set_input_zero_copy: memory cannot be lent to another machine; use set_input"
        )

    def set_output_zero_copy(self, key: int | str, value: Any) -> NoReturn:
        raise TVMNotImplementedError(
            "set_output_zero_copy: memory cannot be lent to another machine; use get_output"
        )

    def get_input_info(self) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
        return self._info("get_input_info")

    def get_output_info(self) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
        return self._info("get_output_info")

    def _info(self, function: str) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
        """Maps do not travel: the server writes them as JSON."""
        told = self._session.get_function("tvmgo.rpc.server.info")(self.module, function)
        shapes, dtypes = json.loads(told)
        return {name: tuple(shape) for name, shape in shapes.items()}, dtypes


def _find_creator(name: str, libmod: Module, devices: list[Device]) -> Function | None:
    """Where the executor for a library of a session is made: there."""
    remote = [device for device in devices if device.is_remote]
    there = isinstance(libmod, Module) and libmod.kind == _KIND
    if not there and not remote:
        return None
    if not there or len(remote) != len(devices):
        raise TVMTypeError("libmod, device: expected both of one session, got one of this machine")
    session = session_of(devices[0])
    if name != "tvm.graph_executor.create":
        raise TVMNotImplementedError(
            "libmod: graphs on other machines cannot be debugged from here"
        )
    if session.machine is None:
        raise TVMNotImplementedError(
            f"libmod: {session.name} has no graph executor; tvmgo's has (`tvmgo rpc server`), and on "
            "this one the functions of the library can be called one by one"
        )
    return session.get_function(name)


making.use_remote(_find_creator)
graph_executor.use_remote(_KIND, RemoteGraphModule)
