# SPDX-License-Identifier: Apache-2.0
"""The corpus: small inputs that every parser accepts, between them with all a format can say."""

import json

import numpy as np

from tests.blobs import (
    LIBRARY,
    constant_loader,
    executor_factory,
    import_tree,
    module_blob,
    number,
    numbers,
    params_blob,
    text,
    texts,
)
from tests.fuzz.elf import elf
from tests.graphs import document, op, squared_sum, var

# ---------------------------------------------------------------- graphs

WORKED = json.dumps(squared_sum("kadd", "ksq", prefix="", hash="1f2e3d4c5b6a7988")).encode()


def write_rich_graph():
    """Two outputs, old spellings, shared and negative storage ids, every optional member."""
    outs = [((), "int4", 7), ((0, 4), "float32x4", 7)]
    split = op("split", ["x"], outs=outs, flatten="1", prefix="", data_layout="NCHW")
    split["control_deps"] = [0]
    split["attr"] = split.pop("attrs")
    nodes = [var("x", (2, 3), "bool", -1), split]
    nodes.append(op("__nop", [("split", 1)], (9,), "bfloat16", 1 << 40))
    graph = document(
        nodes,
        ["__nop", "split"],
        extra=["list_int", []],
        storage_scope=["list_str", ["", "global", "", ""]],
    )
    for node in graph["nodes"]:
        node["inputs"] = [ref[:2] for ref in node["inputs"]]
    graph["heads"][0].pop()
    return json.dumps(graph).encode()


RICH = write_rich_graph()

# The same, so that `__nop` gives what it gets in another shape.
RUNNABLE = (
    RICH.replace(b"[0, 4]", b"[1, 4]").replace(b"[9]", b"[32]").replace(b"1099511627776", b"7")
)


# ---------------------------------------------------------------- parameters and modules

PARAMS = {"k0": np.array([1.5, -2.0], "float32"), "n1": np.array(7, "int64")}
MORE_PARAMS = {"flags": np.array([[True], [False]]), "": np.zeros((3, 0, 5), "int8")}


def params(values):
    return params_blob(list(values.items()))


DEVICE = (
    text("ptx")
    + number(1)
    + text("kernel")
    + text("kernel")
    + number(2)
    + bytes([3, 64, 1, 0, 0, 32, 1, 0])
    + texts(["blockIdx.x", "tir.use_dyn_shared_memory"])
    + text("code")
)
EXTERNAL = text("dnnl_0") + text("{}") + texts(["k0"])


# ---------------------------------------------------------------- all of them

CORPUS = {
    "graph_json": {"worked": WORKED, "rich": RICH},
    "executor": {
        "worked": WORKED + b"\0" + params(PARAMS),
        "rich": RUNNABLE + b"\0" + params(MORE_PARAMS),
    },
    "params_blob": {"worked": params(PARAMS), "more": params(MORE_PARAMS), "none": params({})},
    "module_blob": {
        "factory": module_blob(
            ("GraphExecutorFactory", executor_factory(WORKED, PARAMS)),
            LIBRARY,
            import_tree([0, 1, 1], [1]),
        ),
        "constants": module_blob(
            ("const_loader", constant_loader(PARAMS | MORE_PARAMS, {"f": ["k0", ""]})),
            LIBRARY,
            ("dnnl", EXTERNAL),
            ("metadata_module", b""),
            import_tree([0, 2, 2, 3, 3], [1, 2, 3]),
        ),
        "device": module_blob(("cuda", DEVICE)),
    },
    "todays_module_blob": {
        "chain": text(
            numbers([0, 1, 2, 2])
            + numbers([1, 2])
            + text("metadata")
            + text("bytes")
            + text("_lib")
            + text("cuda")
            + text(DEVICE)
        ),
        "single": text(numbers([0, 0]) + numbers([]) + text("_lib")),
    },
    "elf": {
        "gnu": elf(),
        "stripped": elf(sections=False),
        "small": elf(is64=False, machine=3),
        "big64": elf(order=">", machine=21, gnu_hash=False),
    },
}


def write(directory):
    """Write the corpus: one folder for each parser."""
    for parser, inputs in CORPUS.items():
        (directory / parser).mkdir(parents=True, exist_ok=True)
        for name, content in inputs.items():
            (directory / parser / name).write_bytes(content)
