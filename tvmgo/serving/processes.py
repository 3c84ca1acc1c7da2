# SPDX-License-Identifier: Apache-2.0
"""The processes of a server: one, or a parent with gRPC and as many for REST as are asked for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from typing import Any

from tvmgo.serving.garbage import freeze
from tvmgo.serving.repository import Extension, Repository
from tvmgo.serving.rest import Plane, Rest
from tvmgo.serving.rpc import Rpc
from tvmgo.serving.served_model import ServedModel
from tvmgo.serving.settings import Settings
from tvmgo.serving.workers import Workers


class Server:
    """KServe's servers of REST and gRPC around the same models.

    What `kserve.ModelServer` does, on the address that it is told: that one listens everywhere.

    Parameters
    ----------
    places : mapping of str to str
        Where each model is, by name.
    settings : Settings
    grace : int
        Seconds that requests have to end.
    """

    def __init__(self, places: Mapping[str, str], settings: Settings, grace: int) -> None:
        self.repository = Repository(
            {name: ServedModel(name, path, settings) for name, path in places.items()}
        )
        plane, extension = Plane(self.repository), Extension(self.repository)
        self._rest = Rest(plane, extension, settings, grace)
        self._workers = Workers(self._rest) if settings.workers > 1 else None
        self._rpc = Rpc(settings, plane, extension, grace) if settings.grpc_port else None
        self._stopping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until `stop`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        freeze()
        self.repository.follow()
        servers: list[Coroutine[Any, Any, None]] = [(self._workers or self._rest).start()]
        if self._rpc is not None:
            servers.append(self._rpc.start())
        tasks = [asyncio.ensure_future(each) for each in servers]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        failed = any(task.exception() for task in done)
        if failed:
            self.stop()
        await asyncio.gather(*tasks)

    def stop(self) -> None:
        """Take no more requests, and let those that are here end.

        A server of one process has seen the signal itself, and calls this when its last request is answered.
        """
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop())

    async def _stop(self) -> None:
        if self._workers is not None:
            await self._workers.stop()
        else:
            self._rest._server.should_exit = True
        if self._rpc is not None:
            await self._rpc.stop()

    def close(self) -> None:
        self.repository.close()
