# SPDX-License-Identifier: Apache-2.0
"""Graph JSON: what is accepted, what is refused and with which words, and the types of elements."""

import copy
import json

import numpy as np
import pytest

from tests.graph.executors import create, make, run
from tests.graphs import WORKED, WORKED_PARAMS, document, op, var
from tests.helpers import f32

# ---------------------------------------------------------------- documents that are accepted


def two_number_refs(graph):
    for node in graph["nodes"]:
        node["inputs"] = [ref[:2] for ref in node["inputs"]]
    graph["heads"] = [ref[:2] for ref in graph["heads"]]


def attr_alias(graph):
    for node in graph["nodes"]:
        if "attrs" in node:
            node["attr"] = node.pop("attrs")


def nnvm_extras(graph):
    graph["attrs"]["dtype"] = ["list_int", [0, 0, 0, 0]]
    graph["attrs"]["storage_num_not_allocated"] = ["size_t", 0]
    graph["attrs"]["note"] = ["str", "of a tag that the reference cannot skip"]


@pytest.mark.parametrize(
    "change",
    [
        two_number_refs,
        attr_alias,
        nnvm_extras,
        lambda graph: graph["attrs"].pop("device_index"),
        lambda graph: graph["nodes"][3].update(control_deps=[0, 2]),
        lambda graph: graph["nodes"][2]["attrs"].update(num_inputs="5"),
        lambda graph: graph["nodes"][2]["attrs"].update(data_layout="NCHW"),
        lambda graph: graph.update(metadata={"anything": [1, {"goes": None}]}),
        lambda graph: graph["attrs"].update(storage_scope=["list_str", ["", "global", "", ""]]),
        lambda graph: graph["attrs"]["storage_id"][1].__setitem__(slice(None), [2**62, 5, 0, 7]),
        lambda graph: graph["attrs"]["storage_id"][1].__setitem__(slice(0, 2), [-1, -1]),
        lambda graph: graph["attrs"]["storage_id"][1].__setitem__(slice(2, 4), [9, 9]),
    ],
    ids=[
        "two-number-refs",
        "attr-alias",
        "nnvm-extras",
        "no-device-index",
        "control-deps",
        "wrong-num-inputs",
        "layout-attr",
        "metadata",
        "global-scope",
        "storage-gaps",
        "negative-storage-of-inputs",
        "result-over-its-argument",
    ],
)
def test_variant_of_the_format_runs(change):
    graph = copy.deepcopy(WORKED)
    change(graph)
    module = create(graph)
    module["load_params"](WORKED_PARAMS)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(6.25, 0.0))


def test_keys_in_any_order_and_escaped_names_are_read():
    graph = copy.deepcopy(WORKED)
    graph["nodes"][0]["name"] = 'a "quoted"\\\n\tname \u00e9\U0001f600'
    graph["nodes"][1]["name"] = "x" * 5000
    module = create(json.dumps(dict(reversed(graph.items())), sort_keys=True))
    assert module["get_input_index"](graph["nodes"][0]["name"]) == 0
    assert module["get_input_index"]("x" * 5000) == 1


def test_empty_graph_runs():
    module = make([], [])
    assert module["get_num_inputs"]() == module["get_num_outputs"]() == 0
    module["run"]()


# ---------------------------------------------------------------- documents that are refused


def put(*path):
    """A change of the worked graph: `put(*keys, value)` sets, a value of None deletes."""
    *keys, last, value = path

    def change(graph):
        target = graph
        for key in keys:
            target = target[key]
        if value is None:
            del target[last]
        else:
            target[last] = value

    return change


SHAPE, DLTYPE = ("attrs", "shape", 1), ("attrs", "dltype", 1)
STORAGE, DEVICE = ("attrs", "storage_id", 1), ("attrs", "device_index", 1)
PLACE = ("attrs", "tvmgo_place")
BIG = 2**62

