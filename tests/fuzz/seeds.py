# SPDX-License-Identifier: Apache-2.0
"""The corpus: small inputs that every parser accepts, between them with all a format can say."""
import json
import struct

LIST_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F


# ---------------------------------------------------------------- graphs


def operator(name, inputs, **attrs):
    return {"op": "tvm_op", "name": name, "inputs": inputs,
            "attrs": {"func_name": name, "num_inputs": str(len(inputs)), "num_outputs": "1",
                      "flatten_data": "0", **attrs}}


def placeholder(name):
    return {"op": "null", "name": name, "inputs": []}


def graph(nodes, row_ptr, shapes, dtypes, storage, heads, **attrs):
    inputs = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return json.dumps({
        "nodes": nodes, "arg_nodes": inputs, "heads": heads, "node_row_ptr": row_ptr,
        "attrs": {"shape": ["list_shape", shapes], "dltype": ["list_str", dtypes],
                  "storage_id": ["list_int", storage], **attrs}}).encode()


# y = (x + k0) squared
WORKED = graph([placeholder("x"), placeholder("k0"),
                operator("kadd", [[0, 0, 0], [1, 0, 0]], hash="1f2e3d4c5b6a7988"),
                operator("ksq", [[2, 0, 0]])],
               [0, 1, 2, 3, 4], [[2]] * 4, ["float32"] * 4, [0, 1, 2, 3], [[3, 0, 0]],
               device_index=["list_int", [1] * 4])

# Two outputs, old spellings, shared and negative storage ids, every optional member.
RICH = graph([placeholder("x"),
              {"op": "tvm_op", "name": "split", "inputs": [[0, 0]], "control_deps": [0],
               "attr": {"func_name": "split", "num_inputs": "1", "num_outputs": "2",
                        "flatten_data": "1", "data_layout": "NCHW"}},
              operator("__nop", [[1, 1]])],
             [0, 1, 3, 4], [[2, 3], [], [0, 4], [9]], ["bool", "int4", "float32x4", "bfloat16"],
             [-1, 7, 7, 1 << 40], [[2, 0], [1, 0, 0]], extra=["list_int", []],
             storage_scope=["list_str", ["", "global", "", ""]])


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
    return (struct.pack("<QQiiiBBH", TENSOR_MAGIC, 0, 1, 0, len(shape), code, bits, 1)
            + struct.pack(f"<{len(shape)}q", *shape) + text(data))


TENSORS = {b"k0": tensor(2, 32, [2], struct.pack("<2f", 1.5, -2.0)),
           b"n1": tensor(0, 64, [], number(7))}
MORE_TENSORS = {b"flags": tensor(1, 1, [2, 1], b"\1\0"), b"": tensor(0, 8, [3, 0, 5], b"")}


def params(tensors):
    return (number(LIST_MAGIC) + number(0) + texts(list(tensors)) + number(len(tensors))
            + b"".join(tensors.values()))


def blob(*entries):
    return text(number(len(entries)) + b"".join(text(key) + payload for key, payload in entries))


def tree(rows, children):
    return b"_import_tree", numbers(*rows) + numbers(*children)


def factory(tensors):
    return (text(WORKED) + number(len(tensors)) + texts(list(tensors)) + b"".join(tensors.values())
            + text(b"default"))


def constants(tensors, symbols):
    return (texts(list(tensors)) + number(len(tensors)) + b"".join(tensors.values())
            + texts(list(symbols)) + number(len(symbols)) + b"".join(map(texts, symbols.values())))


LIBRARY = (b"_lib", b"")
DEVICE = (text(b"ptx") + number(1) + text(b"kernel") + text(b"kernel")
          + number(2) + bytes([3, 64, 1, 0, 0, 32, 1, 0])
          + texts([b"blockIdx.x", b"tir.use_dyn_shared_memory"]) + text(b"code"))
EXTERNAL = text(b"dnnl_0") + text(b"{}") + texts([b"k0"])


