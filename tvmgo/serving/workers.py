# SPDX-License-Identifier: Apache-2.0
"""KServe's processes for REST, which are given the time that they need to load their models."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from kserve.protocol.rest.multiprocess.server import RESTServerMultiProcess, RESTServerProcess

from tvmgo.serving.rest import APPLICATION, Rest

log = logging.getLogger("tvmgo.serving")


class Worker(RESTServerProcess):  # type: ignore[misc]
    """A process. KServe's is taken for hung if it does not answer in five seconds, from its start on."""

    _asked = _answered = False

    def is_alive(self, timeout: float = 5) -> bool:
        if self._answered:
            alive: bool = super().is_alive(timeout)
            return alive
        if not self._process.is_alive():
            return False
        if not self._asked:
            self._parent_conn.send(b"ping")
            self._asked = True
        if self._parent_conn.poll(0):
            self._parent_conn.recv()
            self._answered = True
        return True


class Workers(RESTServerMultiProcess):  # type: ignore[misc]
    """As many processes as `rest` is to have, each of which is started again when it ends."""

    def __init__(self, rest: Rest) -> None:
        config = rest.config
        super().__init__(
            APPLICATION,
            rest.dataplane,
            rest.model_repository_extension,
            config.port,
            workers=config.workers,
        )
        self._rest_server = rest

    def init_processes(self, sockets: list[Any]) -> None:
        self._processes = [self._started(sockets) for _ in range(self._rest_server.config.workers)]

    def _started(self, sockets: list[Any]) -> Worker:
        worker = Worker(sockets, self._rest_server.run)
        worker.start()
        return worker

    async def keep_subprocess_alive(self, sockets: list[Any]) -> None:
        for place, worker in enumerate(self._processes):
            # In a thread: it waits for an answer, and the loop has gRPC to do.
            if self.should_exit.is_set() or await asyncio.to_thread(worker.is_alive):
                continue
            worker.kill()
            await worker.wait_for_termination()
            if not self.should_exit.is_set():
                log.error("a worker has ended", extra={"worker": worker.pid})
                self._processes[place] = self._started(sockets)
