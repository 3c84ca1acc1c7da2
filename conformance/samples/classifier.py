# SPDX-License-Identifier: Apache-2.0
"""The small image classifier on which gotvm's ``complex`` sample was recorded.

A mean over the pixels, one dense layer of 1001 classes, and squares scaled to the sum one. Its
weights follow from formulas and are exact in float32, its operators use exact arithmetic in a fixed
order (``kernels/arithmetic.h``): every runtime must give the same bits.
"""

import json
import struct

import numpy as np

CLASSES = 1001
IMAGE = (1, 224, 224, 3)

# The classic layout: DLPack numbers for a float32 tensor on the CPU.
PARAMS_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F
CPU, FIRST_DEVICE = 1, 0
FLOAT, BITS, LANES = 2, 32, 1


def scrambled(count):
    """Return `count` numbers in [0, 1) without a pattern: the upper 24 of 32 hashed bits."""
    hashed = np.arange(count, dtype=np.uint64) * 2654435761 % 2**32
    return (hashed >> 8).astype(np.float32) / np.float32(2**24)


def weights():
    """Return the dense layer's matrix and bias."""
    matrix = scrambled(CLASSES * 3).reshape(CLASSES, 3) - np.float32(0.5)
    bias = (np.arange(CLASSES) % 17).astype(np.float32) / np.float32(64)
    return {"w": matrix, "b": bias}


def picture():
    """Return the picture of the recorded formula run."""
    return scrambled(np.prod(IMAGE)).reshape(IMAGE)


def picture_of_means(means):
    """Return a picture with exactly these channel means, which are all the model sees of it."""
    flat = np.zeros((IMAGE[1] * IMAGE[2], IMAGE[3]), np.float32)
    flat[0] = np.asarray(means, np.float32) * np.float32(len(flat))
    return flat.reshape(IMAGE)


def scores_of_means(means):
    """Return the model's answer to a picture with these channel means, computed in NumPy."""
    layer = weights()
    y = layer["b"]
    for mean, column in zip(np.asarray(means, np.float32), layer["w"].T):
        y = y + mean * column
    squares = y * y
    return squares / np.add.accumulate(squares)[-1]  # not sum(), which adds pairwise


def graph_of(inputs, operators, shapes, storage_ids):
    """Return a graph of float32 tensors on the CPU as a dict; the last operator's is the output.

    Parameters
    ----------
    inputs : list of str
        The names of the first nodes.
    operators : list of tuple
        Of each further node its name, its kernel's name and the numbers of the nodes it reads.
    shapes, storage_ids : list
        Of each node.
    """
    nodes = [{"op": "null", "name": name, "inputs": []} for name in inputs]
    for name, kernel, read in operators:
        counts = {"num_inputs": str(len(read)), "num_outputs": "1"}
        attributes = {"func_name": kernel, **counts, "flatten_data": "0"}
        read = [[node, 0, 0] for node in read]
        nodes.append({"op": "tvm_op", "name": name, "inputs": read, "attrs": attributes})
    count = len(nodes)
    return {
        "nodes": nodes,
        "arg_nodes": list(range(len(inputs))),
        "heads": [[count - 1, 0, 0]],
        "node_row_ptr": list(range(count + 1)),
        "attrs": {
            "dltype": ["list_str", ["float32"] * count],
            "device_index": ["list_int", [CPU] * count],
            "storage_id": ["list_int", storage_ids],
            "shape": ["list_shape", shapes],
        },
    }


def graph():
    """Return the graph in the form of ``mobilenet.json``."""
    return graph_of(
        ["input", "w", "b"],
        [
            ("pool", "global_avg_pool2d", [0]),
            ("features", "__nop", [3]),  # a reshape: its tensor is the storage of the one before
            ("dense", "dense_bias", [4, 1, 2]),
            ("scores", "square_normalise", [5]),
        ],
        [IMAGE, (CLASSES, 3), (CLASSES,), (1, 1, 1, 3), (1, 3), (1, CLASSES), (1, CLASSES)],
        [0, 1, 2, 3, 3, 4, 5],
    )


def params(arrays):
    """Return arrays by name in the form of ``mobilenet.params``."""
    parts = [struct.pack("<QQQ", PARAMS_MAGIC, 0, len(arrays))]
    for name in arrays:
        parts += [struct.pack("<Q", len(name)), name.encode()]
    parts.append(struct.pack("<Q", len(arrays)))
    for array in arrays.values():
        parts += [
            struct.pack("<QQii", TENSOR_MAGIC, 0, CPU, FIRST_DEVICE),
            struct.pack("<iBBH", array.ndim, FLOAT, BITS, LANES),
            struct.pack(f"<{array.ndim}q", *array.shape),
            struct.pack("<q", array.nbytes),
            array.astype("<f4").tobytes(),
        ]
    return b"".join(parts)


def write(directory):
    """Write ``mobilenet.json`` and ``mobilenet.params``."""
    (directory / "mobilenet.json").write_text(json.dumps(graph()), encoding="utf-8")
    (directory / "mobilenet.params").write_bytes(params(weights()))
