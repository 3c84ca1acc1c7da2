# SPDX-License-Identifier: Apache-2.0
"""The C++ graph executor, driven through the runtime's function table.

Graphs are built here as plain documents and kernels are Python callbacks, so nothing is compiled.
Expected values come from NumPy. What the executor owes to the classic one, and where it is
stricter on purpose, follows the specification the sources in ``tvmgo/cxx`` quote.
"""

import gc
import json
import struct
import threading
import weakref

import numpy as np
import pytest

import tvmgo
from tests.helpers import Exporter, compile_library

CREATE = "tvm.graph_executor.create"
LIST_MAGIC = 0xF7E58D4F05049CB7
TENSOR_MAGIC = 0xDD5E40F096B4A13F

WORKED_GRAPH = """
{"nodes": [
  {"op": "null", "name": "x", "inputs": []},
  {"op": "null", "name": "k0", "inputs": []},
  {"op": "tvm_op", "name": "add0", "inputs": [[0, 0, 0], [1, 0, 0]],
   "attrs": {"func_name": "test_ge.add", "num_inputs": "2", "num_outputs": "1",
             "flatten_data": "0", "hash": "1f2e3d4c5b6a7988"}},
  {"op": "tvm_op", "name": "sq0", "inputs": [[2, 0, 0]],
   "attrs": {"func_name": "test_ge.square", "num_inputs": "1", "num_outputs": "1",
             "flatten_data": "0"}}],
 "arg_nodes": [0, 1], "heads": [[3, 0, 0]], "node_row_ptr": [0, 1, 2, 3, 4],
 "attrs": {
  "shape": ["list_shape", [[2], [2], [2], [2]]],
  "dltype": ["list_str", ["float32", "float32", "float32", "float32"]],
  "storage_id": ["list_int", [0, 1, 2, 3]],
  "device_index": ["list_int", [1, 1, 1, 1]]}}
"""

# k0 = float32[2] {1.5, -2.0} and n1 = int64 scalar 7, which the graph does not have.
WORKED_PARAMS = bytes.fromhex("""
    b7 9c 04 05 4f 8d e5 f7 00 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    6b 30 02 00 00 00 00 00 00 00 6e 31 02 00 00 00  00 00 00 00 3f a1 b4 96 f0 40 5e dd 00 00 00 00
    00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00  02 20 01 00 02 00 00 00 00 00 00 00 08 00 00 00
    00 00 00 00 00 00 c0 3f 00 00 00 c0 3f a1 b4 96  f0 40 5e dd 00 00 00 00 00 00 00 00 01 00 00 00
    00 00 00 00 00 00 00 00 00 40 01 00 08 00 00 00  00 00 00 00 07 00 00 00 00 00 00 00
""")


# ---------------------------------------------------------------- kernels


def write(out, values):
    np.asarray(out)[...] = values


KERNELS = {
    "add": lambda x, y, out: write(out, np.asarray(x) + np.asarray(y)),
    "square": lambda x, out: write(out, np.square(np.asarray(x))),
    "negate": lambda x, out: write(out, -np.asarray(x)),
    "positive": lambda x, out: write(out, np.asarray(x) > 0),
    "where": lambda c, x, y, out: write(out, np.where(c, x, y)),
    "min_max": lambda x, low, high: (
        write(low, np.asarray(x).min()),
        write(high, np.asarray(x).max()),
    ),
    "tick": lambda: None,
    "chatty": lambda x, out: write(out, np.asarray(x)) or "a result nobody reads, on the heap",
}


@pytest.fixture(scope="module", autouse=True)
def registered_kernels():
    for name, kernel in KERNELS.items():
        tvmgo.register_function(kernel, f"test_ge.{name}", override=True)
    yield
    for name in KERNELS:
        tvmgo.remove_global_function(f"test_ge.{name}")


@pytest.fixture
def kernel():
    """Registers one more kernel under a name of its own for the length of a test."""
    names = []

    def register(function):
        names.append(f"test_ge.special{len(names)}")
        tvmgo.register_function(function, names[-1], override=True)
        return names[-1].removeprefix("test_ge.")

    yield register
    for name in names:
        tvmgo.remove_global_function(name)


# ---------------------------------------------------------------- what only native code can do

NATIVE = """
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

#define ARGS void *self, const TVMFFIAny *args, int32_t num_args, TVMFFIAny *result
#define EXPORT __attribute__((visibility("default")))

static int copies;

// (shape of one dimension, dtype, device, scope): host memory under the name of that device.
EXPORT int __tvm_ffi_allocate(ARGS) {
  const char* object = args[0].v_ptr;
  int64_t length = ((const TVMFFIShapeCell*)(object + sizeof(TVMFFIObject)))->data[0];
  DLManagedTensor* managed = calloc(1, sizeof(*managed) + sizeof(int64_t) + 4 * length);
  int64_t* shape = (int64_t*)(managed + 1);
  shape[0] = length;
  managed->dl_tensor.data = shape + 1;
  managed->dl_tensor.device = args[2].v_device;
  managed->dl_tensor.ndim = 1;
  managed->dl_tensor.dtype = args[1].v_dtype;
  managed->dl_tensor.shape = shape;
  managed->deleter = (void (*)(DLManagedTensor*))free;
  result->type_index = kTVMFFITensor;
  return TVMFFITensorFromDLPack(managed, 0, 0, &result->v_ptr);
}

static DLTensor* tensor(const TVMFFIAny* arg) {
  char* object = arg->v_ptr;
  return (DLTensor*)(arg->type_index == kTVMFFITensor ? object + sizeof(TVMFFIObject) : object);
}

// (from, to)
EXPORT int __tvm_ffi_copy(ARGS) {
  DLTensor *from = tensor(&args[0]), *to = tensor(&args[1]);
  int64_t nbytes = from->dtype.bits / 8;
  for (int i = 0; i < from->ndim; ++i) nbytes *= from->shape[i];
  memcpy(to->data, from->data, nbytes);
  ++copies;
  return 0;
}

EXPORT int __tvm_ffi_count_copies(ARGS) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = copies;
  return 0;
}

// (function, key, bits): calls function(key, t) with a strided tensor that no object owns, holding
// the elements 1 and 2 at every other place of { 1, 9, 2, 9 }.
EXPORT int __tvm_ffi_call_with_bare_tensor(ARGS) {
  float data[4] = {1, 9, 2, 9};
  int64_t shape[1] = {2}, strides[1] = {2};
  DLTensor t = {data, {kDLCPU, 0}, 1, {kDLFloat, (uint8_t)args[2].v_int64, 1}, shape, strides, 0};
  TVMFFIAny passed[2] = {args[1], {.type_index = kTVMFFIDLTensorPtr}};
  passed[1].v_ptr = &t;
  return TVMFFIFunctionCall(args[0].v_ptr, passed, 2, result);
}
"""


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    directory = tmp_path_factory.mktemp("native")
    source = directory / "native.c"
    source.write_text(NATIVE)
    return tvmgo.load_module(compile_library(source, directory / "native.so"))


# ---------------------------------------------------------------- graphs and blobs


def var(name, shape=(2,), dtype="float32", sid=None):
    return {"op": "null", "name": name, "inputs": [], "outs": [(shape, dtype, sid)]}


