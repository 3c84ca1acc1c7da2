# SPDX-License-Identifier: Apache-2.0
"""Runs exported models by one runtime; a script for any Python from 3.8 on.

    python runner.py RUNTIME FOLDER ...

RUNTIME is ``tvm``, that of the old compiler which this Python has, or ``tvmgo``, or ``tvmgo-classic``:
tvmgo's loader of old libraries. Each folder has the files of an export and ``inputs.npz``; it gets
``RUNTIME.npz``, or ``RUNTIME.error`` with what the runtime said.
"""

import pathlib
import sys

import numpy as np


def load(runtime, folder):
    """Return the executor of a folder's model."""
    library = str(folder / "deploy.so")
    if runtime == "tvm":
        import tvm
        from tvm.contrib import graph_executor

        loaded, device = tvm.runtime.load_module(library), tvm.cpu(0)
    else:
        import tvmgo
        from tvmgo import graph_executor

        loaded = tvmgo.load_module(library, "classic" if runtime == "tvmgo-classic" else "")
        device = tvmgo.cpu(0)
    graph = (folder / "deploy.json").read_text(encoding="utf-8")
    executor = graph_executor.create(graph, loaded, device)
    executor.load_params(bytearray((folder / "deploy.params").read_bytes()))
    return executor


def run(runtime, folder):
    executor = load(runtime, folder)
    with np.load(str(folder / "inputs.npz")) as inputs:
        for name in inputs.files:
            executor.set_input(name, inputs[name])
    for _ in range(2):  # the second run finds memory that the first has used
        executor.run()
    return [executor.get_output(i).numpy() for i in range(executor.get_num_outputs())]


def main(runtime, *folders):
    for folder in map(pathlib.Path, folders):
        try:
            results = run(runtime, folder)
        except Exception as error:
            (folder / (runtime + ".error")).write_text(str(error))
        else:
            np.savez(str(folder / (runtime + ".npz")), *results)


main(*sys.argv[1:])
