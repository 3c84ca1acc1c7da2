# SPDX-License-Identifier: Apache-2.0
"""The binary files tvmgo reads, written field by field as their formats say: parameters, and the
modules that are embedded in libraries.
"""

import struct

LIST_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F
TYPE_CODES = {"i": 0, "u": 1, "f": 2, "b": 1}  # by NumPy's letter for the kind of element


# ---------------------------------------------------------------- numbers and text


def number(value):
    """64 bits, little-endian; negative values as their two's complement."""
    return struct.pack("<Q", value % 2**64)


def numbers(values):
    return number(len(values)) + b"".join(map(number, values))


def text(value):
    """Text or bytes after its length."""
    value = value.encode() if isinstance(value, str) else value
    return number(len(value)) + value


def texts(values):
    return number(len(values)) + b"".join(map(text, values))


# ---------------------------------------------------------------- tensors and parameters


def tensor_record(array, **changes):
    """One tensor as parameters and modules have it; `changes` replace single fields."""
    fields = dict(
        magic=TENSOR_MAGIC,
        reserved=0,
        device_type=1,
        device_id=0,
        ndim=array.ndim,
        code=TYPE_CODES[array.dtype.kind],
        bits=1 if array.dtype == bool else array.dtype.itemsize * 8,
        lanes=1,
        shape=array.shape,
        nbytes=array.nbytes,
        data=array.tobytes(),
    )
    assert changes.keys() <= fields.keys()
    fields.update(changes)
    *head, shape, nbytes, data = fields.values()
    return struct.pack(f"<QQiiiBBH{len(shape)}qq", *head, *shape, nbytes) + data


def params_blob(params, *, magic=LIST_MAGIC, reserved=0, names=None, tensors=None, records=None):
    """A params blob of (name, array) pairs; keyword arguments falsify single fields."""
    names = len(params) if names is None else names
    tensors = len(params) if tensors is None else tensors
    records = [tensor_record(array) for _, array in params] if records is None else records
    encoded = [text(name) for name, _ in params]
    return b"".join(
        [number(magic), number(reserved), number(names), *encoded, number(tensors), *records]
    )


# ---------------------------------------------------------------- modules embedded in classic libraries

LIBRARY = ("_lib", b"")  # the place of the library itself among its modules


def module_blob(*entries):
    """The symbol that holds the modules: pairs of key and payload."""
    return text(number(len(entries)) + b"".join(text(key) + payload for key, payload in entries))


def import_tree(rows, children):
    """The entry that says which module imports which, as the rows of a sparse matrix."""
    return "_import_tree", numbers(rows) + numbers(children)


def with_library(key, payload):
    """The symbol for one module, which imports the library itself."""
    return module_blob((key, payload), LIBRARY, import_tree([0, 1, 1], [1]))


def executor_factory(graph, params, model_name="default"):
    """The payload of a graph executor factory; `params` are arrays by name."""
    return (
        text(graph)
        + number(len(params))
        + texts(params)
        + b"".join(map(tensor_record, params.values()))
        + text(model_name)
    )


def constant_loader(values, symbols):
    """The payload of a loader of constants: arrays by name, and by symbol the names it needs."""
    return (
        texts(values)
        + number(len(values))
        + b"".join(map(tensor_record, values.values()))
        + texts(symbols)
        + number(len(symbols))
        + b"".join(map(texts, symbols.values()))
    )
