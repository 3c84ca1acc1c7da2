# SPDX-License-Identifier: Apache-2.0
"""How much memory the process has."""

import gc
import os

import tvmgo
from conformance.rules import NOISE

# Calls before the measurement, after which caches and free lists have their size.
WARM_UP = 2000


def resident_kib():
    """Return the resident size of this process in KiB."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def growth_of(call, calls):
    """Make a call many times and measure what stays.

    Returns
    -------
    dict
        As recorded, ``approx_bytes_per_call``, ``calls`` and ``rss_growth_kib``; also
        ``left_behind``, the runtime objects that were not freed.
    """
    for _ in range(WARM_UP):
        call()
    gc.collect()
    live, before = tvmgo.live_objects(), resident_kib()
    for _ in range(calls):
        call()
    gc.collect()
    growth = resident_kib() - before
    left = {
        kind: count - live[kind]
        for kind, count in tvmgo.live_objects().items()
        if count != live[kind]
    }
    return {
        "approx_bytes_per_call": growth * 1024 / calls,
        "calls": calls,
        "rss_growth_kib": growth,
        "left_behind": left,
    }


def flat(observed):
    """Return what is wrong with a measured growth; empty when there is none."""
    if observed.error is not None:
        return [f"raises {observed.error!r}"]
    seen = observed.value
    found = [f"leaves {seen['left_behind']} behind"] if seen["left_behind"] else []
    if seen["approx_bytes_per_call"] >= NOISE:
        found.append(f"grows by {seen['approx_bytes_per_call']:.1f} bytes per call")
    return found


def compare(fact, observed):
    """The rule for facts about growth: none where gotvm had none."""
    recorded = fact.outcome["value"]
    if recorded.get("approx_bytes_per_call", 0) >= NOISE:
        return [f"gotvm grew by {recorded['approx_bytes_per_call']:.0f} bytes per call"]
    return flat(observed)


class StaysFlat:
    """The outcome of calls that gotvm leaked in."""

    def __str__(self):
        return f"grows by less than {NOISE} bytes per call and leaves no object behind"

    def differences(self, observed):
        """Return what is otherwise."""
        return flat(observed)
