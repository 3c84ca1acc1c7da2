# SPDX-License-Identifier: Apache-2.0
"""One library for several levels of x86-64."""

import ctypes
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tvmgo
from tests.compiler.models import FLOAT, assert_same, normal, onnx_model, onnx_runtime, run
from tests.compiler.simplified import simplified
from tests.helpers import output_of
from tvmgo.compiler import export
from tvmgo.compiler.exporter import find_linker
from tvmgo.compiler.relax import job
from tvmgo.compiler.relax.codegen.target import resolve_targets

pytestmark = pytest.mark.slow

# What Linux calls the instructions that tell the levels apart.
LINUX_NAMES = {4: {"avx512f", "avx512bw", "avx512vl"}, 3: {"avx2", "fma", "bmi2"}, 2: {"ssse3"}}

RUN = """
import ctypes
import numpy as np
import tvmgo
folder = {folder!r}
library = tvmgo.load_module(folder + "/deploy.so")
graph = tvmgo.graph_executor.create(open(folder + "/deploy.json").read(), library, tvmgo.cpu(0))
graph.load_params(open(folder + "/deploy.params", "rb").read())
(result,) = graph(x=np.load(folder + "/x.npy"))
np.save(folder + "/result.npy", result.numpy())
loaded = ctypes.CDLL(folder + "/deploy.so")
print(ctypes.c_int.in_dll(loaded, "__tvmgo_cpu_level").value)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A convolution, a product and a function that has no exact answer."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Tanh", ["c"], ["t"]),
        helper.make_node("MatMul", ["t", "m"], ["y"]),
    ]
    weights = {"w": normal(20, 3, 3, 3), "m": normal(11, 5)}
    model = onnx_model(nodes, {"x": (FLOAT, [1, 3, 9, 11])}, {"y": (FLOAT, [1, 20, 9, 5])}, weights)
    x = normal(1, 3, 9, 11)
    folder = tmp_path_factory.mktemp("levels")
    np.save(folder / "x.npy", x)
    return export(model, folder), x, onnx_runtime(model, {"x": x})


def highest_level():
    with open("/proc/cpuinfo") as file:
        flags = set(next(line for line in file if line.startswith("flags")).split())
    return next(level for level, needed in LINUX_NAMES.items() if needed <= flags)


def level_of(library):
    return ctypes.c_int.in_dll(ctypes.CDLL(str(library)), "__tvmgo_cpu_level").value


def test_the_default_has_three_levels():
    assert [target.attrs["mcpu"] for target in resolve_targets(None)] == [
        *("x86-64-v2", "x86-64-v3", "x86-64-v4")
    ]
    assert len(resolve_targets("native")) == 1


def test_the_best_level_is_chosen(exported):
    artifacts, x, expected = exported
    assert_same(run(artifacts, {"x": x}), expected, rtol=1e-4, atol=1e-5)
    assert level_of(artifacts.library) == highest_level()


@pytest.mark.parametrize("limit", ["v2", "v3", "v4", "x86-64-v3", "2", "v9", ""])
def test_the_level_can_be_limited(limit, exported):
    artifacts, _, expected = exported
    folder = artifacts.library.parent
    script = RUN.format(folder=str(folder))
    level = output_of(script, env={"TVMGO_CPU_LEVEL": limit})
    assert int(level) == min(highest_level(), int(limit[-1:] or 9))
    assert_same([np.load(folder / "result.npy")], expected, rtol=1e-4, atol=1e-5)


def test_the_library_needs_the_lowest_level_only(exported):
    library = ctypes.CDLL(str(exported[0].library))
    needed = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(library, "tvmgo_cpu_features")))
    assert {b"sse4.2", b"popcnt"} <= set(needed.split(b","))
    assert not {b"avx", b"avx2", b"fma"} & set(needed.split(b","))


def test_the_graph_calls_kernels_by_their_plain_names(exported):
    artifacts, _, _ = exported
    names = kernel_names(artifacts)
    assert names and not any("__v" in name for name in names)
    report = artifacts.report.target
    assert [f"x86-64-v{level}" in report for level in (2, 3, 4)] == [True] * 3


def kernel_names(artifacts):
    nodes = json.loads(artifacts.graph.read_text())["nodes"]
    return [node["attrs"]["func_name"] for node in nodes if node["op"] == "tvm_op"]


def test_kernels_look_at_their_arguments_whatever_the_level(exported):
    library = tvmgo.load_module(exported[0].library)
    kernel = library[kernel_names(exported[0])[0]]
    x = tvmgo.array(np.zeros((2, 2), "float32"))
    with pytest.raises(TypeError, match="Expected 3 arguments"):
        kernel(x)
    with pytest.raises(TypeError, match="Mismatched type on argument"):
        kernel(1, 2, 3)
    with pytest.raises(ValueError, match="ndim on argument #0"):
        kernel(x, x, x)


def test_what_does_not_look_at_its_arguments_is_hidden(exported):
    library = ctypes.CDLL(str(exported[0].library))
    for name in kernel_names(exported[0]):
        assert hasattr(library, f"__tvm_ffi_{name}")
        for suffix in ("v2", "v3", "v4", "checks"):
            assert not hasattr(library, f"__tvm_ffi_{name}__{suffix}")


def test_the_report_says_which_level_was_left_out(tmp_path, monkeypatch):
    """Whatever a level wants to have otherwise in the files that all share."""
    model = simplified(
        onnx_model(
            [helper.make_node("Exp", ["x"], ["y"])], {"x": (FLOAT, [4])}, {"y": (FLOAT, [4])}
        )
    )
    onnx.save(model, tmp_path / "simple.onnx")
    build_graph = job.build_graph
    built = []

    def build(module, names):
        lowered = build_graph(module, names)
        built.append(lowered)
        if len(built) == 3:
            lowered.graph.nodes[-1].name = "another"
        return lowered

    monkeypatch.setattr(job, "build_graph", build)
    done = job.run(
        {
            "kind": "onnx",
            "model": str(tmp_path / "simple.onnx"),
            "shapes": {},
            "target": None,
            "linker": find_linker(),
            "format": "graph",
            "directory": str(tmp_path),
            "work": str(tmp_path),
        },
        lambda line: None,
    )
    assert done["target"].count("mcpu") == 2
    (said,) = [text for name, text in done["details"].items() if name.startswith("processors")]
    assert said.startswith("x86-64-v4: ")
    assert level_of(tmp_path / "deploy.so") == min(highest_level(), 3)


def test_kernels_that_llvm_breaks_are_optimised_less(tmp_path):
    """The table of places that this pool needs is one that LLVM 22's last level gets wrong for v3."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Tanh", ["x"], ["t"]),
    ]
    outputs = {"y": (FLOAT, None), "i": (TensorProto.INT64, None), "t": (FLOAT, None)}
    model = onnx_model(nodes, {"x": (FLOAT, [2, 2, 5, 11])}, outputs)
    x = normal(2, 2, 5, 11)
    target = {"kind": "llvm", "mcpu": "x86-64-v3"}
    results = run(export(model, tmp_path, target=target, format="graph"), {"x": x})
    for result, expected in zip(results, onnx_runtime(model, {"x": x}), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-6)
