# SPDX-License-Identifier: Apache-2.0
"""What a model has done so far, in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stats:
    """What a model has done since it was loaded or reloaded.

    Attributes
    ----------
    requests, failed : int
        How many have been answered, and how many ended with an error of the run.
    running, waiting, queued : int
        How many run now; threads that wait for a state; submitted requests that wait.
    copies : int
        That had to be made of arrays, because they were of another type, or lie where kernels
        cannot work on them.
    latency : mapping of str to float
        Seconds from having the inputs to having the outputs, waiting included: ``"p50"``,
        ``"p90"``, ``"p99"`` and ``"max"`` of the last 4,096 requests. Empty before the first.
    """

    requests: int
    failed: int
    running: int
    waiting: int
    queued: int
    copies: int
    latency: dict[str, float]


def latency_of(seconds: Iterable[float]) -> dict[str, float]:
    """Return percentiles; of each the next higher value that was measured."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    places = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        name: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        for name, share in places.items()
    }
