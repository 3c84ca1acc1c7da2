# SPDX-License-Identifier: Apache-2.0
"""Loops of kernels: in vectors, in parallel, on any boundary. Random models say whether they are right."""

import re

import numpy as np
import pytest
import tvm
import tvm_ffi
from onnx import TensorProto, helper

from tests.compiler.models import (
    assert_same,
    normal,
    onnx_model,
    onnx_runtime,
    relax_module,
    run,
)
from tvmgo.compiler import export
from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.schedule.schedule import (
    PASSES,
    SCHEDULED,
    ScheduleKernels,
    schedule_kernel,
)
from tvmgo.compiler.relax.templates.kernels.vectors import vector_unit

pytestmark = pytest.mark.slow


def scheduled(source, target="native"):
    (function,) = relax_module(source).functions.values()
    target = resolve_target(target)
    return schedule_kernel(function, vector_unit(target).lanes * 4), target


def assembly(function, target):
    function = function.with_attr("global_symbol", "f")
    return tvm.tirx.build(tvm.IRModule({"f": function}), target=target).inspect_source("ll")


ADD = """class Module:
    @T.prim_func(s_tir=True, private=True)
    def f(X: T.Buffer((T.int64(50), T.int64(1000)), "float32"),
          Y: T.Buffer((T.int64(50), T.int64(1000)), "float32")):
        T.func_attr({"tirx.noalias": True})
        for i, j in T.grid(T.int64(50), T.int64(1000)):
            with T.sblock("b"):
                a, b = T.axis.remap("SS", [i, j])
                Y[a, b] = X[a, b] + T.float32(1)
"""


def test_a_sum_of_elements_is_computed_in_vectors_on_any_boundary():
    source = assembly(*scheduled(ADD, {"kind": "llvm", "mcpu": "x86-64-v3"}))
    assert re.search(r"fadd <8 x float>", source)
    loads = re.findall(r"(?:load|store) <8 x float>.*align (\d+)", source)
    assert loads and set(loads) == {"4"}
    wide = assembly(*scheduled(ADD, {"kind": "llvm", "mcpu": "x86-64-v4"}))
    assert re.search(r"fadd <16 x float>", wide)


def test_templates_are_left_alone():
    module = relax_module(ADD)
    ((variable, function),) = module.functions_items()
    with resolve_target(None):
        module.update_func(variable, function.with_attr(SCHEDULED, True))
        kept = ScheduleKernels()(module)[variable]
        module.update_func(variable, function)
        changed = ScheduleKernels()(module)[variable]
    assert tvm_ffi.structural_equal(kept.body, function.body)
    assert not tvm_ffi.structural_equal(changed.body, function.body)


def test_large_kernels_run_in_parallel_and_small_ones_do_not():
    large = ADD.replace("int64(50)", "int64(500)")
    assert "ParallelLaunch" in assembly(*scheduled(large)).partition("define")[2]
    small = ADD.replace("int64(50)", "int64(1)")
    assert "call" in assembly(*scheduled(small))
    assert "@__TVMBackendParallelLaunch" not in assembly(*scheduled(small)).partition("define")[2]


MIXED = """class Module:
    @T.prim_func(s_tir=True, private=True)
    def f(X: T.Buffer((T.int64(40),), "float32"), Y: T.Buffer((T.int64(40),), "float32")):
        T.func_attr({"tirx.noalias": True})
        A = T.sblock_alloc_buffer((T.int64(40),))
        B = T.sblock_alloc_buffer((T.int64(40),))
        for i in T.serial(T.int64(40)):
            with T.sblock("a"):
                v = T.axis.spatial(T.int64(40), i)
                A[v] = X[v] * T.float32(2)
        with T.sblock("sums"):
            T.reads(A[0:40])
            T.writes(B[0:40])
            B[0] = A[0]
            for i in range(39):
                B[i + 1] = B[i] + A[i + 1]
        for i in T.serial(T.int64(40)):
            with T.sblock("y"):
                v = T.axis.spatial(T.int64(40), i)
                Y[v] = B[v] + T.float32(1)
"""


def called(function, target, *arrays):
    function = function.with_attr("global_symbol", "f")
    library = tvm.tirx.build(tvm.IRModule({"f": function}), target=target)
    tensors = [tvm.runtime.tensor(array) for array in arrays]
    library["f"](*tensors)
    return tensors[-1].numpy()


def test_steps_that_have_to_keep_their_order_do():
    """The running sum is left as it is, between loops that are not."""
    function, target = scheduled(MIXED)
    x = np.arange(40, dtype="float32")
    assert (called(function, target, x, x) == 2 * np.cumsum(x) + 1).all()
    assert len(re.findall(r"f(?:add|mul) <\d+ x float>", assembly(function, target))) >= 2


MAXIMUM = """class Module:
    @T.prim_func(s_tir=True, private=True)
    def f(X: T.Buffer((T.int64(50), T.int64(TERMS)), "float32"), Y: T.Buffer((T.int64(50),), "float32")):
        T.func_attr({"tirx.noalias": True})
        for i, k in T.grid(T.int64(50), T.int64(TERMS)):
            with T.sblock("b"):
                v, r = T.axis.remap("SR", [i, k])
                with T.init():
                    Y[v] = T.float32("-inf")
                Y[v] = T.Select(
                    Y[v] > X[v, r],
                    Y[v],
                    T.Select(Y[v] <= X[v, r], X[v, r], Y[v] + X[v, r]),
                )
"""


