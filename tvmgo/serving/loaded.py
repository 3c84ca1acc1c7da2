# SPDX-License-Identifier: Apache-2.0
"""A model as it is served by the protocol."""

from __future__ import annotations

from tvmgo.serving.settings import Settings
from tvmgo.serving.tensors import datatypes_of, metadata_of
from tvmgo.serving.warm import WarmModel


class Loaded(WarmModel):
    """The files of a path as they are now, warmed up, and what the protocol tells of them.

    Raises
    ------
    TVMError, OSError
        If they are no model, or one with tensors that the protocol has no type for.
    """

    def __init__(self, path: str, settings: Settings) -> None:
        super().__init__(
            path,
            max_batch=settings.max_batch,
            max_delay=settings.max_delay,
            concurrency=settings.concurrency,
            threads=settings.threads,
        )
        try:
            self.datatypes = datatypes_of(self.model.inputs)
            self.output_datatypes = datatypes_of(self.model.outputs)
            self.inputs = metadata_of(self.model.inputs)
            self.outputs = metadata_of(self.model.outputs)
        except BaseException:
            self.close()
            raise
