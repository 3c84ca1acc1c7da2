# SPDX-License-Identifier: Apache-2.0
"""How many threads parallel kernels may use."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from contextlib import contextmanager

from tvmgo._core import native as _native_side  # noqa: F401, registers the function below
from tvmgo._core.registry import get_global_function
from tvmgo.exceptions import TVMTypeError, TVMValueError

_limit_threads = get_global_function("tvmgo.limit_threads")


@contextmanager
def num_threads(count: int) -> Iterator[None]:
    """Limit the threads of parallel kernels that the calling thread runs, in a ``with`` block.

    Other threads are not concerned, so each thread that answers requests can have a limit of its
    own. Decorates functions, too.

    Parameters
    ----------
    count : int
        At most so many threads run a kernel, the calling one among them; 1: it runs alone. More
        than the process's pool has (``TVM_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs
        that the process may use) is no limit. A block within another is limited by its own count
        alone.

    Raises
    ------
    ValueError
        If `count` is less than 1 or does not fit a C int.
    TypeError
        If `count` is no integer.

    Notes
    -----
    The limit belongs to the thread that enters the block, which must also leave it. For all threads
    at once there is ``runtime.config_threadpool``, TVM's function.
    """
    if isinstance(count, bool) or not isinstance(count, numbers.Integral):
        raise TVMTypeError(f"count: expected an int, got {type(count).__name__}")
    if not 1 <= count < 2**31:
        raise TVMValueError(f"count: expected 1 or more and less than 2**31, got {count}")
    before = _limit_threads(int(count))
    try:
        yield
    finally:
        _limit_threads(before)