# ---------------------------------------------------------------- ELF


def elf(*, is64=True, order="<", machine=62, gnu_hash=True, sections=True):
    """A shared library without code: one segment, a dynamic section and three symbols."""
    word = "Q" if is64 else "I"
    names = b"\0__tvm_module_ctx\0add\0TVMFuncCall\0"
    symbols = [(0, 0, 0), (1, 0x11, 1), (names.index(b"add"), 0x12, 1),
               (names.index(b"TVMFunc"), 0x10, 0)]
    if is64:
        packed = [struct.pack(order + "IBBHQQ", name, info, 0, index, 0x100, 8)
                  for name, info, index in symbols]
    else:
        packed = [struct.pack(order + "IIIBBH", name, 0x100, 8, info, 0, index)
                  for name, info, index in symbols]
    if gnu_hash:  # all in one bucket, the chain ends with an odd number
        table = struct.pack(order + "4I" + word + "I3I", 1, 1, 1, 0, 0, 1, 2, 4, 7)
    else:
        table = struct.pack(order + "2I1I4I", 1, 4, 1, 0, 2, 3, 0)
    header_size, segment_size, section_size = (64, 56, 64) if is64 else (52, 32, 40)
    at = header_size + 2 * segment_size
    symbols_at, names_at = at, at + sum(map(len, packed))
    table_at = names_at + len(names)
    dynamic_at = table_at + len(table)
    dynamic = b"".join(struct.pack(order + 2 * word, tag, value) for tag, value in [
        (5, names_at), (10, len(names)), (6, symbols_at), (11, len(packed[0])),
        (0x6ffffef5 if gnu_hash else 4, table_at), (25, table_at), (27, 8), (0, 0)])
    sections_at = dynamic_at + len(dynamic)

    def segment(kind, begin, size):
        if is64:
            return struct.pack(order + "IIQQQQQQ", kind, 5, begin, begin, begin, size, size, 8)
        return struct.pack(order + "IIIIIIII", kind, begin, begin, begin, size, size, 5, 4)

    section = struct.pack(order + "II" + 4 * word + "II" + 2 * word, 0, 11, 0, symbols_at, symbols_at,
                          sum(map(len, packed)), 0, 0, 8, len(packed[0]))
    ident = b"\177ELF" + bytes([2 if is64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + "HHI" + 3 * word + "IHHHHHH", 3, machine, 1, 0, header_size,
        sections_at if sections else 0, 0, header_size, segment_size, 2, section_size,
        int(sections), 0)
    return b"".join([header, segment(1, 0, sections_at), segment(2, dynamic_at, len(dynamic)),
                     *packed, names, table, dynamic, section if sections else b""])


# ---------------------------------------------------------------- all of them

CORPUS = {
    "graph_json": {"worked": WORKED, "rich": RICH},
    "params_blob": {"worked": params(TENSORS), "more": params(MORE_TENSORS), "none": params({})},
    "module_blob": {
        "factory": blob((b"GraphExecutorFactory", factory(TENSORS)), LIBRARY, tree([0, 1, 1], [1])),
        "constants": blob((b"const_loader", constants(TENSORS | MORE_TENSORS, {b"f": [b"k0", b""]})),
                          LIBRARY, (b"dnnl", EXTERNAL), (b"metadata_module", b""),
                          tree([0, 2, 2, 3, 3], [1, 2, 3])),
        "device": blob((b"cuda", DEVICE)),
    },
    "elf": {
        "gnu": elf(), "sysv": elf(gnu_hash=False), "stripped": elf(sections=False),
        "small": elf(is64=False, machine=3), "big": elf(is64=False, order=">", machine=20),
        "big64": elf(order=">", machine=21, gnu_hash=False),
    },
}


def write(directory):
    """Write the corpus: one folder for each parser."""
    for parser, inputs in CORPUS.items():
        (directory / parser).mkdir(parents=True, exist_ok=True)
        for name, content in inputs.items():
            (directory / parser / name).write_bytes(content)