def op(func, inputs, shape=(2,), dtype="float32", sid=None, *, name=None, outs=None, flatten="0"):
    """A node whose inputs are names, or (name, output index) pairs, of nodes before it."""
    outs = [(shape, dtype, sid)] if outs is None else outs
    func = func if func.startswith("__") else f"test_ge.{func}"
    attrs = {
        "func_name": func,
        "num_inputs": str(len(inputs)),
        "num_outputs": str(len(outs)),
        "flatten_data": flatten,
    }
    return {"op": "tvm_op", "name": name or func, "inputs": inputs, "attrs": attrs, "outs": outs}


def document(nodes, heads):
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
        },
    }


def create(graph, *devices, library=None):
    text = graph if isinstance(graph, str) else json.dumps(graph)
    return tvmgo.get_global_function(CREATE)(text, library, *(devices or (1, 0)))


def make(nodes, heads):
    return create(document(nodes, heads))


def chain():
    """x -> negate -> square, the smallest graph with an inner entry."""
    return make([var("x"), op("negate", ["x"], name="n"), op("square", ["n"], name="s")], ["s"])


def f32(*values):
    return np.array(values, "float32")


def run(module, **inputs):
    for name, value in inputs.items():
        module["set_input"](name, tvmgo.array(value))
    module["run"]()
    return [module["get_output"](i).numpy() for i in range(module["get_num_outputs"]())]


def tensor_record(array, **changes):
    """One tensor of a params blob; `changes` replace single fields."""
    code = {"i": 0, "u": 1, "f": 2, "b": 1}[array.dtype.kind]
    bits = 1 if array.dtype == bool else array.dtype.itemsize * 8
    fields = dict(
        magic=TENSOR_MAGIC,
        reserved=0,
        device_type=1,
        device_id=0,
        ndim=array.ndim,
        code=code,
        bits=bits,
        lanes=1,
        shape=array.shape,
        nbytes=array.nbytes,
        data=array.tobytes(),
    )
    fields.update(changes)
    return (
        struct.pack(
            "<QQiiiBBH",
            *(
                fields[k]
                for k in (
                    "magic",
                    "reserved",
                    "device_type",
                    "device_id",
                    "ndim",
                    "code",
                    "bits",
                    "lanes",
                )
            ),
        )
        + struct.pack(f"<{len(fields['shape'])}q", *fields["shape"])
        + struct.pack("<q", fields["nbytes"])
        + fields["data"]
    )


def params_blob(params, *, magic=LIST_MAGIC, reserved=0, names=None, tensors=None, records=None):
    """A params blob of (name, array) pairs; keyword arguments falsify single fields."""
    names = len(params) if names is None else names
    tensors = len(params) if tensors is None else tensors
    encoded = [name.encode() for name, _ in params]
    records = [tensor_record(array) for _, array in params] if records is None else records
    return (
        struct.pack("<QQQ", magic, reserved, names)
        + b"".join(struct.pack("<Q", len(name)) + name for name in encoded)
        + struct.pack("<Q", tensors)
        + b"".join(records)
    )


# ---------------------------------------------------------------- the worked example


def worked():
    module = create(WORKED_GRAPH)
    module["load_params"](WORKED_PARAMS)
    return module


def test_worked_example_gives_the_documented_output():
    [y] = run(worked(), x=f32(1, 2))
    np.testing.assert_array_equal(y, f32(6.25, 0.0))


def test_worked_params_are_what_the_format_says():
    params = [("k0", f32(1.5, -2.0)), ("n1", np.array(7, "int64"))]
    assert params_blob(params) == WORKED_PARAMS and len(WORKED_PARAMS) == 156


@pytest.mark.parametrize("name", [CREATE, "tvm.graph_runtime.create"])
def test_every_name_makes_a_graph_executor(name):
    module = tvmgo.get_global_function(name)(WORKED_GRAPH, None, 1, 0)
    assert module.kind == "GraphExecutor"


def test_module_is_runnable_and_nothing_else():
    mask = tvmgo.get_global_function("ffi.ModuleGetPropertyMask")(create(WORKED_GRAPH))
    assert mask == 0b010  # neither serialised nor exported
    assert list(create(WORKED_GRAPH).imports) == []


# ---------------------------------------------------------------- create


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((), TypeError, "at least 4, but it has 0"),
        ((WORKED_GRAPH, None, 1), TypeError, "at least 4, but it has 3"),
        ((WORKED_GRAPH, None, 1, 0, 1), TypeError, "no device id"),
        ((1, None, 1, 0), TypeError, "argument 0"),
        ((WORKED_GRAPH, "lib", 1, 0), TypeError, "expected a module"),
        ((WORKED_GRAPH, None, 1.0, 0), TypeError, "expected an integer"),
        ((WORKED_GRAPH, None, 0, 0), ValueError, "device type"),
        ((WORKED_GRAPH, None, 1, -1), ValueError, "device id"),
        ((WORKED_GRAPH, None, 1, 2**32), ValueError, "device id"),
        ((WORKED_GRAPH, None, "cpu", 0), TypeError, "expected an integer"),
    ],
    ids=[
        "no-arguments",
        "three-arguments",
        "dangling-device-type",
        "json-int",
        "library-str",
        "device-type-float",
        "device-type-zero",
        "device-id-negative",
        "device-id-huge",
        "device-type-str",
    ],
)
def test_create_with_bad_arguments_raises(args, error, message):
    with pytest.raises(error, match=message) as caught:
        tvmgo.get_global_function(CREATE)(*args)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_create_accepts_bytes_several_devices_and_an_rpc_session():
    make_executor = tvmgo.get_global_function(CREATE)
    for args in [(1, 0, 1, 0), (128 * 3 + 1, 0)]:
        module = make_executor(WORKED_GRAPH.encode(), None, *args)
        assert str(module["get_input"](0).device) == "cpu:0"


def test_unlisted_device_type_falls_back_to_the_first_device():
    graph = json.loads(WORKED_GRAPH)
    graph["attrs"]["device_index"][1] = [1, 1, 2, 14]
    module = create(graph)
    module["load_params"](WORKED_PARAMS)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(6.25, 0.0))


@pytest.mark.usefixtures("fake_runtime")
def test_unlisted_device_type_falls_back_to_the_first_of_several_devices():
    graph = json.loads(WORKED_GRAPH)
    graph["attrs"]["device_index"][1] = [1, 1, 2, 14]
    module = create(graph, 1, 0, EXT_DEV, 3)
    assert str(module["get_output"](0).device) == "cpu:0"


def test_device_without_runtime_support_raises():
    with pytest.raises(tvmgo.TVMError):
        create(WORKED_GRAPH, 12, 0)


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
    graph = json.loads(WORKED_GRAPH)
    change(graph)
    module = create(graph)
    module["load_params"](WORKED_PARAMS)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(6.25, 0.0))


