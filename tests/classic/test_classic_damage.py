# SPDX-License-Identifier: Apache-2.0
"""Embedded modules whose bytes are wrong in every way: an error, and nothing else."""

import random
import struct
import sys

import numpy as np
import pytest

import tvmgo
from tests.blobs import (
    LIBRARY,
    constant_loader,
    executor_factory,
    import_tree,
    module_blob,
    number,
    tensor_record,
    text,
    texts,
    with_library,
)
from tests.classic.models import CONSTANTS, FACTORY, GRAPH, PARAMS
from tests.helpers import resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


EVERYTHING = module_blob(
    ("GraphExecutorFactory", executor_factory(GRAPH, PARAMS)),
    LIBRARY,
    ("metadata_module", b""),
    ("const_loader", constant_loader(CONSTANTS, {"with_constants": ["c1", "c0"]})),
    import_tree([0, 2, 2, 3, 4], [1, 2, 3, 1]),
)


def test_blob_cut_short_at_any_byte(patched):
    library = patched(EVERYTHING)
    assert library.load(EVERYTHING).kind == "GraphExecutorFactory"
    content = EVERYTHING[8:]
    for size in range(len(content)):
        with pytest.raises(ValueError, match="embedded modules"):
            library.load(number(size) + content[:size])


def lengths(content):
    """Where a number stands that could be a length."""
    return [
        at
        for at in range(len(content) - 7)
        if struct.unpack_from("<Q", content, at)[0] in range(1, len(content) + 1)
    ]


def test_any_length_changed(patched):
    library = patched(EVERYTHING)
    memory = resident_bytes()
    for at in [0, *lengths(EVERYTHING)]:
        value = struct.unpack_from("<Q", EVERYTHING, at)[0]
        for changed in {0, 1, value - 1, value + 1, value * 2, 2**31, 2**32, 2**40, 2**63, -1}:
            content = EVERYTHING[:at] + number(changed) + EVERYTHING[at + 8 :]
            try:
                library.load(content)  # some are no lengths, and some say the same in another way
            except tvmgo.TVMError:
                pass
    assert resident_bytes() - memory < 1 << 30


@pytest.mark.parametrize(
    "changed", [0, 5, len(FACTORY) - 9, len(FACTORY) - 7, len(FACTORY), 2**40, 2**63, 2**64 - 1]
)
def test_length_of_the_whole_changed(patched, changed):
    with pytest.raises(ValueError, match="embedded modules"):
        patched(FACTORY).load(number(changed) + FACTORY[8:])


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(magic=1), "the tensor magic"),
        (dict(device_type=2), "a CPU tensor"),
        (dict(ndim=-1), "dimensions"),
        (dict(ndim=2**31 - 1), "dimensions"),
        (dict(code=6), "element type"),
        (dict(code=7), "element type"),
        (dict(bits=0), "whole bytes"),
        (dict(lanes=0), "one lane"),
        (dict(lanes=4), "one lane"),
        (dict(shape=(-1,)), "shape"),
        (dict(shape=(2**62,)), "shape"),
        (dict(shape=(2**40,)), "data length"),
        (dict(nbytes=7), "data length"),
        (dict(nbytes=-8), "data length"),
        (dict(bits=2), "whole bytes"),
        (dict(code=4, bits=3), "whole bytes"),
        (dict(code=5, bits=1), "whole bytes"),
    ],
    ids=str,
)
def test_wrong_tensor(embed, change, words):
    record = tensor_record(np.zeros(2, "float32"), **{"reserved": 5, "device_id": 3, **change})
    payload = text("{}") + number(1) + texts(["p"]) + record + text("default")
    with pytest.raises(ValueError, match=words):
        embed(with_library("GraphExecutorFactory", payload))


def test_numbers_that_do_not_agree(embed):
    one = {"k0": PARAMS["k0"]}
    graph = executor_factory("{}", one).replace(
        number(2) + b"{}" + number(1), number(2) + b"{}" + number(2)
    )
    with pytest.raises(ValueError, match="expected as many names as parameters"):
        embed(with_library("GraphExecutorFactory", graph))
    names, tensors, symbols = (
        texts(["c0"]),
        number(1) + tensor_record(np.array([1, 2])),
        texts(["coded"]),
    )
    lists = number(1) + texts(["c0"])
    for content, words in [
        (names + number(2) + tensors[8:] + symbols + lists, "tensors as names"),
        (names + tensors + symbols + number(2) + lists[8:], "lists of constants as symbols"),
    ]:
        with pytest.raises(ValueError, match=f"expected as many {words}"):
            embed(with_library("const_loader", content))


def test_bytes_after_the_last_module_are_refused(embed):
    content = FACTORY[8:] + b"\0"
    with pytest.raises(ValueError, match="the end of the embedded modules"):
        embed(number(len(content)) + content)


def test_two_trees_are_refused(embed):
    with pytest.raises(ValueError, match="only one import tree"):
        embed(module_blob(LIBRARY, import_tree([0, 0], []), import_tree([0, 0], [])))


def test_random_changes(patched):
    library = patched(EVERYTHING)
    source = random.Random(7)
    for _ in range(4000):
        content = bytearray(EVERYTHING)
        for _ in range(source.choice([1, 1, 2, 5])):
            at = source.randrange(len(content))
            kind = source.randrange(4)
            if kind == 0:
                content[at] = source.randrange(256)
            elif kind == 1:
                content[at : at + 8] = number(source.choice([0, 1, 2**32, 2**63, 2**64 - 1]))
            elif kind == 2:
                del content[at : at + source.randrange(9)]
            else:
                content[at] ^= 1 << source.randrange(8)
        try:
            library.load(bytes(content[: len(EVERYTHING)]))
        except tvmgo.TVMError:
            pass