REFUSED = {
    "unknown-key": (put("extra", 1), 'key "extra" is not supported'),
    "nodes-missing": (put("nodes", None), 'invalid format, the key "nodes"'),
    "arg-nodes-missing": (put("arg_nodes", None), 'invalid format, the key "arg_nodes"'),
    "heads-missing": (put("heads", None), 'invalid format, the key "heads"'),
    "row-ptr-missing": (put("node_row_ptr", None), 'invalid format, the key "node_row_ptr"'),
    "attrs-missing": (put("attrs", None), 'invalid format, the key "attrs"'),
    "nodes-no-array": (put("nodes", 3), "nodes: expected an array, got 3"),
    "node-no-object": (put("nodes", 1, []), r"nodes\[1\]: expected an object"),
    "node-unknown-key": (put("nodes", 1, "dev", 0), 'do not support key "dev"'),
    "node-without-op": (put("nodes", 1, "op", None), 'the key "op"'),
    "node-without-name": (put("nodes", 1, "name", None), 'the key "name"'),
    "node-without-inputs": (put("nodes", 2, "inputs", None), 'the key "inputs"'),
    "name-no-string": (put("nodes", 1, "name", 7), r"nodes\[1\].name: expected a string, got 7"),
    "name-null": (lambda graph: graph["nodes"][1].update(name=None), "expected a string, got null"),
    "name-true": (put("nodes", 1, "name", True), "expected a string, got true"),
    "name-false": (put("nodes", 1, "name", False), "expected a string, got false"),
    "name-object": (put("nodes", 1, "name", {}), "expected a string, got an object"),
    "inputs-long-string": (
        put("nodes", 1, "inputs", "\u00e9" * 30),
        'expected an array, got "\u00e9{20}\\.\\.\\."',
    ),
    "inputs-split-character": (
        put("nodes", 1, "inputs", "a" + "\u00e9" * 30),
        'expected an array, got "a\u00e9{19}\\.\\.\\."',
    ),
    "op-unknown": (put("nodes", 2, "op", "call"), 'Can only take tvm_op as op.*got "call"'),
    "null-with-inputs": (put("nodes", 1, "inputs", [[0, 0, 0]]), "no inputs"),
    "op-without-attrs": (put("nodes", 2, "attrs", None), 'invalid format, the key "attrs"'),
    "attrs-no-object": (put("nodes", 2, "attrs", []), r"nodes\[2\].attrs: expected an object"),
    **{
        f"{key}-missing": (put("nodes", 2, "attrs", key, None), f'invalid format, the key "{key}"')
        for key in ("func_name", "num_inputs", "num_outputs", "flatten_data")
    },
    "attr-no-string": (put("nodes", 2, "attrs", "hash", 1), "attrs.hash: expected a string"),
    "num-outputs-no-digits": (put("nodes", 2, "attrs", "num_outputs", "1 "), "decimal digits"),
    "num-outputs-huge": (put("nodes", 2, "attrs", "num_outputs", "9" * 30), "decimal digits"),
    "num-outputs-empty": (put("nodes", 2, "attrs", "num_outputs", ""), "decimal digits"),
    "num-outputs-wrong": (put("nodes", 2, "attrs", "num_outputs", "2"), "has 2 outputs"),
    "flatten-no-digits": (put("nodes", 2, "attrs", "flatten_data", "no"), "decimal digits"),
    "ref-of-one": (put("nodes", 2, "inputs", 0, [0]), "invalid json format.*length 1"),
    "ref-of-four": (put("nodes", 2, "inputs", 0, [0, 0, 0, 0]), "invalid json format.*length 4"),
    "ref-no-array": (put("nodes", 2, "inputs", 0, 0), r"inputs\[0\]: expected an array"),
    "ref-version-no-int": (put("nodes", 2, "inputs", 0, [0, 0, "0"]), "expected an integer"),
    "ref-to-itself": (put("nodes", 2, "inputs", 0, [2, 0, 0]), "an index below 2, got 2"),
    "ref-to-later": (put("nodes", 2, "inputs", 0, [3, 0, 0]), "an index below 2, got 3"),
    "ref-negative": (put("nodes", 2, "inputs", 0, [-1, 0, 0]), "got -1"),
    "ref-output-too-big": (put("nodes", 2, "inputs", 0, [0, 1, 0]), "an index below 1, got 1"),
    "ref-output-negative": (put("nodes", 2, "inputs", 0, [0, -1, 0]), "got -1"),
    "control-deps-range": (put("nodes", 2, "control_deps", [9]), "control_deps.*got 9"),
    "control-deps-no-array": (put("nodes", 2, "control_deps", 1), "deps: expected an array"),
    "arg-node-range": (put("arg_nodes", 1, 4), r"arg_nodes\[1\]: expected an index below 4"),
    "arg-node-is-op": (put("arg_nodes", 1, 2), 'the id of a "null" node'),
    "arg-node-float": (put("arg_nodes", 1, 1.0), r"arg_nodes\[1\].*got 1"),
    "head-range": (put("heads", 0, [4, 0, 0]), r"heads\[0\]\[0\]: expected an index below 4"),
    "head-output-range": (put("heads", 0, [3, 1, 0]), r"heads\[0\]\[1\]: .*below 1, got 1"),
    "row-ptr-short": (put("node_row_ptr", [0, 1, 2, 3]), "5 in all"),
    "row-ptr-long": (put("node_row_ptr", [0, 1, 2, 3, 4, 5]), "5 in all"),
    "row-ptr-first": (put("node_row_ptr", 0, 1), r"node_row_ptr\[0\]"),
    "row-ptr-falls": (put("node_row_ptr", 2, 0), r"node_row_ptr\[2\]: expected an integer from 1"),
    "row-ptr-huge": (put("node_row_ptr", 4, 2**40), r"node_row_ptr\[4\]"),
    "row-ptr-claims-much": (put("node_row_ptr", 4, 2**31 - 1), "node_row_ptr gives it 2147483644"),
    "null-with-two-outputs": (put("node_row_ptr", [0, 2, 3, 4, 5]), "has 1 outputs"),
    "shape-missing": (put("attrs", "shape", None), 'the key "shape"'),
    "dltype-missing": (put("attrs", "dltype", None), 'the key "dltype"'),
    "storage-missing": (put("attrs", "storage_id", None), 'the key "storage_id"'),
    "shape-tag": (put("attrs", "shape", 0, "list_int"), 'the type tag "list_shape"'),
    "shape-untagged": (put("attrs", "shape", [[2], [2], [2], [2]]), "type tag, list"),
    "shape-short": (put(*SHAPE, [[2], [2], [2]]), "one item per entry, 4 in all"),
    "dltype-long": (put(*DLTYPE, ["float32"] * 5), "one item per entry, 4 in all"),
    "storage-short": (put(*STORAGE, [0]), "one item per entry, 4 in all"),
    "device-short": (put(*DEVICE, [1]), "one item per entry, 4 in all"),
    "dim-negative": (put(*SHAPE, 2, [-2]), r"shape\[1\]\[2\]\[0\].*got -2"),
    "dim-float": (put(*SHAPE, 2, [2.5]), r"shape\[1\]\[2\]\[0\].*got 2.5"),
    "dim-beyond-int64": (put(*SHAPE, 2, [2**64]), r"shape\[1\]\[2\]\[0\]"),
    "dims-overflow": (put(*SHAPE, 2, [BIG, BIG, BIG]), "does not fit in memory"),
    "dims-overflow-beside-zero": (put(*SHAPE, 2, [0, BIG, BIG]), "does not fit in memory"),
    "bytes-overflow": (put(*SHAPE, 2, [BIG]), "does not fit in memory"),
    "dltype-number": (put(*DLTYPE, 2, 3), r"dltype\[1\]\[2\]: expected a string"),
    "dltype-garbage": (put(*DLTYPE, 2, "float32z"), r"dltype\[1\]\[2\].*at position 7"),
    "storage-no-int": (put(*STORAGE, 2, "2"), r"storage_id\[1\]\[2\]: expected an integer"),
    "storage-negative": (put(*STORAGE, 2, -1), "Do not support runtime shape op"),
    "device-negative": (put(*DEVICE, 2, -1), r"device_index\[1\]\[2\].*got -1"),
    "scope-unknown": (
        put("attrs", "storage_scope", ["list_str", ["", "", "global.texture", ""]]),
        'memory scope.*got "global.texture"',
    ),
    "place-short": (put(*PLACE, ["list_int", [-1, -1, 0]]), "one item per entry, 4 in all"),
    "place-negative": (put(*PLACE, ["list_int", [-1, -1, 0, -2]]), r"place\[1\]\[3\].*got -2"),
    "place-huge": (put(*PLACE, ["list_int", [-1, -1, 0, 2**31]]), r"place\[1\]\[3\]"),
    "place-of-an-input": (put(*PLACE, ["list_int", [0, -1, 1, 2]]), "place.*-1 for inputs"),
    "place-far-away": (
        put(*PLACE, ["list_int", [-1, -1, 0, 2]]),
        "place: expected places in at most 128 bytes.*got 192",
    ),
    "scope-tag": (put("attrs", "storage_scope", ["list_int", [0, 0, 0, 0]]), "list_str"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_malformed_graph_is_refused(change, message):
    graph = copy.deepcopy(WORKED)
    change(graph)
    with pytest.raises(ValueError, match=f"(?s)^graph JSON.*{message}"):
        create(graph)


def test_document_cut_at_any_byte_is_refused():
    text = json.dumps(copy.deepcopy(WORKED))
    for length in range(len(text)):
        with pytest.raises(ValueError, match="^graph JSON"):
            create(text[:length])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"nodes": ' + "[" * 65 + "]" * 65 + "}",
    ],
    ids=["arrays", "objects", "just-too-deep"],
)
def test_deep_nesting_is_refused(text):
    with pytest.raises(ValueError, match="nested deeper than 64 levels: line 1, column"):
        create(text)