def test_a_maximum_of_a_few_terms_is_as_long_as_these_together():
    """Each comparison looks three times at the largest so far: that must have a name."""
    lengths = {}
    for terms in (2, 4):
        module, target = (
            relax_module(MAXIMUM.replace("TERMS", str(terms))),
            resolve_target("native"),
        )
        with target:
            module = tvm.transform.Sequential(PASSES)(module)
        x = normal(50, terms)
        x[3, 1] = x[9, 0] = np.nan
        y = called(module["f"], target, x, np.empty(50, "float32"))
        np.testing.assert_array_equal(y, np.maximum.reduce(x, 1))
        lengths[terms] = len(module.script())
    assert lengths[4] < 3 * lengths[2]


DIFFERENCE = """class Module:
    @T.prim_func(s_tir=True, private=True)
    def f(X: T.Buffer((T.int64(70),), "float32"), Y: T.Buffer((T.int64(1),), "float32")):
        T.func_attr({"tirx.noalias": True})
        for i, k in T.grid(T.int64(1), T.int64(70)):
            with T.sblock("b"):
                v, r = T.axis.remap("SR", [i, k])
                with T.init():
                    Y[v] = T.float32(0)
                Y[v] = Y[v] - X[r]
"""


def test_a_reduction_that_is_no_sum_keeps_its_order():
    """Parts of differences, combined by a difference, would give another result."""
    function, target = scheduled(DIFFERENCE)
    assert called(function, target, *(np.ones(n, "float32") for n in (70, 1))) == -70


PICKED = """class Module:
    @T.prim_func(s_tir=True, private=True)
    def f(X: T.Buffer((T.int64(SIZE),), "DTYPE"), Y: T.Buffer((T.int64(COUNT),), "DTYPE")):
        T.func_attr({"tirx.noalias": True})
        for i in T.serial(T.int64(COUNT)):
            with T.sblock("b"):
                v = T.axis.spatial(T.int64(COUNT), i)
                Y[v] = X[INDEX]
"""


class Division:
    """T of the indices below, for NumPy."""

    Div = staticmethod(np.floor_divide)
    min = staticmethod(np.minimum)
    int64 = staticmethod(int)


@pytest.mark.parametrize(
    ("target", "dtype"),
    [
        ({"kind": "llvm", "mcpu": "x86-64-v2"}, "float32"),
        *(("native", dtype) for dtype in ("float32", "int64", "uint8")),
    ],
)
@pytest.mark.parametrize(
    "index",
    [
        *("T.int64(2) * v", "T.int64(2) * v + T.int64(1)", "T.int64(202) - v"),
        *("T.Div(v, T.int64(2))", "T.min(T.Div(v, T.int64(4)), T.int64(60))"),
    ],
)
def test_vectors_of_elements_near_each_other_are_loaded_at_once(index, target, dtype):
    count = 203
    places = eval(index, {"v": np.arange(count), "T": Division})
    x = np.arange(places.max() + 1).astype(dtype)
    source = PICKED.replace("INDEX", index).replace("DTYPE", dtype)
    source = source.replace("SIZE", str(x.size)).replace("COUNT", str(count))
    function, target = scheduled(source, target)
    assert (called(function, target, x, np.zeros(count, dtype)) == x[places]).all()
    assert "shufflevector" in assembly(function, target)


@pytest.mark.parametrize("shape", [(67,), (1, 2, 9, 33)])
def test_elements_at_an_edge_are_repeated_of_what_is_computed_before(tmp_path, shape):
    """Vectors of them are at places that are no ramp, in a buffer inside the kernel."""
    pads = np.array([*[0] * (len(shape) - 1), 3, *[0] * (len(shape) - 1), 4])
    nodes = [
        helper.make_node("Sigmoid", ["x"], ["s"]),
        helper.make_node("Pad", ["s", "pads"], ["y"], mode="edge"),
    ]
    longer = (*shape[:-1], shape[-1] + 7)
    specs = {"x": (TensorProto.FLOAT, shape)}, {"y": (TensorProto.FLOAT, longer)}
    model = onnx_model(nodes, *specs, {"pads": pads})
    inputs = {"x": normal(*shape)}
    artifacts = export(model, tmp_path, verify=False)
    for result, expected in zip(run(artifacts, inputs), onnx_runtime(model, inputs)):
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_choices_in_a_row_behind_a_reduction_are_written_once(tmp_path):
    """Each looks three times at the one before it: written out, ten would be 59,049."""
    first = helper.make_node("MaxPool", ["x"], ["v0"], kernel_shape=[3, 3], pads=[1] * 4)
    others = [
        helper.make_node("LeakyRelu", [f"v{i}"], [f"v{i + 1}"], alpha=0.5 + i / 20)
        for i in range(10)
    ]
    spec = (TensorProto.FLOAT, [1, 4, 6, 6])
    model = onnx_model([first, *others], {"x": spec}, {"v10": spec})
    inputs = {"x": normal(1, 4, 6, 6)}
    artifacts = export(model, tmp_path, verify=False)
    assert_same(run(artifacts, inputs), onnx_runtime(model, inputs))