def test_keys_in_any_order_and_escaped_names_are_read():
    graph = json.loads(WORKED_GRAPH)
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
    "scope-tag": (put("attrs", "storage_scope", ["list_int", [0, 0, 0, 0]]), "list_str"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_malformed_graph_is_refused(change, message):
    graph = json.loads(WORKED_GRAPH)
    change(graph)
    with pytest.raises(ValueError, match=f"(?s)^graph JSON.*{message}"):
        create(graph)


def test_document_cut_at_any_byte_is_refused():
    text = json.dumps(json.loads(WORKED_GRAPH))
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
    with pytest.raises(ValueError, match="nested deeper than 64 levels at byte"):
        create(text)


def test_brackets_inside_strings_are_not_nesting():
    graph = json.loads(WORKED_GRAPH)
    graph["nodes"][0]["name"] = '[{"' * 100
    assert create(graph)["get_input_index"]('[{"' * 100) == 0


def test_size_nobody_has_is_a_memory_error():
    graph = json.loads(WORKED_GRAPH)
    graph["attrs"]["shape"][1][1] = [2**57]
    with pytest.raises(MemoryError, match="not enough memory"):
        create(graph)


def test_storage_id_on_two_device_types_is_refused():
    graph = json.loads(WORKED_GRAPH)
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
        ("float256", "at position 5"),
        ("int99999999999", "at position 3"),
        ("int8x", "at position 5"),
        ("int8x0", "at position 5"),
        ("int8x70000", "at position 5"),
        ("int8x2y", "at position 6"),
        ("bool8", "at position 0"),
        ("boolx4", "at position 0"),
        ("e4m3_float88", "at position 11"),
        ("custom[posit]8", "at position 0"),
        ("int3", "got int3"),
        ("float4", "got float4"),
        ("uint1x2", "got uint1x2"),
        ("", "got"),
        ("void", "got"),
    ],
)
def test_bad_dtype_string_is_refused(text, message):
    with pytest.raises(ValueError, match=f"dltype.*{message}"):
        make([var("x", dtype=text)], ["x"])


# ---------------------------------------------------------------- running


def test_several_outputs_of_one_node_are_separate():
    module = make(
        [
            var("x", (3,)),
            op("min_max", ["x"], name="m", outs=[((), "float32", None)] * 2),
            op("negate", [("m", 1)], (), name="n"),
        ],
        ["n", ("m", 0), ("m", 1)],
    )
    outputs = run(module, x=f32(3, -1, 2))
    assert [float(y) for y in outputs] == [-3, -1, 3] and outputs[0].shape == ()


def test_bool_entries_are_bytes_for_kernels_and_callers(kernel):
    seen = []
    name = kernel(lambda c: seen.append((str(c.dtype), c.nbytes, c.shape)))
    module = make(
        [
            var("x", (5,)),
            var("y", (5,)),
            op("positive", ["x"], (5,), "uint1", name="c"),
            op(name, ["c"], outs=[], name="look"),
            op("where", ["c", "x", "y"], (5,), name="w"),
        ],
        ["c", "w"],
    )
    x, y = f32(1, -1, 0, 2, -3), f32(10, 20, 30, 40, 50)
    mask, chosen = run(module, x=x, y=y)
    assert seen == [("bool", 5, (5,))] and mask.dtype == bool
    np.testing.assert_array_equal(mask, x > 0)
    np.testing.assert_array_equal(chosen, np.where(x > 0, x, y))


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), (), (1,), (1, 1, 1, 1)], ids=str)
def test_zero_sized_and_small_shapes_run(shape):
    x = np.full(shape, 3, "float32")
    [y] = run(make([var("x", shape), op("square", ["x"], shape, name="s")], ["s"]), x=x)
    np.testing.assert_array_equal(y, np.square(x))
    assert y.shape == shape


def test_shared_storage_overwrites_the_input():
    module = make(
        [
            var("x", sid=0),
            op("negate", ["x"], sid=1, name="n"),
            op("square", ["n"], sid=0, name="s"),
        ],
        ["s"],
    )
    np.testing.assert_array_equal(run(module, x=f32(2, 3))[0], f32(4, 9))
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(4, 9))


def test_pool_is_as_large_as_its_largest_entry():
    module = make(
        [var("x", (1,), sid=0), var("y", (64,)), op("square", ["y"], (64,), sid=0, name="s")], ["s"]
    )
    y = np.arange(64, dtype="float32")
    np.testing.assert_array_equal(run(module, y=y)[0], y * y)


def test_memory_is_aligned_and_zeroed():
    module = make([var(f"x{i}", (i + 1,)) for i in range(9)], [])
    for i in range(9):
        x = module["get_input"](i)
        assert np.asarray(x).ctypes.data % 128 == 0 and not x.numpy().any()


@pytest.mark.parametrize("shape", [(2, 2), (4, 1), (1, 4, 1)], ids=str)
def test_nop_shows_its_input_in_another_shape(shape):
    module = make(
        [
            var("x", (4,)),
            op("negate", ["x"], (4,), sid=7, name="n"),
            op("__nop", ["n"], shape, sid=7, name="r"),
            op("square", ["r"], shape, name="s"),
        ],
        ["r", "s"],
    )
    x = f32(1, 2, 3, 4)
    reshaped, squared = run(module, x=x)
    np.testing.assert_array_equal(reshaped, -x.reshape(shape))
    np.testing.assert_array_equal(squared, np.square(x.reshape(shape)))


def test_copy_operator_copies_bytes():
    module = make([var("x"), op("__copy", ["x"], (2, 1), "int32", name="c")], ["c"])
    [y] = run(module, x=f32(1.5, -2))
    np.testing.assert_array_equal(y, f32(1.5, -2).view("int32").reshape(2, 1))


def test_flatten_data_shows_kernels_one_dimension(kernel):
    seen = []
    name = kernel(lambda x, out: (seen.append((x.shape, out.shape)), write(out, np.square(x))))
    module = make(
        [
            var("x", (2, 3)),
            var("z", ()),
            op(name, ["x"], (3, 2), name="f", flatten="1"),
            op(name, ["z"], (), name="g", flatten="1"),
            op(name, ["f"], (3, 2), name="h"),
        ],
        ["f", "g"],
    )
    x = np.arange(6, dtype="float32").reshape(2, 3)
    flat, scalar = run(module, x=x, z=f32(3).reshape(()))
    assert seen == [((6,), (6,)), ((1,), (1,)), ((3, 2), (3, 2))]
    np.testing.assert_array_equal(flat, np.square(x).reshape(3, 2))
    assert scalar.shape == () and scalar == 9


def test_head_may_be_an_input_and_may_repeat():
    module = make([var("x"), op("negate", ["x"], name="n")], ["x", "n", "n"])
    same, once, twice = run(module, x=f32(1, 2))
    np.testing.assert_array_equal([same, once, twice], [f32(1, 2), f32(-1, -2), f32(-1, -2)])


def test_nodes_run_in_order_and_results_are_dropped(kernel):
    order = []
    first, second = kernel(lambda: order.append(1)), kernel(lambda: order.append(2))
    module = make(
        [
            var("x"),
            op(second, [], outs=[], name="b"),
            op(first, [], outs=[], name="a"),
            op("chatty", ["x"], name="c"),
            op("tick", [], outs=[], name="t"),
        ],
        ["c"],
    )
    np.testing.assert_array_equal(run(module, x=f32(5, 6))[0], f32(5, 6))
    module["run"]("arguments", "are", "ignored")
    assert order == [2, 1, 2, 1]


# ---------------------------------------------------------------- kernels


def test_missing_kernel_is_an_error_at_creation():
    with pytest.raises(KeyError, match="no such function in module: test_ge.nowhere"):
        make([var("x"), op("nowhere", ["x"], name="n")], ["n"])


