# SPDX-License-Identifier: Apache-2.0
"""A model that is ready to serve: its requests run together where its rows are independent."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from tvmgo.exceptions import TVMKeyError, TVMOverflowError, TVMTypeError, TVMValueError
from tvmgo.model.batcher import Batcher
from tvmgo.model.model import Model

# What tvmgo raises where the caller's values are wrong.
CALLERS = (TVMKeyError, TVMTypeError, TVMValueError, TVMOverflowError)


class WarmModel:
    """The files of a path as they are now, warmed up.

    Parameters
    ----------
    path : str
    max_batch : int or None
        As for `Batcher`; with 1 requests do not wait for each other.
    max_delay : float
        As for `Batcher`.
    **how
        For `Model.load`.

    Raises
    ------
    TVMError, OSError
        If they are no model.
    """

    def __init__(self, path: str, *, max_batch: int | None, max_delay: float, **how: Any) -> None:
        self.model = Model.load(path, **how)
        self.batcher: Batcher | None = None
        try:
            with contextlib.suppress(TVMValueError):  # a call decides a size: no zeros to run
                self.model.warmup()
            if self.model.rows_independent and max_batch != 1:
                self.batcher = Batcher(self.model, max_batch=max_batch, max_delay=max_delay)
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
