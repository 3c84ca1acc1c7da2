# SPDX-License-Identifier: Apache-2.0
"""Which models there are, and which of them are loaded: in all processes of a server the same ones."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import threading
from typing import Any

from kserve import ModelRepository
from kserve.errors import ModelNotFound, ModelNotReady
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from tvmgo.exceptions import TVMError
from tvmgo.serving import metrics
from tvmgo.serving.served_model import ServedModel

PAUSE = 0.2  # seconds between two looks at what other processes have done

log = logging.getLogger("tvmgo.serving")


class Repository(ModelRepository):  # type: ignore[misc]
    """The models of a server, by name.

    `models` has those that are loaded. A process that loads or unloads one counts that up in memory that all share;
    the others see it and do the same. An even count means loaded. When it is unpickled, by a new
    process, it has loaded what the others have.
    """

    def __init__(self, known: dict[str, ServedModel]) -> None:
        super().__init__()
        self.known = known
        self._counts = multiprocessing.get_context("spawn").Array("q", len(known))
        self._seen = [0] * len(known)
        for name in known:
            self._load(name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "models": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._seen = self._counts[:]
        for name, count in zip(self.known, self._seen):
            if count % 2 == 0:
                if self.known[name].loaded is None:
                    self.known[name].load()
                self.models[name] = self.known[name]
            else:
                self.known[name].stop()

    def _load(self, name: str) -> None:
        self.known[name].load()
        self.models[name] = self.known[name]
        log.info("loaded", extra={"model": name, "path": self.known[name].path})

    def _unload(self, name: str) -> None:
        super().unload(name)
        log.info("unloaded", extra={"model": name})

    def load(self, name: str) -> bool:
        """Load a model, or load it anew, here and then in the other processes."""
        self._load(name)
        self._count(name, loaded=True)
        return True

    def unload(self, name: str) -> None:
        """Unload it, here and then in the other processes; `KeyError` unless it is loaded."""
        self._unload(name)
        self._count(name, loaded=False)

    def _count(self, name: str, loaded: bool) -> None:
        place = list(self.known).index(name)
        with self._counts.get_lock():
            count = self._counts[place]
            self._counts[place] = self._seen[place] = count + (
                2 if loaded == (count % 2 == 0) else 1
            )

    def close(self) -> None:
        """Unload all, in this process."""
        for name in list(self.models):
            super().unload(name)

    def follow(self) -> None:
        """Have a thread do what other processes do, and write figures down, to the end of this one."""
        threading.Thread(target=self._follow, name="tvmgo-follow", daemon=True).start()

    def _follow(self) -> None:
        pause = threading.Event()
        while not pause.wait(PAUSE):
            for place, name in enumerate(self.known):
                count = self._counts[place]
                if count == self._seen[place]:
                    continue
                self._seen[place] = count
                try:
                    if count % 2 == 0:
                        self._load(name)
                    elif name in self.models:
                        self._unload(name)
                except (TVMError, OSError) as error:
                    log.error(str(error), extra={"model": name})
            metrics.note(
                {name: each.loaded for name, each in self.known.items() if each.loaded is not None}
            )


class Extension(ModelRepositoryExtension):  # type: ignore[misc]
    """Loading and unloading, as clients ask for it."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self._repository = repository

    async def index(self, filter_ready: bool = False) -> list[dict[str, str]]:
        """Return which models there are, with those that are not loaded."""
        loaded = self._repository.models
        return [
            {"name": name, "version": "", "state": "READY" if name in loaded else "UNAVAILABLE"}
            for name in self._repository.known
            if name in loaded or not filter_ready
        ]

    async def load(self, model_name: str) -> None:
        if model_name not in self._repository.known:
            raise ModelNotFound(model_name)
        try:
            await asyncio.to_thread(self._repository.load, model_name)
        except (TVMError, OSError) as error:
            log.error(str(error), extra={"model": model_name})
            raise ModelNotReady(model_name, str(error)) from error