def test_library_comes_before_the_registry(kernels):
    graph = document(
        [var("x"), op("add", ["x", "x"], name="a"), op("square", ["a"], name="s")], ["s"]
    )
    graph["nodes"][1]["attrs"]["func_name"] = "myadd"
    with pytest.raises(KeyError, match="no such function in module: myadd"):
        create(graph)
    tvmgo.register_function(KERNELS["negate"], "myadd")
    try:
        [y] = run(create(graph, library=kernels), x=f32(1, 2))
    finally:
        tvmgo.remove_global_function("myadd")
    np.testing.assert_array_equal(y, f32(4, 16))


def test_error_of_a_compiled_kernel_comes_out_of_run(kernels):
    graph = document([var("x"), op("square", ["x"], name="s")], ["s"])
    graph["nodes"][1]["attrs"]["func_name"] = "myadd"
    module = create(graph, library=kernels)
    with pytest.raises(ValueError, match="^kernel: myadd takes 3 arguments"):
        module["run"]()


def test_runtime_extra_is_asked_once_for_missing_kernels(kernel):
    asked = []

    def load_extra():
        asked.append(True)
        tvmgo.register_function(KERNELS["negate"], "test_ge.late", override=True)

    hook = "tvmgo.load_runtime_extra"
    listed = hook in tvmgo.list_global_functions()
    original = tvmgo.get_global_function(hook) if listed else None
    tvmgo.register_function(load_extra, hook, override=True)
    try:
        module = make([var("x"), op("late", ["x"], name="n"), op("square", ["n"], name="s")], ["s"])
        np.testing.assert_array_equal(run(module, x=f32(2, 3))[0], f32(4, 9))
        with pytest.raises(KeyError, match="nowhere"):
            make([var("x"), op("nowhere", ["x"], name="n"), op("late", ["x"], name="l")], ["n"])
    finally:
        tvmgo.remove_global_function(hook)
        tvmgo.remove_global_function("test_ge.late")
        if original is not None:
            tvmgo.register_function(original, hook)
    assert len(asked) == 2  # once per executor


def test_kernel_error_comes_out_of_run_as_the_same_object(kernel):
    error = LookupError("kernel failed")

    def fail(x, out):
        raise error

    module = make(
        [
            var("x"),
            op("negate", ["x"], name="n"),
            op(kernel(fail), ["n"], name="f"),
            op("square", ["f"], name="s"),
        ],
        ["n", "s"],
    )
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    with pytest.raises(LookupError) as caught:
        module["run"]()
    assert caught.value is error
    error.__traceback__ = None  # through this frame it holds the module, which holds the kernel
    # What ran before the failure has been done, what comes after has not.
    np.testing.assert_array_equal(module["get_output"](0).numpy(), f32(-1, -2))
    np.testing.assert_array_equal(module["get_output"](1).numpy(), f32(0, 0))


def test_kernels_receive_arrays_they_may_keep(kernel):
    kept = []
    name = kernel(lambda x, out: (kept.append(x), write(out, np.asarray(x))))
    module = make([var("x"), op(name, ["x"], name="k")], ["k"])
    run(module, x=f32(1, 2))
    del module
    gc.collect()
    assert isinstance(kept[0], tvmgo.Array)
    np.testing.assert_array_equal(kept[0].numpy(), f32(1, 2))


# ---------------------------------------------------------------- inputs and outputs


def test_unknown_functions_are_absent():
    module = chain()
    for name in ("nothing", "", "run ", "debug_run", "get_output_index"):
        assert name not in module


@pytest.mark.parametrize("key", ["x", 0])
def test_set_input_takes_names_and_positions(key):
    module = chain()
    module["set_input"](key, tvmgo.array(f32(1, 2)))
    for same in ("x", 0):
        np.testing.assert_array_equal(module["get_input"](same).numpy(), f32(1, 2))


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5], [2.5]], "float32"),
        np.array([7, 8], "int32"),
        np.array([1.5], "float64"),
        np.array([1, 2, 3, 4, 5, 6, 7, 8], "uint8"),
        f32(9, 1, 9, 2)[1::2],
        f32(2, 1)[::-1],
        np.asfortranarray(np.arange(4, dtype="int16").reshape(2, 2)),
        np.broadcast_to(f32(5), (2,)).copy(),
    ],
    ids=["other-shape", "int32", "float64", "bytes", "strided", "reversed", "fortran", "broadcast"],
)
def test_set_input_compares_sizes_only(value):
    module = chain()
    module["set_input"]("x", tvmgo.from_dlpack(value))
    np.testing.assert_array_equal(
        module["get_input"]("x").numpy(), np.ascontiguousarray(value).reshape(-1).view("float32")
    )


def test_set_input_reads_tensors_that_no_object_owns(native):
    module = chain()
    native["call_with_bare_tensor"](module["set_input"], "x", 32)
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(1, 2))
    with pytest.raises(TypeError, match="a tensor object, which can be kept alive"):
        native["call_with_bare_tensor"](module["set_input_zero_copy"], "x", 32)


def test_set_input_of_strided_elements_that_share_bytes_raises(native):
    module = make([var("x", (1,), "int8")], [])
    with pytest.raises(ValueError, match="cannot copy strided elements of float4"):
        native["call_with_bare_tensor"](module["set_input"], "x", 4)


@pytest.mark.parametrize(
    "value",
    [f32(1), f32(1, 2, 3), np.zeros((0,), "float32"), np.array([1, 2], "float64")],
    ids=["1", "3", "0", "float64"],
)
def test_set_input_of_another_size_changes_nothing(value):
    module = chain()
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    with pytest.raises(ValueError, match='input "x".*The size must exactly match'):
        module["set_input"]("x", tvmgo.array(value))
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(1, 2))


def test_set_input_from_its_own_tensor_is_harmless():
    module = chain()
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["set_input"]("x", module["get_input"]("x"))
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(1, 2))


@pytest.mark.parametrize("function", ["set_input", "set_input_zero_copy", "set_output_zero_copy"])
def test_setting_an_unknown_name_is_ignored(function):
    module = chain()
    assert module[function]("nobody", tvmgo.array(f32(1, 2, 3))) is None
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(1, 4))


@pytest.mark.parametrize(
    "function",
    ["set_input", "set_input_zero_copy", "set_output_zero_copy", "get_input", "get_output"],
)
@pytest.mark.parametrize("index", [1, -1, 2**40, -(2**63)])
def test_index_out_of_range_raises(function, index):
    arguments = [index] + [tvmgo.array(f32(1, 2))] * function.startswith("set")
    with pytest.raises(IndexError, match=f"{function}.*an index below 1, got {index}"):
        chain()[function](*arguments)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        ("set_input", ("x",), "expected 2 arguments, got 1"),
        ("set_input", ("x", "y"), "value.*expected a tensor, got a string"),
        ("set_input", ("x", None), "value.*expected a tensor"),
        ("set_input", (0.0, f32(1, 2)), "key.*expected an integer, got float"),
        ("set_input_zero_copy", ("x", 1), "value.*expected a tensor object"),
        ("get_input", (), "expected 1 arguments, got 0"),
        ("get_output", (), "expected 1 to 2 arguments, got 0"),
        ("get_output", (None,), "key.*expected an integer"),
        ("get_output", (0, 0), "out.*expected a tensor, got int"),
        ("get_input_index", (0,), "Input key is not a string"),
        ("get_num_inputs", (1,), "expected 0 arguments, got 1"),
        ("load_params", (1,), "params.*expected a string or bytes, got int"),
        ("run_from_inputs", (1,), "expected 2 or more arguments"),
        ("run_from_inputs", (1, 0, "x"), "a key without a tensor"),
        ("share_params", (1, b""), "other.*expected a module"),
    ],
)
def test_argument_of_a_wrong_type_raises(function, arguments, message):
    with pytest.raises(TypeError, match=f"^{function}.*{message}"):
        chain()[function](*arguments)


