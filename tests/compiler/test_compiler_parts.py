# SPDX-License-Identifier: Apache-2.0
"""The exporter's parts one by one: parameters, storage, targets."""

import io

import ml_dtypes
import numpy as np
import pytest
import tvm

from tvmgo.compiler import ExportError
from tvmgo.compiler.graph.element_types import ELEMENT_TYPES
from tvmgo.compiler.graph.nodes import Entry, Graph, Node, TensorSpec
from tvmgo.compiler.graph.params import write_params
from tvmgo.compiler.graph.storage import materialize_reshapes, plan_storage
from tvmgo.compiler.relax.codegen.target import resolve_target

# Parameters


def blob(params):
    file = io.BytesIO()
    write_params(file, params)
    return file.getvalue()


WORKED_EXAMPLE = """
b7 9c 04 05 4f 8d e5 f7 00 00 00 00 00 00 00 00
02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
6b 30 02 00 00 00 00 00 00 00 6e 31 02 00 00 00
00 00 00 00 3f a1 b4 96 f0 40 5e dd 00 00 00 00
00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00
02 20 01 00 02 00 00 00 00 00 00 00 08 00 00 00
00 00 00 00 00 00 c0 3f 00 00 00 c0 3f a1 b4 96
f0 40 5e dd 00 00 00 00 00 00 00 00 01 00 00 00
00 00 00 00 00 00 00 00 00 40 01 00 08 00 00 00
00 00 00 00 07 00 00 00 00 00 00 00
"""


def test_write_params_gives_the_bytes_of_a_classic_blob():
    params = {"k0": np.array([1.5, -2.0], "float32"), "n1": np.array(7, "int64")}
    assert blob(params) == bytes.fromhex(WORKED_EXAMPLE)


def test_write_params_without_params_writes_two_empty_lists():
    assert blob({}) == bytes.fromhex("b79c04054f8de5f7" + "00" * 24)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_write_params_equals_save_params_of_the_runtime(dtype):
    kind = getattr(ml_dtypes, dtype, dtype)
    value = np.array([[0, 1], [1, 0]]).astype(kind)
    save_params = tvm.get_global_func("runtime.SaveParams")
    assert blob({"weight": value}) == bytes(save_params({"weight": tvm.runtime.tensor(value)}))


def test_write_params_writes_strided_arrays_in_c_order():
    value = np.arange(6, dtype="int32").reshape(2, 3)
    assert blob({"p0": value.T}) == blob({"p0": value.T.copy()})


# Storage


def tensor(nbytes):
    return TensorSpec((nbytes,), "uint8")


def placeholder(name, nbytes):
    return Node(name, [tensor(nbytes)])


def call(name, sizes, *sources, function="kernel"):
    inputs = [source if isinstance(source, Entry) else Entry(source, 0) for source in sources]
    return Node(name, [tensor(nbytes) for nbytes in sizes], inputs, function)


def plan(nodes, *heads):
    """Materialize reshapes and plan; return storage ids by node name, one for each output."""
    graph = Graph(nodes, [Entry(head, 0) for head in heads], {})
    materialize_reshapes(graph)
    storage = plan_storage(graph)
    return {node.name: [storage[entry] for entry in node.entries()] for node in nodes}


def test_plan_gives_inputs_storage_of_their_own():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    y = placeholder("y", 8)
    c = call("c", [8], b, y)
    storage = plan([x, a, b, y, c], c)
    assert storage["c"] == storage["a"]  # free since b has run
    assert len({storage[name][0] for name in "xyab"}) == 4


def test_plan_keeps_a_kernels_inputs_and_outputs_apart():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8, 8], a, a)
    storage = plan([x, a, b], b)
    assert len({*storage["a"], *storage["b"]}) == 3


def test_plan_holds_a_value_until_its_last_use():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c, a)
    storage = plan([x, a, b, c, d], d)
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])


def test_plan_never_releases_an_output():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c)
    storage = plan([x, a, b, c, d], a, d)
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])
    assert storage["d"] == storage["b"]


