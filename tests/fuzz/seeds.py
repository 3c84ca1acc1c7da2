# SPDX-License-Identifier: Apache-2.0
"""The corpus: small inputs that every parser accepts, between them with all a format can say."""

import json
import struct
from pathlib import Path

LIST_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F


# ---------------------------------------------------------------- graphs


def operator(name, inputs, **attrs):
    return {
        "op": "tvm_op",
        "name": name,
        "inputs": inputs,
        "attrs": {
            "func_name": name,
            "num_inputs": str(len(inputs)),
            "num_outputs": "1",
            "flatten_data": "0",
            **attrs,
        },
    }


def placeholder(name):
    return {"op": "null", "name": name, "inputs": []}


def graph(nodes, row_ptr, shapes, dtypes, storage, heads, **attrs):
    inputs = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": inputs,
            "heads": heads,
            "node_row_ptr": row_ptr,
            "attrs": {
                "shape": ["list_shape", shapes],
                "dltype": ["list_str", dtypes],
                "storage_id": ["list_int", storage],
                **attrs,
            },
        }
    ).encode()


# y = (x + k0) squared
WORKED = graph(
    [
        placeholder("x"),
        placeholder("k0"),
        operator("kadd", [[0, 0, 0], [1, 0, 0]], hash="1f2e3d4c5b6a7988"),
        operator("ksq", [[2, 0, 0]]),
    ],
    [0, 1, 2, 3, 4],
    [[2]] * 4,
    ["float32"] * 4,
    [0, 1, 2, 3],
    [[3, 0, 0]],
    device_index=["list_int", [1] * 4],
)

# Two outputs, old spellings, shared and negative storage ids, every optional member.
RICH = graph(
    [
        placeholder("x"),
        {
            "op": "tvm_op",
            "name": "split",
            "inputs": [[0, 0]],
            "control_deps": [0],
            "attr": {
                "func_name": "split",
                "num_inputs": "1",
                "num_outputs": "2",
                "flatten_data": "1",
                "data_layout": "NCHW",
            },
        },
        operator("__nop", [[1, 1]]),
    ],
    [0, 1, 3, 4],
    [[2, 3], [], [0, 4], [9]],
    ["bool", "int4", "float32x4", "bfloat16"],
    [-1, 7, 7, 1 << 40],
    [[2, 0], [1, 0, 0]],
    extra=["list_int", []],
    storage_scope=["list_str", ["", "global", "", ""]],
)

# The same, so that `__nop` gives what it gets in another shape.
RUNNABLE = (
    RICH.replace(b"[0, 4]", b"[1, 4]").replace(b"[9]", b"[32]").replace(b"1099511627776", b"7")
)


# ---------------------------------------------------------------- parameters and modules


def number(value):
    return struct.pack("<Q", value)


def text(value):
    return number(len(value)) + value


def texts(values):
    return number(len(values)) + b"".join(map(text, values))


def numbers(*values):
    return number(len(values)) + b"".join(map(number, values))


def tensor(code, bits, shape, data):
    return (
        struct.pack("<QQiiiBBH", TENSOR_MAGIC, 0, 1, 0, len(shape), code, bits, 1)
        + struct.pack(f"<{len(shape)}q", *shape)
        + text(data)
    )


TENSORS = {
    b"k0": tensor(2, 32, [2], struct.pack("<2f", 1.5, -2.0)),
    b"n1": tensor(0, 64, [], number(7)),
}
MORE_TENSORS = {b"flags": tensor(1, 1, [2, 1], b"\1\0"), b"": tensor(0, 8, [3, 0, 5], b"")}


def params(tensors):
    return (
        number(LIST_MAGIC)
        + number(0)
        + texts(list(tensors))
        + number(len(tensors))
        + b"".join(tensors.values())
    )


def blob(*entries):
    return text(number(len(entries)) + b"".join(text(key) + payload for key, payload in entries))