def test_inputs_and_outputs_can_be_counted_and_found():
    module = create(WORKED_GRAPH)
    assert (module["get_num_inputs"](), module["get_num_outputs"]()) == (2, 1)
    assert [module["get_input_index"](name) for name in ("x", "k0", "sq0", "")] == [0, 1, -1, -1]
    assert module["get_input"]("sq0") is None


def test_of_equal_input_names_the_last_wins():
    graph = document([var("x"), var("y")], ["x"])
    graph["nodes"][1]["name"] = "x"
    module = create(graph)
    assert module["get_input_index"]("x") == 1


def test_info_tells_shapes_and_types_by_name():
    module = make(
        [
            var("x", (3,)),
            var("w", (), "uint1"),
            op("min_max", ["x"], name="m", outs=[((), "float32", None)] * 2),
            op("__copy", ["x"], (3, 1), "int32", name="c"),
        ],
        [("m", 1), "c"],
    )
    module["load_params"](params_blob([("w", np.array(True)), ("stranger", f32(1))]))
    info = module["get_input_info"]()
    assert {name: tuple(shape) for name, shape in info["shape"].items()} == {"x": (3,)}
    assert dict(info["dtype"]) == {"x": "float32"}
    info = module["get_output_info"]()
    assert {name: tuple(shape) for name, shape in info["shape"].items()} == {"m": (), "c": (3, 1)}
    assert dict(info["dtype"]) == {"m": "float32", "c": "int32"}
    module["set_input"]("x", tvmgo.array(f32(1, 2, 3)))
    assert list(module["get_input_info"]()["shape"]) == ["x"]


def test_outputs_are_found_by_node_name():
    graph = document(
        [var("x"), op("negate", ["x"], name="a"), op("square", ["x"], name="b")], ["a", "b"]
    )
    for name in ("b", "b:1"):
        module = create(graph)
        run(module, x=f32(1, 2))
        np.testing.assert_array_equal(module["get_output"](name).numpy(), f32(1, 4))
    for name in ("c", "b:0", "x"):
        with pytest.raises(KeyError, match=f"Invalid output node:{name}"):
            module["get_output"](name)
    graph["nodes"][2]["name"] = "a"  # of equal names the last wins
    module = create(graph)
    run(module, x=f32(1, 2))
    np.testing.assert_array_equal(module["get_output"]("a").numpy(), f32(1, 4))


def test_get_output_is_live_and_get_output_into_copies():
    module = chain()
    run(module, x=f32(1, 2))
    live, copy_of = module["get_output"](0), tvmgo.empty((2,))
    assert module["get_output"](0, copy_of) is None
    run(module, x=f32(3, 4))
    np.testing.assert_array_equal(live.numpy(), f32(9, 16))
    np.testing.assert_array_equal(copy_of.numpy(), f32(1, 4))


def test_get_output_into_a_strided_array_scatters():
    module = chain()
    run(module, x=f32(1, 2))
    memory = f32(0, 0, 0, 0)
    module["get_output"](0, memory[::2])
    np.testing.assert_array_equal(memory, f32(1, 0, 4, 0))


@pytest.mark.parametrize(
    "out",
    [np.zeros((1, 2), "float32"), np.zeros((3,), "float32"), np.zeros((2,), "float64")],
    ids=["ndim", "dim", "size"],
)
def test_get_output_into_another_shape_raises(out):
    module = chain()
    run(module, x=f32(1, 2))
    with pytest.raises(ValueError, match='output "s"'):
        module["get_output"](0, out)
    assert not out.any()


def test_run_from_inputs_returns_copies():
    module = make(
        [var("x"), var("w"), op("add", ["x", "w"], name="a"), op("negate", ["x"], name="n")],
        ["a", "n"],
    )
    x, w = tvmgo.array(f32(1, 2)), tvmgo.array(f32(10, 20))
    total, negated = module["run_from_inputs"](1, 0, "x", x, 1, w)
    module["run_from_inputs"](1, 0, "x", w)
    np.testing.assert_array_equal(total.numpy(), f32(11, 22))
    np.testing.assert_array_equal(negated.numpy(), f32(-1, -2))
    with pytest.raises(KeyError, match="y is not a valid input name"):
        module["run_from_inputs"](1, 0, "y", x)


# ---------------------------------------------------------------- params


def test_params_cut_at_any_byte_change_nothing():
    module = create(WORKED_GRAPH)
    module["load_params"](params_blob([("k0", f32(3, 4))]))
    for length in range(len(WORKED_PARAMS)):
        with pytest.raises(ValueError, match="Invalid parameters file|Invalid DLTensor file"):
            module["load_params"](WORKED_PARAMS[:length])
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(3, 4))
    assert set(module["get_input_info"]()["shape"]) == {"x"}


def one_record(**changes):
    return params_blob([("k0", f32(3, 4))], records=[tensor_record(f32(3, 4), **changes)])


GOOD_K0 = params_blob([("k0", f32(3, 4))])


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (params_blob([("k0", f32(3, 4))], magic=LIST_MAGIC + 1), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], names=2), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], names=2**64 - 1), "Invalid parameters file format"),
        (params_blob([("k0", f32(3, 4))], tensors=2), "as many tensors as names"),
        (params_blob([("k0", f32(3, 4))], tensors=0), "as many tensors as names"),
        (GOOD_K0[:24] + struct.pack("<Q", 2**63) + GOOD_K0[32:], "a name at byte 32 needs"),
        (one_record(magic=TENSOR_MAGIC - 1), "Invalid DLTensor file format"),
        (one_record(device_type=2), "Invalid DLTensor device"),
        (one_record(ndim=-1), "Invalid DLTensor file format.*number of dimensions"),
        (one_record(ndim=2**31 - 1), "Invalid DLTensor file format.*number of dimensions"),
        (one_record(bits=0), "width"),
        (one_record(bits=3), "width"),
        (one_record(bits=12), "width"),
        (one_record(lanes=0), "lane"),
        (one_record(shape=(-2,)), "not negative"),
        (one_record(ndim=3, shape=(2**40, 2**40, 2)), "fits in memory"),
        (one_record(nbytes=7), "a data length"),
        (one_record(nbytes=16), "a data length"),
        (one_record(nbytes=-8), "a data length"),
        (one_record(shape=(1,)), "a data length"),
        (one_record(lanes=2, shape=(2,), nbytes=16), "a data length"),
        (one_record(shape=(2**60,), nbytes=2**62), "the data at byte"),
        (one_record(code=1, bits=1, shape=(8,), nbytes=0, data=b""), "a data length"),
        (params_blob([("k0", f32(3, 4, 5))]), 'input "k0".*The size must exactly match'),
        (
            params_blob([("x", f32(8, 9)), ("k0", f32(3))]),
            'input "k0".*The size must exactly match',
        ),
        (b"", "Invalid parameters file format"),
        ("text", "Invalid parameters file format"),
    ],
    ids=[
        "list-magic",
        "more-names",
        "huge-name-count",
        "more-tensors",
        "fewer-tensors",
        "huge-name",
        "tensor-magic",
        "device-type",
        "ndim-negative",
        "ndim-absurd",
        "bits-0",
        "bits-3",
        "bits-12",
        "lanes-0",
        "dim-negative",
        "shape-overflow",
        "nbytes-short",
        "nbytes-long",
        "nbytes-negative",
        "shape-short",
        "lanes-counted",
        "data-beyond-blob",
        "bool-of-0.6",
        "size-larger",
        "second-tensor-smaller",
        "empty",
        "str",
    ],
)
def test_malformed_params_change_nothing(blob, message):
    module = worked()
    with pytest.raises(ValueError, match=message):
        module["load_params"](blob)
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(1.5, -2.0))
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(0, 0))


