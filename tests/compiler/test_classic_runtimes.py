# SPDX-License-Identifier: Apache-2.0
"""Every library has the calling convention of TVM up to 0.20 as well; `make old-runtimes` tries more."""

import shutil

import numpy as np
import pytest
from onnx import helper

import tvmgo
from tests.compiler.models import (
    BOOL,
    FLOAT,
    INT64,
    functions,
    normal,
    onnx_model,
    read_graph,
    run,
)
from tests.helpers import output_of
from tests.old_runtimes.comparing import LEVELS, difference, export_with_inputs, run_by
from tvmgo.compiler import export
from tvmgo.compiler.environments import interpreter_of

pytestmark = pytest.mark.slow

# Opens a library without any TVM, as a classic loader does, and calls the kernel of a graph.
CALL = """
import ctypes
import json
import re
import numpy as np

library = ctypes.CDLL("{folder}/deploy.so")
graph = json.load(open("{folder}/deploy.json"))
(name,) = [node["attrs"]["func_name"] for node in graph["nodes"] if node["op"] == "tvm_op"]
kernel = library[name]


class Tensor(ctypes.Structure):
    _fields_ = [
        *[("data", ctypes.c_void_p), ("device_type", ctypes.c_int), ("device_id", ctypes.c_int)],
        *[("ndim", ctypes.c_int), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8)],
        *[("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64))],
        *[("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)],
    ]


KINDS = dict(f=(2, 32), i=(0, 64), b=(1, 1))  # bool was an unsigned integer of one bit


def tensor_of(array):
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    code, bits = KINDS[array.dtype.kind]
    return Tensor(array.ctypes.data, 1, 0, array.ndim, code, bits, 1, shape, None, 0)


def call(*arguments):
    tensors = [tensor_of(each) if isinstance(each, np.ndarray) else each for each in arguments]
    values = [ctypes.addressof(each) if isinstance(each, Tensor) else each for each in tensors]
    codes = [7 if isinstance(each, Tensor) else 0 for each in tensors]
    result, code = ctypes.c_int64(0), ctypes.c_int(4)
    status = kernel(
        (ctypes.c_int64 * len(values))(*values), (ctypes.c_int * len(codes))(*codes),
        len(values), ctypes.byref(result), ctypes.byref(code), None,
    )
    return status, code.value


messages = []
SetLastError = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
keep = SetLastError(lambda text: messages.append(text.decode()))


def set_error_function():
    ctypes.c_void_p.in_dll(library, "__TVMAPISetLastError").value = ctypes.cast(
        keep, ctypes.c_void_p
    ).value


"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A model with all element types that differ between the conventions, and parallel kernels."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Greater", ["c", "zero"], ["positive"]),
        helper.make_node("And", ["positive", "mask"], ["both"]),
        helper.make_node("Where", ["both", "c", "zero"], ["kept"]),
        helper.make_node("MatMul", ["kept", "m"], ["product"]),
        helper.make_node("Gather", ["product", "i"], ["y"], axis=1),
        helper.make_node("Reshape", ["mask", "flat"], ["z"]),
    ]
    weights = {"w": normal(32, 3, 3, 3), "m": normal(61, 64)}
    weights |= {"zero": np.array(0, "float32"), "flat": np.array([-1], "int64")}
    inputs = {"x": normal(1, 3, 67, 61), "mask": normal(67, 61) > 0, "i": np.array([3, 30, 7])}
    specs = {"x": (FLOAT, [1, 3, 67, 61]), "mask": (BOOL, [67, 61]), "i": (INT64, [3])}
    outputs = {"both": (BOOL, [1, 32, 67, 61]), "y": (FLOAT, [1, 3, 67, 64]), "z": (BOOL, [4087])}
    folder = tmp_path_factory.mktemp("mixed")
    artifacts = export_with_inputs(onnx_model(nodes, specs, outputs, weights), folder, inputs)
    return artifacts, folder


@pytest.mark.parametrize("level", LEVELS)
def test_both_conventions_give_the_same_bits(level, mixed):
    _, folder = mixed
    run_by("tvmgo", [folder], level=level)
    run_by("tvmgo-classic", [folder], level=level)
    assert difference(folder, "tvmgo", "tvmgo-classic") == ""


@pytest.mark.parametrize("level", LEVELS)
def test_the_runtime_of_tvm_019_gives_the_same_bits(level, mixed):
    try:
        python = interpreter_of("relay")
    except tvmgo.TVMImportError as error:
        pytest.skip(str(error))
    _, folder = mixed
    run_by("tvmgo", [folder], level=level)
    run_by("tvm", [folder], python, level)
    assert difference(folder, "tvmgo", "tvm") == ""


def test_a_difference_is_seen(mixed, tmp_path):
    for name in ("tvm", "tvmgo"):
        np.savez(tmp_path / f"{name}.npz", np.array([1, 0.0 if name == "tvm" else -0.0]))
    assert "output arr_0" in difference(tmp_path, "tvm", "tvmgo")


def test_a_library_is_loaded_by_todays_convention(mixed):
    artifacts, _ = mixed
    assert tvmgo.load_module(artifacts.library).kind == "library"
    assert tvmgo.load_module(artifacts.library, "classic").kind == "classic_library"


def test_modules_of_both_conventions_work_in_one_process(mixed):
    artifacts, folder = mixed
    graph = artifacts.graph.read_text(encoding="utf-8")
    inputs = dict(np.load(folder / "inputs.npz"))
    results = []
    for format in ("", "classic", ""):
        library = tvmgo.load_module(artifacts.library, format)
        executor = tvmgo.graph_executor.create(graph, library, tvmgo.cpu(0))
        executor.load_params(artifacts.params.read_bytes())
        results.append([result.numpy().tobytes() for result in executor(**inputs)])
    assert results[0] == results[1] == results[2]


def test_both_conventions_report_an_error_to_who_called(mixed):
    artifacts, _ = mixed
    name = functions(read_graph(artifacts))[0]
    for format, kind in (("", TypeError), ("classic", tvmgo.TVMError), ("", TypeError)):
        with pytest.raises(kind, match="Expected . arguments"):
            tvmgo.load_module(artifacts.library, format)[name]()


def test_a_library_needs_no_runtime_to_be_opened(tmp_path):
    greater = [helper.make_node("Greater", ["x", "z"], ["y"])]
    inputs = {"x": (FLOAT, [2, 3]), "z": (FLOAT, [2, 3])}
    export(onnx_model(greater, inputs, {"y": (BOOL, [2, 3])}), tmp_path)
    script = (
        CALL.format(folder=tmp_path)
        + """
