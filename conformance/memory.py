# SPDX-License-Identifier: Apache-2.0
"""How much memory the process has."""

import gc
import os

import tvmgo
from conformance.outcome import Observed

# Calls before the measurement, after which caches and free lists have their size.
WARM_UP = 2000

# Bytes per call that measurements of the process's size scatter by.
NOISE = 16


def resident_kib():
    """Return the resident size of this process in KiB."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def growth_of(call, calls):
    """Make a call many times and measure what stays.

    Returns
    -------
    Observed
        Its value holds ``approx_bytes_per_call``, noise being none, and ``left_behind``, the
        runtime objects that were not freed; ``extra`` holds ``rss_growth_kib``.
    """
    for _ in range(WARM_UP):
        call()
    gc.collect()
    live, before = tvmgo.live_objects(), resident_kib()
    for _ in range(calls):
        call()
    gc.collect()
    growth = resident_kib() - before
    now = tvmgo.live_objects()
    left = {kind: now[kind] - live[kind] for kind in now if now[kind] != live[kind]}
    grown = without_noise(growth * 1024 / calls)
    return Observed(
        {"approx_bytes_per_call": grown, "left_behind": left}, extra={"rss_growth_kib": growth}
    )


def without_noise(bytes_per_call):
    """Return a measured growth, or 0 for one that may be chance."""
    return bytes_per_call if bytes_per_call >= NOISE else 0


def compare(fact, observed):
    """The rule for facts about growth: none where gotvm had none, and nothing left behind."""
    recorded = without_noise(fact.outcome["value"].get("approx_bytes_per_call", 0))
    expected = {"approx_bytes_per_call": 0, "left_behind": {}}
    found = [f"gotvm grew by {recorded:.0f} bytes per call"] if recorded else []
    return found + ([] if observed.value == expected else [f"not flat: {observed}"])


def compare_growth(fact, observed):
    """The rule for the fact that states a growth: tvmgo grows by no more, and leaves nothing."""
    recorded = fact.outcome["value"]["rss_growth_kib"]
    if not observed.value or observed.value["left_behind"]:
        return [f"left behind: {observed}"]
    seen = observed.extra["rss_growth_kib"]
    return [f"grows by {seen} KiB, in gotvm by {recorded}"] if seen > recorded else []
