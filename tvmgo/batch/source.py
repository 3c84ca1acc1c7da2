# SPDX-License-Identifier: Apache-2.0
"""Which model other processes are to load, and that it is the same everywhere."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from tvmgo.exceptions import TVMTypeError
from tvmgo.model.model import Model, unpickle


class Source(NamedTuple):
    """A model's files, for processes that may be on other machines.

    Attributes
    ----------
    arguments : tuple of pairs
        Those of a `Model`, by name.
    relative : str or None
        The path as it was given, if it was a relative one: a cluster may have put the file into the folder in
        which its processes run.
    identity : str
        What is different for other files.
    """

    arguments: tuple[tuple[str, Any], ...]
    relative: str | None
    identity: str

    def open(self) -> Model:
        """Return the process's model of these files.

        Raises
        ------
        FileNotFoundError
            If they are not here.
        ValueError
            If other files are.
        """
        arguments = dict(self.arguments)
        if self.relative is not None and os.path.exists(self.relative):
            arguments["path"] = os.path.abspath(self.relative)
        return unpickle(tuple(arguments.items()), self.identity)


def opened(model: Any, threads: int) -> tuple[Model, Source]:
    """Return a model for one request at a time, and what makes it in other processes.

    Parameters
    ----------
    model : path-like, Model or Source
        Parameters are mapped, so that all processes of a machine have them in memory once.
    threads : int
        For its kernels.
    """
    if isinstance(model, Source):
        return model.open(), model
    relative = None
    if isinstance(model, Model):
        given = model._arguments
        private = False if given["private"] is None else given["private"]
        found = Model._make({**given, "concurrency": 1, "threads": threads, "private": private})
    elif isinstance(model, str | os.PathLike):
        path = os.fspath(model)
        relative = None if os.path.isabs(path) else path
        found = Model.load(path, concurrency=1, threads=threads, private=False)
    else:
        raise TVMTypeError(f"model: expected a path or a Model, got {type(model).__name__}")
    return found, Source(tuple(found._arguments.items()), relative, found._open().identity)
