# SPDX-License-Identifier: Apache-2.0
"""How the tests run libraries for the Relax virtual machine."""

import numpy as np

import tvmgo

POOLED = 2  # the kind of allocator


def start(path):
    """Return a virtual machine of its own, for one thread at a time."""
    machine = tvmgo.load_module(path)["vm_load_executable"]()
    machine["vm_initialization"](tvmgo.cpu().device_type, 0, POOLED)
    return machine


def run(machine, values):
    """Give main its inputs, in order, and return its outputs."""
    results = machine["main"](*(tvmgo.array(np.asarray(value)) for value in values))
    return [each.numpy() for each in (results if isinstance(results, list) else [results])]