@pytest.mark.parametrize(
    "blob",
    [
        params_blob([("k0", f32(3, 4))], reserved=2**64 - 1),
        one_record(reserved=12345, device_id=-7),
        one_record(code=99),
        one_record(code=0, bits=8, ndim=2, shape=(8, 1)),
        params_blob([("k0", f32(3, 4))]) + b"trailing bytes",
        params_blob([("k0", f32(1, 1)), ("k0", f32(3, 4))]),
        params_blob([("", f32(1)), ("k0", f32(3, 4)), ("none", np.zeros((0, 5), "int8"))]),
        params_blob(
            [("k0", None), ("empty", None)],
            records=[
                tensor_record(f32(3, 4)),
                tensor_record(np.zeros((0,), "int64"), ndim=3, shape=(2**40, 0, 2**40)),
            ],
        ),
    ],
    ids=[
        "list-reserved",
        "tensor-reserved",
        "unknown-code",
        "other-shape-and-type",
        "trailing",
        "duplicate-last-wins",
        "unknown-and-empty",
        "huge-beside-zero",
    ],
)
def test_unusual_params_are_loaded(blob):
    module = worked()
    module["load_params"](blob)
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(3, 4))


@pytest.mark.parametrize("wrap", [bytes, tvmgo.ByteArray], ids=["bytes", "ByteArray"])
def test_params_without_tensors_are_loaded(wrap):
    worked()["load_params"](wrap(params_blob([])))


@pytest.mark.parametrize(
    "value",
    [
        np.array([True, False, True]),
        np.array(True),
        np.array(7, "i8"),
        np.zeros((3, 0), "f4"),
        np.arange(6, dtype="u2").reshape(2, 3),
    ],
    ids=["bool", "bool-0d", "int64-0d", "empty", "uint16"],
)
def test_params_of_any_shape_arrive(value):
    dtype = "uint1" if value.dtype == bool else value.dtype.name
    module = make([var("p", value.shape, dtype)], ["p"])
    module["load_params"](params_blob([("p", value)]))
    np.testing.assert_array_equal(module["get_input"]("p").numpy(), value)


def test_share_params_uses_the_other_executors_memory():
    owner, borrower = worked(), create(WORKED_GRAPH)
    borrower["share_params"](owner, WORKED_PARAMS)
    owner["load_params"](params_blob([("k0", f32(3, 4))]))
    del owner
    np.testing.assert_array_equal(run(borrower, x=f32(1, 2))[0], f32(16, 36))
    assert list(borrower["get_input_info"]()["shape"]) == ["x", "k0"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda graph: graph["nodes"][1].update(name="other"), KeyError, 'no input "k0"'),
        (lambda graph: graph["attrs"]["shape"][1].__setitem__(1, [1, 2]), ValueError, "float32"),
    ],
    ids=["name", "shape"],
)
def test_share_params_that_do_not_fit_raise(change, error, message):
    graph = json.loads(WORKED_GRAPH)
    change(graph)
    with pytest.raises(error, match=message):
        worked()["share_params"](create(graph), WORKED_PARAMS)


def test_share_params_with_another_kind_of_module_raises(kernels):
    with pytest.raises(TypeError, match="expected a graph executor, got a module of kind"):
        worked()["share_params"](kernels, WORKED_PARAMS)


def test_share_params_reads_names_only():
    header = WORKED_PARAMS[:44]
    create(WORKED_GRAPH)["share_params"](worked(), header)
    with pytest.raises(ValueError, match="Invalid parameters file format"):
        create(WORKED_GRAPH)["share_params"](worked(), header[:-1])


# ---------------------------------------------------------------- zero copy


def address(array):
    return np.asarray(array).ctypes.data


def lent(*values, shape=None, dtype="float32"):
    return tvmgo.array(np.array(values, dtype).reshape(shape or (len(values),)))


@pytest.mark.parametrize("key", ["x", 0])
def test_zero_copy_input_is_read_where_it_lies(key):
    module, x = chain(), lent(1, 2)
    module["set_input_zero_copy"](key, x)
    assert address(module["get_input"]("x")) == address(x)
    np.testing.assert_array_equal(run(module)[0], f32(1, 4))
    x.copy_from(f32(5, 6))
    np.testing.assert_array_equal(run(module)[0], f32(25, 36))


@pytest.mark.parametrize("key", ["s", "s:0", 0])
def test_zero_copy_output_is_written_where_it_lies(key):
    module, y = chain(), lent(0, 0)
    module["set_output_zero_copy"](key, y)
    assert address(module["get_output"](0)) == address(y)
    run(module, x=f32(1, 2))
    np.testing.assert_array_equal(y.numpy(), f32(1, 4))


def test_set_input_after_zero_copy_goes_back_to_own_memory():
    module, x = chain(), lent(1, 2)
    own = address(module["get_input"]("x"))
    module["set_input_zero_copy"]("x", x)
    np.testing.assert_array_equal(run(module, x=f32(7, 8))[0], f32(49, 64))
    assert address(module["get_input"]("x")) == own
    np.testing.assert_array_equal(x.numpy(), f32(1, 2))


def test_load_params_after_zero_copy_goes_back_to_own_memory():
    module, k0 = worked(), lent(9, 9)
    module["set_input_zero_copy"]("k0", k0)
    module["load_params"](WORKED_PARAMS)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(6.25, 0))
    np.testing.assert_array_equal(k0.numpy(), f32(9, 9))


def test_refused_set_input_keeps_the_lent_tensor():
    module, x = chain(), lent(1, 2)
    module["set_input_zero_copy"]("x", x)
    with pytest.raises(ValueError, match="exactly match"):
        module["set_input"]("x", lent(1, 2, 3))
    assert address(module["get_input"]("x")) == address(x)


def test_lent_tensor_is_seen_by_every_consumer():
    module = make(
        [
            var("x"),
            op("negate", ["x"], name="n"),
            op("square", ["x"], name="s"),
            op("add", ["x", "x"], name="a"),
        ],
        ["n", "s", "a", "x"],
    )
    module["set_input_zero_copy"]("x", lent(2, 3))
    np.testing.assert_array_equal(run(module), [f32(-2, -3), f32(4, 9), f32(4, 6), f32(2, 3)])


def test_lent_output_feeds_later_operators():
    module = make(
        [var("x"), op("negate", ["x"], name="n"), op("square", ["n"], name="s")], ["n", "s"]
    )
    n = lent(0, 0)
    module["set_output_zero_copy"]("n", n)
    np.testing.assert_array_equal(run(module, x=f32(2, 3))[1], f32(4, 9))
    np.testing.assert_array_equal(n.numpy(), f32(-2, -3))