def test_brackets_inside_strings_are_not_nesting():
    graph = copy.deepcopy(WORKED)
    graph["nodes"][0]["name"] = '[{"' * 100
    assert create(graph)["get_input_index"]('[{"' * 100) == 0


def test_size_nobody_has_is_a_memory_error():
    graph = copy.deepcopy(WORKED)
    graph["attrs"]["shape"][1][1] = [2**57]
    with pytest.raises(MemoryError, match="not enough memory"):
        create(graph)


def test_storage_id_on_two_device_types_is_refused():
    graph = copy.deepcopy(WORKED)
    graph["attrs"]["storage_id"][1] = [0, 1, 2, 2]
    graph["attrs"]["device_index"][1] = [1, 1, 1, 2]
    with pytest.raises(ValueError, match="same pool entry cannot be assigned to multiple devices"):
        create(graph)


def nop_graph(shape, sid, inputs=("x",)):
    return document(
        [var("x", (4,), sid=0), op("__nop", list(inputs), shape, sid=sid, name="r")], ["r"]
    )


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nop_graph((2, 2), 1), "must share storage with an input"),
        (nop_graph((2, 2), 0, inputs=()), "must share storage with an input"),
        (nop_graph((2, 3), 0), "The size must exactly match"),
        (
            document([var("x"), op("__copy", ["x"], (3,), name="c")], []),
            "The size must exactly match",
        ),
        (document([var("x"), op("__copy", ["x", "x"], name="c")], []), "one input and one output"),
        (
            document([var("x"), op("__copy", ["x"], outs=[], name="c")], []),
            "one input and one output",
        ),
    ],
    ids=[
        "nop-other-storage",
        "nop-without-input",
        "nop-other-size",
        "copy-other-size",
        "copy-two-inputs",
        "copy-no-output",
    ],
)
def test_impossible_special_operator_is_refused(graph, message):
    with pytest.raises(ValueError, match=message):
        create(graph)


