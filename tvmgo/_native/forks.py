# SPDX-License-Identifier: Apache-2.0
"""What no child may find half done."""

from __future__ import annotations

import os
import threading


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
