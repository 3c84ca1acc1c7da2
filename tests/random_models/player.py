# SPDX-License-Identifier: Apache-2.0
"""Runs exported models on memory between pages that nobody may touch.

``python -m tests.random_models.player`` reads folders, one a line, each with the files of an export and
``inputs.npz``; writes ``outputs.npz`` beside them, and a line. It dies where a kernel goes outside. Folders
that are named as arguments are those, and failures end it.

A model runs three times: by the executor; and node by node, each tensor of the graph in memory of its
own, at its start and at its end. The results must be the same, bit for bit.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tvm_ffi

import tvmgo
from tests.compiler.guard_pages import guarded_copy
from tvmgo.compiler.tensor_files import read_tensors, write_tensors


def open_graph(folder):
    graph = tvmgo.graph_executor.create(
        (folder / "deploy.json").read_text(encoding="utf-8"),
        tvmgo.load_module(folder / "deploy.so"),
        tvmgo.cpu(0),
    )
    graph.load_params((folder / "deploy.params").read_bytes())
    return graph


def walk(folder, given, at_end):
    """Call the kernels of a graph one by one, each with tensors of no other alignment than elements'."""
    library = tvm_ffi.load_module(str(folder / "deploy.so"))
    graph = json.loads((folder / "deploy.json").read_text(encoding="utf-8"))
    specs = list(zip(*(graph["attrs"][key][1] for key in ("shape", "dltype"))))
    rows, storage = graph["node_row_ptr"], graph["attrs"]["storage_id"][1]
    entries = []
    for number, node in enumerate(graph["nodes"]):
        if node["op"] == "null":
            entries.append(guarded_copy(given(node["name"]), at_end))
            continue
        made = specs[rows[number] : rows[number + 1]]
        places = [rows[at] + index for at, index, *_ in node["inputs"]]
        sources = [entries[place] for place in places]
        function = node["attrs"]["func_name"]
        if function in ("__nop", "__copy"):
            entries.append(sources[0].reshape(made[0][0]))
            continue
        # A result in the memory of an argument may be that with one part written.
        before = {(storage[place], *map(str, specs[place])): entries[place] for place in places}
        results = [
            guarded_copy(before.get((where, str(shape), dtype), np.zeros(shape, dtype)), at_end)
            for where, (shape, dtype) in zip(storage[rows[number] : rows[number + 1]], made)
        ]
        library[function](*map(tvm_ffi.from_dlpack, (*sources, *results)))
        entries += results
    return [entries[rows[at] + index].copy() for at, index, *_ in graph["heads"]]


def play(folder):
    graph = open_graph(folder)
    for name, value in read_tensors(folder / "inputs.npz").items():
        graph.set_input(name, value)
    graph.run()
    results = [graph.get_output(i).numpy() for i in range(graph.get_num_outputs())]
    for at_end in (True, False):
        again = walk(folder, lambda name: graph.get_input(name).numpy(), at_end)
        for one, other in zip(results, again, strict=True):
            where = "end" if at_end else "start"
            assert one.tobytes() == other.tobytes(), f"other results at the {where} of memory"
    write_tensors(folder / "outputs.npz", {str(i): array for i, array in enumerate(results)})


if __name__ == "__main__":
    for name in sys.argv[1:]:
        play(Path(name))
    for line in sys.stdin if len(sys.argv) == 1 else ():
        try:
            play(Path(line.strip()))
            print("done", flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