# ---------------------------------------------------------------- element types


@pytest.mark.parametrize(
    ("text", "dtype", "nbytes"),
    [
        ("int8", "int8", 6),
        ("int", "int32", 24),
        ("uint16", "uint16", 12),
        ("uint", "uint32", 24),
        ("float", "float32", 24),
        ("float64", "float64", 48),
        ("float16", "float16", 12),
        ("bfloat", "bfloat16", 12),
        ("bfloat16", "bfloat16", 12),
        ("handle", "handle", 48),
        ("bool", "bool", 6),
        ("uint1", "bool", 6),
        ("int4", "int8", 6),
        ("uint4", "uint8", 6),
        ("float32x4", "float32x4", 96),
        ("int4x2", "int4x2", 6),
        ("e4m3_float8", "float8_e4m3fn", 6),
        ("e5m2_float8", "float8_e5m2", 6),
        ("float8_e5m2", "float8_e5m2", 6),
    ],
)
def test_dtype_string_gives_type_and_size(text, dtype, nbytes):
    x = make([var("x", (2, 3), text)], ["x"])["get_input"]("x")
    assert (str(x.dtype), x.nbytes, x.shape) == (dtype, nbytes, (2, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flaot32", "at position 0"),
        ("Float32", "at position 0"),
        (" int8", "at position 0"),
        ("float32 ", "at position 7"),
        ("float-32", "at position 5"),
        ("float0", "at position 5"),
        ("float4", "at position 5"),
        ("float33", "at position 5"),
        ("float128", "at position 5"),
        ("float256", "at position 5"),
        ("bfloat17", "at position 6"),
        ("handle32", "at position 6"),
        ("int129", "at position 3"),
        ("int99999999999", "at position 3"),
        ("int8x", "at position 5"),
        ("int8x0", "at position 5"),
        ("int8x32768", "at position 5"),
        ("int8x2y", "at position 6"),
        ("bool8", "at position 0"),
        ("boolx4", "at position 0"),
        ("e4m3_float88", "at position 11"),
        ("custom[posit]8", "at position 0"),
        ("int3", "got int3"),
        ("uint1x2", "got uint1x2"),
        ("", "got"),
        ("void", "got"),
    ],
)
def test_bad_dtype_string_is_refused(text, message):
    with pytest.raises(ValueError, match=f"dltype.*{message}"):
        make([var("x", dtype=text)], ["x"])
