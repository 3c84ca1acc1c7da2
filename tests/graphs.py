# SPDX-License-Identifier: Apache-2.0
"""Graph JSON documents, made of nodes whose inputs are named, and the example most tests share."""

import json

KERNELS_PREFIX = "test_ge."  # of the kernels that tests/graph/conftest.py registers


def var(name, shape=(2,), dtype="float32", sid=None):
    """An input of the graph: its shape, its element type and its storage id."""
    return {"op": "null", "name": name, "inputs": [], "outs": [(shape, dtype, sid)]}


def op(
    func,
    inputs,
    shape=(2,),
    dtype="float32",
    sid=None,
    *,
    name=None,
    outs=None,
    flatten="0",
    prefix=KERNELS_PREFIX,
    **attrs,
):
    """An operator whose inputs are names, or (name, output index) pairs, of nodes before it.

    It has one output unless `outs` lists the (shape, dtype, storage id) of several or none.
    """
    func = func if func.startswith("__") else prefix + func
    outs = [(shape, dtype, sid)] if outs is None else outs
    attrs = {
        "func_name": func,
        "num_inputs": str(len(inputs)),
        "num_outputs": str(len(outs)),
        "flatten_data": flatten,
        **attrs,
    }
    return {"op": "tvm_op", "name": name or func, "inputs": inputs, "attrs": attrs, "outs": outs}


def document(nodes, heads, **attrs):
    """The graph document of these nodes; entries without a storage id get one of their own."""
    ids, row_ptr, entries = {}, [0], []

    def ref(x):
        name, index = x if isinstance(x, tuple) else (x, 0)
        return [ids[name], index, 0]

    written = []
    for i, node in enumerate(nodes):
        node = dict(node, inputs=[ref(x) for x in node["inputs"]])
        entries += node.pop("outs")
        row_ptr.append(len(entries))
        ids[node["name"]] = i
        written.append(node)
    sids = [1000 + i if sid is None else sid for i, (_, _, sid) in enumerate(entries)]
    return {
        "nodes": written,
        "arg_nodes": [i for i, node in enumerate(nodes) if node["op"] == "null"],
        "heads": [ref(x) for x in heads],
        "node_row_ptr": row_ptr,
        "attrs": {
            "shape": ["list_shape", [list(shape) for shape, _, _ in entries]],
            "dltype": ["list_str", [dtype for _, dtype, _ in entries]],
            "storage_id": ["list_int", sids],
            **attrs,
        },
    }


def device_index(*device_types):
    """The attribute that says where each entry lives, for `document`."""
    return {"device_index": ["list_int", list(device_types)]}


def squared_sum(add, square, *, names=(None, None), prefix=KERNELS_PREFIX, **attrs):
    """The document of y = (x + k0) squared by the operators of these names; `attrs` go to the first."""
    first = op(add, ["x", "k0"], sid=2, name=names[0], prefix=prefix, **attrs)
    second = op(square, [first["name"]], sid=3, name=names[1], prefix=prefix)
    inputs = [var("x", sid=0), var("k0", sid=1)]
    return document([*inputs, first, second], [second["name"]], **device_index(1, 1, 1, 1))


# ---------------------------------------------------------------- the worked example

WORKED = squared_sum("add", "square", names=("add0", "sq0"), hash="1f2e3d4c5b6a7988")
WORKED_GRAPH = f"\n{json.dumps(WORKED, indent=1)}\n"

# k0 = float32[2] {1.5, -2.0} and n1 = int64 scalar 7, which the graph does not have.
WORKED_PARAMS = bytes.fromhex("""
    b7 9c 04 05 4f 8d e5 f7 00 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    6b 30 02 00 00 00 00 00 00 00 6e 31 02 00 00 00  00 00 00 00 3f a1 b4 96 f0 40 5e dd 00 00 00 00
    00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00  02 20 01 00 02 00 00 00 00 00 00 00 08 00 00 00
    00 00 00 00 00 00 c0 3f 00 00 00 c0 3f a1 b4 96  f0 40 5e dd 00 00 00 00 00 00 00 00 01 00 00 00
    00 00 00 00 00 00 00 00 00 40 01 00 08 00 00 00  00 00 00 00 07 00 00 00 00 00 00 00
""")
