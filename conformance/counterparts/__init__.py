# SPDX-License-Identifier: Apache-2.0
"""The counterparts, by area of the records; importing them fills the ``catalogue``."""

from conformance.counterparts import (
    accessors,
    arguments,
    arrays,
    bytestrings,
    concurrency,
    constants,
    converting,
    copying,
    errors,
    forwarding,
    functions,
    graphs,
    leaks,
    lifetimes,
    loading,
    modules,
    native,
    registry,
    results,
    strings,
)