def test_plan_releases_an_output_that_nobody_reads():
    x = placeholder("x", 8)
    a = call("a", [8, 8], x)
    b = call("b", [8], a)
    storage = plan([x, a, b], b)
    assert storage["b"] == [storage["a"][1]]


def test_plan_counts_uses_of_views_on_their_source():
    x = placeholder("x", 8)
    a = call("a", [8], x)
    view = call("view", [8], a, function="__nop")
    b = call("b", [8], a)
    c = call("c", [8], b)
    d = call("d", [8], c, view)
    storage = plan([x, a, view, b, c, d], d)
    assert storage["view"] == storage["a"]
    assert storage["a"] not in (storage["b"], storage["c"], storage["d"])


@pytest.mark.parametrize(
    ("sizes", "wanted", "chosen"),
    [
        ((100, 40, 60), 50, 2),  # the smallest that is large enough
        ((100, 40, 60), 200, 0),  # none is: the largest grows
        ((1700,), 100, 1),  # seventeen times too large
        ((10,), 170, 1),  # seventeen times too small
        ((10,), 160, 0),
        ((0,), 0, 0),
    ],
)
def test_plan_takes_the_best_fitting_free_pool(sizes, wanted, chosen):
    x = placeholder("x", 1)
    a = call("a", sizes, x)
    b = call("b", [wanted], x)
    storage = plan([x, a, b], b)
    new = 1 + len(sizes)
    assert storage["b"] == [new if chosen == len(sizes) else storage["a"][chosen]]


@pytest.mark.parametrize(
    "case", ["of_input", "to_output", "of_output", "of_view_of_input", "inner"]
)
def test_reshapes_of_what_users_can_replace_become_copies(case):
    x = placeholder("x", 8)
    a = call("a", [8], x)
    source = {"of_input": x, "of_view_of_input": call("first", [8], x, function="__nop")}.get(
        case, a
    )
    view = call("view", [8], source, function="__nop")
    end = call("end", [8], view, a)
    heads = {"to_output": [end, view], "of_output": [end, a]}.get(case, [end])
    nodes = [x, a, *([source] if source.name == "first" else []), view, end]
    plan(nodes, *heads)
    assert view.function == ("__nop" if case in ("inner", "of_view_of_input") else "__copy")
    if source.name == "first":
        assert source.function == "__copy"


# Targets


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, {"kind": "llvm"}),
        ("llvm", {"kind": "llvm"}),
        ("llvm -mcpu=skylake", {"mcpu": "skylake"}),
        ("llvm -mcpu skylake -opt-level=3", {"mcpu": "skylake", "opt-level": 3}),
        ("llvm --mattr=+avx2,+fma --fast-math", {"mattr": ["+avx2", "+fma"], "fast-math": True}),
        ("llvm -fast-math=0", {"fast-math": False}),
        ("llvm -target=aarch64-linux-gnu", {"mtriple": "aarch64-linux-gnu"}),
        ('{"kind": "llvm", "mcpu": "skylake"}', {"mcpu": "skylake"}),
        ({"kind": "llvm", "num-cores": 4}, {"num-cores": 4}),
        (tvm.target.Target("llvm"), {"kind": "llvm"}),
    ],
    ids=str,
)
def test_resolve_target_understands(target, expected):
    exported = resolve_target(target).export()
    for option, value in expected.items():
        found = exported[option]
        assert (list(found) if isinstance(value, list) else found) == value


def test_resolve_target_native_names_this_cpu():
    assert resolve_target("native").attrs["mcpu"] == tvm.target.codegen.llvm_get_system_cpu()


def test_resolve_target_of_a_gpu_raises_export_error():
    with pytest.raises(
        ExportError, match="target 'vulkan': kernels of a deployed graph run on the CPU"
    ):
        resolve_target("vulkan")


@pytest.mark.parametrize(
    "target", ["llvm -no-such-option=1", "llvm -mcpu=nosuch", "nosuch", "nosuch -mcpu=x"]
)
def test_resolve_target_of_an_unknown_target_raises_value_error(target):
    with pytest.raises(ValueError):
        resolve_target(target)
