# SPDX-License-Identifier: Apache-2.0
"""What no child may find half done."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

_steps: list[tuple[Callable[[], None], Callable[[], None], Callable[[], None]]] = []


def call_around_forks(
    before: Callable[[], None], in_parent: Callable[[], None], in_child: Callable[[], None]
) -> None:
    """Have functions called around the very fork, while it has all the locks that forks await.

    So `before` may have other threads wait for the fork: none of them has one of these locks.
    """
    _steps.append((before, in_parent, in_child))


def _call(place: int) -> None:
    for step in _steps:
        step[place]()


if hasattr(os, "register_at_fork"):  # before all locks: what is registered first comes last
    os.register_at_fork(
        before=lambda: _call(0),
        after_in_parent=lambda: _call(1),
        after_in_child=lambda: _call(2),
    )


def lock_that_forks_await() -> threading.RLock:
    """Return a lock that nobody has while the process forks: the fork waits for it.

    For good, so only for locks of modules. One that is taken within another is made before it.
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


# Held while the system's loader works: a child that has half of a library cannot load another.
loading = lock_that_forks_await()

# Held while something is imported that only some programs need, when they do: a child that has half
# of a module would wait for the rest for good.
importing = lock_that_forks_await()
