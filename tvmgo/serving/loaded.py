# SPDX-License-Identifier: Apache-2.0
"""A model as it is served: its requests run together where its rows are independent."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from tvmgo.exceptions import TVMValueError
from tvmgo.model.batcher import Batcher
from tvmgo.model.model import Model
from tvmgo.serving.settings import Settings
from tvmgo.serving.tensors import datatypes_of, metadata_of


class Loaded:
    """The files of a path as they are now, warmed up.

    Raises
    ------
    TVMError, OSError
        If they are no model, or one with tensors that the protocol has no type for.
    """

    def __init__(self, path: str, settings: Settings) -> None:
        self.model = Model.load(path, concurrency=settings.concurrency, threads=settings.threads)
        self.batcher: Batcher | None = None
        try:
            self.datatypes = datatypes_of(self.model.inputs)
            self.output_datatypes = datatypes_of(self.model.outputs)
            self.inputs = metadata_of(self.model.inputs)
            self.outputs = metadata_of(self.model.outputs)
            try:
                self.model.warmup()
            except TVMValueError:  # a call decides a size: there are no zeros to run
                pass
            if self.model.rows_independent and settings.max_batch != 1:
                self.batcher = Batcher(
                    self.model, max_batch=settings.max_batch, max_delay=settings.max_delay
                )
        except BaseException:
            self.close()
            raise

    def submit(self, inputs: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Have a request answered, as `Model.submit` does, together with others where possible."""
        return (self.batcher or self.model).submit(inputs)

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return self.model.stats().queued + (self.batcher.queued if self.batcher else 0)

    def close(self) -> None:
        """Answer what is here, and take no more."""
        if self.batcher is not None:
            self.batcher.close()
        self.model.close()