def test_entries_sharing_only_storage_stay_apart():
    module = make(
        [
            var("x", sid=0),
            op("negate", ["x"], sid=1, name="n"),
            op("square", ["n"], sid=0, name="s"),
        ],
        ["s"],
    )
    x = lent(2, 3)
    module["set_input_zero_copy"]("x", x)
    np.testing.assert_array_equal(run(module)[0], f32(4, 9))
    np.testing.assert_array_equal(x.numpy(), f32(2, 3))


def nop_chain():
    """x -> nop -> nop -> square, all reshapes of one storage, heads on two of them."""
    return make(
        [
            var("x", (4,), sid=0),
            op("__nop", ["x"], (2, 2), sid=0, name="r"),
            op("__nop", ["r"], (4, 1), sid=0, name="q"),
            op("square", ["q"], (4, 1), name="s"),
            op("negate", ["r"], (2, 2), name="n", flatten="1"),
        ],
        ["s", "n", "r"],
    )


def test_zero_copy_input_reaches_through_nops():
    module, x = nop_chain(), lent(1, 2, 3, 4)
    module["set_input_zero_copy"]("x", x)
    squares, negated, reshaped = run(module)
    np.testing.assert_array_equal(squares, f32(1, 4, 9, 16).reshape(4, 1))
    np.testing.assert_array_equal(negated, -f32(1, 2, 3, 4).reshape(2, 2))
    np.testing.assert_array_equal(reshaped, f32(1, 2, 3, 4).reshape(2, 2))
    assert address(module["get_output"]("r")) == address(x)
    np.testing.assert_array_equal(run(module, x=f32(4, 3, 2, 1))[2], f32(4, 3, 2, 1).reshape(2, 2))
    assert address(module["get_output"]("r")) != address(x)


def test_zero_copy_output_of_a_nop_redirects_its_producer():
    module = make(
        [
            var("x", (4,)),
            op("negate", ["x"], (4,), sid=7, name="n"),
            op("__nop", ["n"], (2, 2), sid=7, name="r"),
        ],
        ["r"],
    )
    y = lent(0, 0, 0, 0, shape=(2, 2))
    module["set_output_zero_copy"]("r", y)
    run(module, x=f32(1, 2, 3, 4))
    np.testing.assert_array_equal(y.numpy(), -f32(1, 2, 3, 4).reshape(2, 2))


@pytest.mark.parametrize(
    "nodes",
    [
        [var("x", sid=0)],
        [var("x", sid=0), op("__nop", ["x"], (2,), sid=0, name="y")],
    ],
    ids=["same-entry", "through-nop"],
)
def test_input_that_is_an_output_is_lent_from_one_side_only(nodes):
    module, a, b = make(nodes, [nodes[-1]["name"]]), lent(1, 2), lent(0, 0)
    module["set_output_zero_copy"](0, b)
    module["set_input"]("x", lent(3, 4))  # is written to where the output lies
    np.testing.assert_array_equal(b.numpy(), f32(3, 4))
    with pytest.raises(ValueError, match="is also an output, and lent as such"):
        module["set_input_zero_copy"]("x", a)

    module = make(nodes, [nodes[-1]["name"]])
    module["set_input_zero_copy"]("x", a)
    with pytest.raises(ValueError, match="is also an input, and lent as such"):
        module["set_output_zero_copy"](0, b)
    assert address(module["get_output"](0)) == address(a)


def test_lending_again_replaces_the_tensor():
    module, first, second = chain(), lent(1, 2), lent(3, 4)
    module["set_input_zero_copy"]("x", first)
    module["set_input_zero_copy"]("x", second)
    np.testing.assert_array_equal(run(module)[0], f32(9, 16))


def test_flattening_operator_follows_a_lent_tensor(kernel):
    name = kernel(lambda x, out: write(out, np.asarray(x) * [1, 10, 100, 1000]))
    module = make([var("x", (2, 2)), op(name, ["x"], (2, 2), name="f", flatten="1")], ["f"])
    module["set_input_zero_copy"]("x", lent(1, 2, 3, 4, shape=(2, 2)))
    y = lent(0, 0, 0, 0, shape=(2, 2))
    module["set_output_zero_copy"]("f", y)
    run(module)
    np.testing.assert_array_equal(y.numpy(), f32(1, 20, 300, 4000).reshape(2, 2))


def test_lent_tensor_with_an_offset_is_seen_from_there():
    memory = tvmgo.array(np.arange(64, dtype="float32"))
    module = chain()
    module["set_input_zero_copy"]("x", np.asarray(memory)[16:18])  # 64 bytes in
    np.testing.assert_array_equal(run(module)[0], f32(256, 289))


def aligned_row(offset=0, step=1):
    memory = np.asarray(tvmgo.empty((64,)))
    return memory[offset : offset + 2 * step : step]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (lambda: lent(1, 2, dtype="int32"), TypeError, r"expected float32\[2\], got int32\[2\]"),
        (lambda: lent(1, dtype="float64"), TypeError, "got float64"),
        (lambda: lent(1, 2, 3), ValueError, r"expected float32\[2\], got float32\[3\]"),
        (lambda: lent(1, 2, shape=(2, 1)), ValueError, r"got float32\[2, 1\]"),
        (lambda: lent(1, 2, shape=(1, 2)), ValueError, r"got float32\[1, 2\]"),
        (
            lambda: aligned_row(offset=1),
            ValueError,
            "aligned to 64 bytes, as tvmgo.array and tvmgo.empty make it, got the address 0x",
        ),
        (lambda: aligned_row(step=2), ValueError, "got one that is not contiguous"),
        (lambda: aligned_row(offset=1, step=2), ValueError, "got one that is not contiguous"),
        (lambda: tvmgo.empty((2,), device=tvmgo.cpu(1)), ValueError, "on device 1:0, got 1:1"),
    ],
    ids=[
        "dtype",
        "dtype-and-shape",
        "dim",
        "ndim",
        "transposed",
        "alignment",
        "strides",
        "alignment-and-strides",
        "device",
    ],
)
@pytest.mark.parametrize("function", ["set_input_zero_copy", "set_output_zero_copy"])
def test_unsuitable_tensor_is_not_lent(function, value, error, message):
    module = chain()
    own = [address(module["get_input"](0)), address(module["get_output"](0))]
    with pytest.raises(error, match=message):
        module[function](0, value())
    assert own == [address(module["get_input"](0)), address(module["get_output"](0))]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("uint1", np.array([True, False])),
        ("float32", np.zeros((0,), "f4")),
        ("float64", np.array(2.5)),
    ],
    ids=["bool", "empty", "0d"],
)
def test_zero_copy_of_special_tensors(dtype, value):
    module = make([var("x", value.shape, dtype)], ["x"])
    module["set_input_zero_copy"]("x", tvmgo.array(value))
    np.testing.assert_array_equal(module["get_output"](0).numpy(), value)


@pytest.mark.parametrize("rows", [0, 1])
def test_strides_of_dimensions_that_need_none_are_not_looked_at(rows):
    row = tvmgo.from_dlpack(Exporter(np.asarray(tvmgo.empty((2, 32)))[:rows, :2]))
    assert row.shape == (rows, 2)
    assert row.strides in [(32, 1), (2, 1)]  # older NumPy hands over none for such arrays
    module = make([var("x", (rows, 2))], ["x"])
    module["set_input_zero_copy"]("x", row)
    assert address(module["get_output"](0)) == address(row)