def tree(rows, children):
    return b"_import_tree", numbers(*rows) + numbers(*children)


def factory(tensors):
    return (
        text(WORKED)
        + number(len(tensors))
        + texts(list(tensors))
        + b"".join(tensors.values())
        + text(b"default")
    )


def constants(tensors, symbols):
    return (
        texts(list(tensors))
        + number(len(tensors))
        + b"".join(tensors.values())
        + texts(list(symbols))
        + number(len(symbols))
        + b"".join(map(texts, symbols.values()))
    )


LIBRARY = (b"_lib", b"")
DEVICE = (
    text(b"ptx")
    + number(1)
    + text(b"kernel")
    + text(b"kernel")
    + number(2)
    + bytes([3, 64, 1, 0, 0, 32, 1, 0])
    + texts([b"blockIdx.x", b"tir.use_dyn_shared_memory"])
    + text(b"code")
)
EXTERNAL = text(b"dnnl_0") + text(b"{}") + texts([b"k0"])


# ---------------------------------------------------------------- ELF


def elf(*, is64=True, order="<", machine=62, gnu_hash=True, sections=True):
    """A shared library without code: two segments, a dynamic section and three symbols."""
    word = "Q" if is64 else "I"

    def words(*values):
        return struct.pack(order + word * len(values), *values)

    names = b"\0__tvm_module_ctx\0add\0TVMFuncCall\0libc.so.6\0GLIBC_2.2\0V1\0"

    def name(value):
        return names.index(b"\0" + value + b"\0") + 1

    entries = [
        (0, 0, 0),
        (name(b"TVMFuncCall"), 0x10, 0),
        (name(b"__tvm_module_ctx"), 0x11, 1),
        (name(b"add"), 0x12, 1),
    ]
    if is64:
        symbols = [
            struct.pack(order + "IBBHQQ", at, info, 0, index, 0x100, 8)
            for at, info, index in entries
        ]
    else:
        symbols = [
            struct.pack(order + "IIIBBH", at, 0x100, 8, info, 0, index)
            for at, info, index in entries
        ]
    if gnu_hash:  # the last two in one bucket; the chain ends with an odd number
        table = (
            struct.pack(order + "4I", 1, 2, 1, 0) + words(0) + struct.pack(order + "3I", 2, 4, 7)
        )
    else:
        table = struct.pack(order + "2I1I4I", 1, 4, 1, 0, 2, 3, 0)
    parts = {
        "names": names,
        "symbols": b"".join(symbols),
        "hash": table,
        "of_symbols": struct.pack(order + "4H", 0, 2, 3, 3),
        "needed": struct.pack(
            order + "HHIIIIHHII", 1, 1, name(b"libc.so.6"), 16, 0, 5, 0, 2, name(b"GLIBC_2.2"), 0
        ),
        "defined": struct.pack(order + "HHHHIIIII", 1, 0, 3, 1, 7, 20, 0, name(b"V1"), 0),
        "relocations": words(0x108, 8, 0x100) + words(0x110, 8, 0x108),
        "start": words(0x100),
    }
    kinds = dict(
        names=3,
        symbols=11,
        hash=0x6FFFFFF6 if gnu_hash else 5,
        of_symbols=0x6FFFFFFF,
        needed=0x6FFFFFFE,
        defined=0x6FFFFFFD,
        relocations=4,
        start=14,
    )
    header_size, segment_size, section_size = (64, 56, 64) if is64 else (52, 32, 40)
    at, end = {}, header_size + 3 * segment_size
    sizes = {part: len(content) for part, content in parts.items()}
    for part, content in parts.items():
        at[part] = end
        parts[part] = content + bytes(-len(content) % 8)
        end += len(parts[part])
    dynamic = b"".join(
        words(tag, value)
        for tag, value in [
            (1, name(b"libc.so.6")),
            (5, at["names"]),
            (10, sizes["names"]),
            (6, at["symbols"]),
            (11, len(symbols[0])),
            (0x6FFFFEF5 if gnu_hash else 4, at["hash"]),
            (0x6FFFFFF0, at["of_symbols"]),
            (0x6FFFFFFE, at["needed"]),
            (0x6FFFFFFF, 1),
            (0x6FFFFFFC, at["defined"]),
            (0x6FFFFFFD, 1),
            (7, at["relocations"]),
            (8, sizes["relocations"]),
            (9, len(words(0, 0, 0))),
            (0x6FFFFFF9, 2),
            (12, at["start"]),
            (25, at["start"]),
            (27, sizes["start"]),
            (0, 0),
        ]
    )
    at["dynamic"], sizes["dynamic"], kinds["dynamic"] = end, len(dynamic), 6
    end += len(dynamic)

    def segment(kind, begin, size, more=0):
        if is64:
            return struct.pack(
                order + "IIQQQQQQ", kind, 5, begin, begin, begin, size, size + more, 8
            )
        return struct.pack(order + "IIIIIIII", kind, begin, begin, begin, size, size + more, 5, 4)

    def section(part):
        return (
            struct.pack(order + "II", 0, kinds[part])
            + words(2, at[part], at[part], sizes[part])
            + struct.pack(order + "II", 0, 0)
            + words(8, 0)
        )

    ident = b"\177ELF" + bytes([2 if is64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + "HHI" + 3 * word + "IHHHHHH",
        3,
        machine,
        1,
        0,
        header_size,
        end if sections else 0,
        0,
        header_size,
        segment_size,
        3,
        section_size,
        len(at) if sections else 0,
        0,
    )
    return b"".join(
        [
            header,
            segment(1, 0, end, 64),
            segment(2, at["dynamic"], len(dynamic)),
            segment(0x6474E552, at["dynamic"], len(dynamic)),
            *parts.values(),
            dynamic,
            *(map(section, at) if sections else []),
        ]
    )


# ---------------------------------------------------------------- all of them

CORPUS = {
    "graph_json": {"worked": WORKED, "rich": RICH},
    "executor": {
        "worked": WORKED + b"\0" + params(TENSORS),
        "rich": RUNNABLE + b"\0" + params(MORE_TENSORS),
    },
    "params_blob": {"worked": params(TENSORS), "more": params(MORE_TENSORS), "none": params({})},
    "module_blob": {
        "factory": blob((b"GraphExecutorFactory", factory(TENSORS)), LIBRARY, tree([0, 1, 1], [1])),
        "constants": blob(
            (b"const_loader", constants(TENSORS | MORE_TENSORS, {b"f": [b"k0", b""]})),
            LIBRARY,
            (b"dnnl", EXTERNAL),
            (b"metadata_module", b""),
            tree([0, 2, 2, 3, 3], [1, 2, 3]),
        ),
        "device": blob((b"cuda", DEVICE)),
    },
    "todays_module_blob": {
        "chain": text(
            numbers(0, 1, 2, 2)
            + numbers(1, 2)
            + text(b"metadata")
            + text(b"bytes")
            + text(b"_lib")
            + text(b"cuda")
            + text(DEVICE)
        ),
        "single": text(numbers(0, 0) + numbers() + text(b"_lib")),
    },
    "elf": {
        "gnu": elf(),
        "stripped": elf(sections=False),
        "small": elf(is64=False, machine=3),
        "big64": elf(order=">", machine=21, gnu_hash=False),
    },
}


# Inputs that fuzzing guided by coverage found, one folder for each parser.
LEARNED = Path(__file__).parent / "learned"


def write(directory):
    """Write the corpus: one folder for each parser."""
    for parser, inputs in CORPUS.items():
        (directory / parser).mkdir(parents=True, exist_ok=True)
        for name, content in inputs.items():
            (directory / parser / name).write_bytes(content)