x = np.arange(6, dtype="float32").reshape(2, 3)
y = np.zeros((2, 3), bool)
print(call(x, x[::-1].copy(), y), y.astype(int).tolist())
print(call(x, 3, y), len(messages))
set_error_function()
print(call(x, 3, y), call(x, x), call(x, x, x), call(x, x[:1].copy(), y), call(x, 0, y), call())
print(*messages, sep="|")
"""
    )
    first, second, third, *rest = output_of(script).splitlines()
    assert first == "(0, 4) [[0, 0, 0], [1, 1, 1]]"
    assert second == "(-1, 4) 0"
    assert third == " ".join(["(-1, 4)"] * 6)
    said = "\n".join(rest).split("|")
    assert [text.partition("\n")[0] for text in said] == [
        "Mismatched type on argument #1 when calling:",
        "Expected 3 arguments when calling:",
        "Mismatched T_greater.dtype on argument #2 when calling:",
        "Invalid z.shape[0] on argument #1 when calling:",
        "Mismatched type on argument #1 when calling:",
        "Expected 3 arguments when calling:",
    ]


def test_what_old_runtimes_cannot_run_is_reported(tmp_path, mixed):
    x = np.random.default_rng(3).standard_normal((2, 8)).astype("float32")
    nodes = [
        helper.make_node("TopK", ["x", "k"], ["v", "i"]),  # of all: a sort
        helper.make_node("Neg", ["v"], ["y"]),
    ]
    model = onnx_model(
        nodes, {"x": (FLOAT, x.shape)}, {"y": (FLOAT, x.shape)}, {"k": np.array([8])}
    )
    artifacts = export(model, tmp_path)
    label = "not for runtimes of TVM up to 0.20"
    assert artifacts.report.details[label] == "tvmgen_default_topk"
    assert label not in mixed[0].report.details
    np.testing.assert_array_equal(run(artifacts, {"x": x})[0], -np.sort(x)[:, ::-1])
    # A file of its own: here the runtime of today has never set its variables.
    shutil.copy(artifacts.library, tmp_path / "again.so")
    library = tvmgo.load_module(tmp_path / "again.so", "classic")
    graph = tvmgo.graph_executor.create(artifacts.graph.read_text(), library, tvmgo.cpu(0))
    with pytest.raises(tvmgo.TVMError, match="calls functions of a TVM runtime"):
        graph.run(x=x)
