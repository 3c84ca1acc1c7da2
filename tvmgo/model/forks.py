# SPDX-License-Identifier: Apache-2.0
"""What a child after a fork begins anew: threads that held a lock or waited do not exist there."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol


class Resets(Protocol):
    """What knows how to begin anew."""

    def reset(self) -> None: ...


_things: weakref.WeakSet[Resets] = weakref.WeakSet()


def reset_in_children(thing: Resets) -> None:
    """Have `reset` called in every child that is forked from now on, as long as the thing lives."""
    _things.add(thing)


def _reset_all() -> None:
    for thing in _things:
        thing.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)


class ForkSafeLock:
    """A lock for ``with``, which nobody holds in a child.

    Parameters
    ----------
    make : callable
        ``threading.Lock`` or ``threading.RLock``.
    """

    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self._make = make
        self.reset()
        reset_in_children(self)

    def reset(self) -> None:
        self._lock = self._make()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