# ---------------------------------------------------------------- devices other than the CPU

EXT_DEV = 12


@pytest.fixture
def fake_runtime(native):
    """Puts memory and copies of the extension device in place of libtvm_runtime's."""
    replaced = {
        "runtime.TVMTensorAllocWithScope": "allocate",
        "runtime.TVMTensorCopyFromTo": "copy",
    }
    originals = {name: tvmgo.get_global_function(name) for name in replaced}
    for name, function in replaced.items():
        tvmgo.register_function(native[function], name, override=True)
    yield
    for name, function in originals.items():
        tvmgo.register_function(function, name, override=True)


def device_graph():
    """x on the CPU and p on the device; both copied to the other side."""
    graph = document(
        [
            var("x"),
            var("p"),
            op("__copy", ["x"], name="sent"),
            op("__copy", ["p"], name="fetched"),
            op("__copy", ["sent"], name="echo"),
        ],
        ["sent", "fetched", "echo"],
    )
    graph["attrs"]["device_index"] = ["list_int", [1, EXT_DEV, EXT_DEV, 1, 1]]
    return graph


@pytest.mark.usefixtures("fake_runtime")
def test_entries_on_another_device_live_there(native):
    count_copies = native["count_copies"]
    module = create(device_graph(), 1, 0, EXT_DEV, 3)
    devices = [str(module["get_output"](i).device) for i in range(3)]
    assert devices == ["ext_dev:3", "cpu:0", "cpu:0"]
    before = count_copies()
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["load_params"](params_blob([("p", f32(3, 4))]))
    module["run"]()
    assert count_copies() - before == 4  # the parameter and three operators
    np.testing.assert_array_equal(module["get_output"]("fetched").numpy(), f32(3, 4))
    np.testing.assert_array_equal(module["get_output"]("echo").numpy(), f32(1, 2))


@pytest.mark.usefixtures("fake_runtime")
def test_outputs_on_another_device_are_copied_out():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("x", tvmgo.array(f32(5, 6)))
    module["run"]()
    out = tvmgo.empty((2,))
    module["get_output"]("sent", out)
    np.testing.assert_array_equal(out.numpy(), f32(5, 6))


@pytest.mark.usefixtures("fake_runtime")
def test_strided_host_data_reaches_another_device():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("p", f32(1, 2, 3, 4)[::-2])
    module["run"]()
    np.testing.assert_array_equal(module["get_output"]("fetched").numpy(), f32(4, 2))


@pytest.mark.usefixtures("fake_runtime")
def test_run_from_inputs_returns_outputs_on_the_device_asked_for():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    outputs = module["run_from_inputs"](EXT_DEV, 0, "x", tvmgo.array(f32(1, 2)))
    assert [str(y.device) for y in outputs] == ["ext_dev:0"] * 3


@pytest.mark.usefixtures("fake_runtime")
def test_tensor_of_another_device_is_not_lent():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    with pytest.raises(ValueError, match="expected a tensor on device 12:0, got 1:0"):
        module["set_input_zero_copy"]("p", lent(1, 2))


# ---------------------------------------------------------------- overlapping calls


@pytest.mark.parametrize(
    "function",
    [
        "run",
        "set_input",
        "set_input_zero_copy",
        "load_params",
        "get_output",
        "set_output_zero_copy",
    ],
)
def test_calling_the_executor_from_its_own_kernel_raises(kernel, function):
    module = None
    arguments = {"run": (), "load_params": (params_blob([]),), "get_output": (0,)}

    def reenter(x, out):
        module[function](*arguments.get(function, (0, lent(1, 2))))

    module = make([var("x"), op(kernel(reenter), ["x"], name="k")], ["k"])
    with pytest.raises(RuntimeError, match=f"{function}: the graph executor is busy"):
        module["run"]()
    module["set_input"]("x", lent(1, 2))  # usable again
    module = None


def test_calling_another_executor_from_a_kernel_works(kernel):
    inner = chain()
    name = kernel(lambda x, out: write(out, run(inner, x=np.asarray(x))[0]))
    [y] = run(make([var("x"), op(name, ["x"], name="k")], ["k"]), x=f32(2, 3))
    np.testing.assert_array_equal(y, f32(4, 9))


def test_overlapping_threads_get_errors_and_no_corruption():
    module, x, errors = chain(), lent(1, 2), []

    def work():
        for _ in range(300):
            for call in (
                lambda: module["run"](),
                lambda: module["set_input"]("x", x),
                lambda: module["set_input_zero_copy"]("x", x),
                lambda: module["get_input"]("x").numpy(),
            ):
                try:
                    call()
                except RuntimeError as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("the graph executor is busy" in error for error in errors)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(1, 4))


# ---------------------------------------------------------------- lifetimes


def test_functions_keep_their_module_alive():
    module = worked()
    set_input, start, get_output = module["set_input"], module["run"], module["get_output"]
    del module
    gc.collect()
    set_input("x", lent(1, 2))
    start()
    np.testing.assert_array_equal(get_output(0).numpy(), f32(6.25, 0))


def test_outputs_outlive_their_module():
    module = worked()
    run(module, x=f32(1, 2))
    y = module["get_output"](0)
    del module
    gc.collect()
    np.testing.assert_array_equal(y.numpy(), f32(6.25, 0))


class Kernel:
    """A callable that can be watched."""

    def __call__(self, x, out):
        write(out, np.asarray(x))


def test_kernels_live_as_long_as_the_module():
    function = Kernel()
    watched = weakref.ref(function)
    tvmgo.register_function(function, "test_ge.watched", override=True)
    module = make([var("x"), op("watched", ["x"], name="k")], ["k"])
    tvmgo.remove_global_function("test_ge.watched")
    del function
    gc.collect()
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(1, 2))
    assert watched() is not None
    del module
    gc.collect()
    assert watched() is None


class Memory(np.ndarray):
    """NumPy memory that can be watched."""


@pytest.mark.parametrize("end", ["replace", "restore", "drop"])
def test_lent_tensor_lives_until_it_is_given_back(end):
    memory = np.asarray(tvmgo.array(f32(1, 2))).view(Memory)
    watched = weakref.ref(memory)
    module = chain()
    module["set_input_zero_copy"]("x", memory)
    del memory
    gc.collect()
    assert watched() is not None
    np.testing.assert_array_equal(run(module)[0], f32(1, 4))
    if end == "replace":
        module["set_input_zero_copy"]("x", lent(1, 2))
    elif end == "restore":
        module["set_input"]("x", lent(1, 2))
    else:
        del module
    gc.collect()
    assert watched() is None


def test_creating_and_failing_leave_nothing_behind():
    def work():
        module = worked()
        run(module, x=f32(1, 2))
        module["set_input_zero_copy"]("x", lent(1, 2))
        for graph in (WORKED_GRAPH[:-5], WORKED_GRAPH.replace("test_ge.add", "test_ge.nowhere")):
            with pytest.raises((ValueError, KeyError)):
                create(graph)

    work()
    gc.collect()
    before = tvmgo.live_objects()
    for _ in range(5):
        work()
    gc.collect()
    assert tvmgo.live_objects() == before
