# SPDX-License-Identifier: Apache-2.0
"""What the Python helper around the executor adds to it: inputs of every kind that is an array,
and errors that say what was wrong."""

import json

import ml_dtypes
import numpy as np
import pytest
import tvm_ffi

import tvmgo
from tests.graphs import WORKED_GRAPH, document, op, var
from tests.helpers import Exporter, address_of, f32


def read_only(values):
    values.flags.writeable = False
    return values


def create():
    return tvmgo.graph_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0))


@pytest.mark.parametrize(
    "wrap",
    [
        tvmgo.array,
        tvm_ffi.from_dlpack,
        Exporter,
        lambda x: Exporter(read_only(x)),
        memoryview,
        list,
    ],
    ids=["Array", "tvm_ffi", "exporter", "read-only exporter", "buffer", "list"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_set_input_takes_whatever_is_an_array(wrap, dtype):
    graph = create()
    value = wrap(np.array([1, -2], dtype))
    graph.set_input("x", value)
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, -2))
    graph.set_input(k0=value)
    np.testing.assert_array_equal(graph.get_input("k0").numpy(), f32(1, -2))


def test_set_input_converts_types_that_numpy_lacks():
    graph = create()
    graph.set_input("x", tvmgo.array(np.array([1, -2], ml_dtypes.bfloat16)))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, -2))


@pytest.mark.parametrize("wrap", [np.asarray, tvmgo.array, tvm_ffi.from_dlpack])
def test_set_input_of_another_kind_raises_and_changes_nothing(wrap):
    graph = create()
    graph.set_input("x", f32(1, 2))
    with pytest.raises(TypeError, match="^value: Cannot cast .*complex64.* to .*float32"):
        graph.set_input("x", wrap(np.zeros(2, "complex64")))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, 2))


@pytest.mark.parametrize("create", [tvmgo.graph_executor.create, tvmgo.debug_executor.create])
def test_run_sets_inputs_of_any_name(create, tmp_path):
    nodes = [var("self"), var("key"), var("value"), op("where", ["self", "key", "value"], name="w")]
    options = {} if create is tvmgo.graph_executor.create else {"dump_root": tmp_path}
    graph = create(json.dumps(document(nodes, ["w"])), None, tvmgo.cpu(0), **options)
    graph.run(self=f32(0, 1), key=f32(1, 2), value=f32(3, 4))
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(3, 2))


# ---------------------------------------------------------------- names and indices


BOTH = pytest.mark.parametrize("create", [tvmgo.graph_executor.create, tvmgo.debug_executor.create])


@BOTH
@pytest.mark.parametrize(
    "use",
    [
        lambda graph: graph.run(x=f32(5, 6), nope=f32(1, 2)),
        lambda graph: graph.benchmark(number=1, repeat=1, x=f32(5, 6), nope=f32(1, 2)),
        lambda graph: graph.benchmark(
            number=1, repeat=1, end_to_end=True, x=f32(5, 6), nope=f32(1)
        ),
    ],
    ids=["run", "benchmark", "end-to-end"],
)
def test_unknown_input_raises_before_anything_is_set(create, use):
    graph = create(WORKED_GRAPH, None, tvmgo.cpu(0))
    with pytest.raises(tvmgo.TVMKeyError, match="Could not find 'nope' in graph's inputs"):
        use(graph)
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(0, 0))


def test_unknown_input_raises_while_looking_inside(tmp_path):
    graph = tvmgo.debug_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0), tmp_path)
    for use in (graph.run, graph.profile):
        with pytest.raises(tvmgo.TVMKeyError, match="Could not find 'nope'"):
            use(nope=f32(1, 2), x=f32(5, 6))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(0, 0))


def test_set_input_skips_unknown_names_as_tvm_does():
    graph = create()
    graph.set_input(x=f32(1, 2), nope=f32(1, 2))
    graph.set_input_zero_copy(nope=tvmgo.array(f32(1, 2)))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(1, 2))


def test_set_output_zero_copy_of_an_unknown_name_raises():
    graph = create()
    with pytest.raises(tvmgo.TVMKeyError, match="Could not find 'nope' in graph's outputs"):
        graph.set_output_zero_copy("nope", tvmgo.empty(2))
    out = tvmgo.empty(2)
    graph.set_output_zero_copy("sq0:0", out)
    graph.run(x=f32(1, 2))
    np.testing.assert_array_equal(out.numpy(), f32(1, 4))


@pytest.mark.parametrize("set_input", ["set_input", "set_input_zero_copy"])
def test_index_out_of_range_is_the_key_of_the_function_called(set_input):
    with pytest.raises(
        tvmgo.TVMIndexError,
        match=rf"^{set_input}: argument 0 \(key\): expected an index below 2, got 100$",
    ):
        getattr(create(), set_input)(100, tvmgo.array(f32(1, 2)))


@pytest.mark.parametrize("arguments", [("x",), ("x", None), (0,)])
def test_set_input_without_a_value_raises(arguments):
    message = f"^value: expected an array for input '{arguments[0]}', got None$"
    with pytest.raises(tvmgo.TVMTypeError, match=message):
        create().set_input(*arguments)
    with pytest.raises(tvmgo.TVMTypeError, match="for input 'x', got None$"):
        create().set_input(x=None)


@pytest.mark.parametrize("set_input", ["set_input", "set_input_zero_copy"])
def test_set_input_finds_inputs_named_as_its_parameters(set_input):
    nodes = [var("key"), var("value"), op("add", ["key", "value"], name="a")]
    graph = tvmgo.graph_executor.create(json.dumps(document(nodes, ["a"])), None, tvmgo.cpu(0))
    key, value, other = (tvmgo.array(f32(*x)) for x in ([1, 2], [10, 20], [0, 5]))
    getattr(graph, set_input)(key=key, value=value)
    graph.run()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(11, 22))
    getattr(graph, set_input)(value=other)
    getattr(graph, set_input)(key="key", value=other)  # as TVM means it
    graph.run()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(0, 10))
    getattr(graph, set_input)(np.int64(0), key)
    np.testing.assert_array_equal(graph.get_input(0).numpy(), f32(1, 2))


@pytest.mark.parametrize("set_input", ["set_input", "set_input_zero_copy"])
def test_set_input_without_a_name_raises(set_input):
    with pytest.raises(TypeError, match="^key: expected the index or name of an input, got ndarr"):
        getattr(create(), set_input)(f32(1, 2))


# ---------------------------------------------------------------- outputs


@pytest.mark.parametrize("wrap", [np.asarray, tvmgo.array, Exporter])
def test_output_is_copied_to_elements_of_its_type_only(wrap):
    graph = tvmgo.debug_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0))
    graph.run(x=f32(1, 2))
    for get, key in ((graph.get_output, 0), (graph.debug_get_output, "sq0")):
        out = np.full(2, 7, "int32")
        with pytest.raises(
            tvmgo.TVMTypeError, match=r"^out: .* \"sq0\": expected float32\[2\], got int32\[2\]$"
        ):
            get(key, wrap(out))
        with pytest.raises(
            tvmgo.TVMValueError,
            match=r"^out: .* \"sq0\": expected float32\[2\], got float32\[2, 1\]$",
        ):
            get(key, wrap(np.zeros((2, 1), "float32")))
        np.testing.assert_array_equal(out, 7)
        right = wrap(np.zeros(2, "float32"))
        assert get(key, right) is right
        np.testing.assert_array_equal(tvmgo.from_dlpack(right).numpy(), f32(1, 4))
        with pytest.raises(tvmgo.TVMTypeError, match="^out: expected an Array, .*, got list$"):
            get(key, [1.0, 2.0])


# ---------------------------------------------------------------- making one


@BOTH
@pytest.mark.parametrize("device", ["cpu", "cpu:0", "llvm", ["cpu", tvmgo.cpu(0)]])
def test_device_may_be_a_name(create, device):
    graph = create(WORKED_GRAPH, None, device)
    assert graph.get_output(0).device == tvmgo.cpu(0)


@BOTH
def test_device_that_is_none_raises(create):
    with pytest.raises(tvmgo.TVMValueError, match="^device: unknown name 'tpu'; known are"):
        create(WORKED_GRAPH, None, "tpu")
    with pytest.raises(tvmgo.TVMValueError, match="^device: expected a Device or a list of them"):
        create(WORKED_GRAPH, None, [1, 0])


@BOTH
def test_path_instead_of_a_graph_raises(create, tmp_path):
    path = tmp_path / "graph"
    path.write_text(WORKED_GRAPH)
    for text in (str(path), "missing.json"):
        with pytest.raises(tvmgo.TVMValueError, match=f"text of a graph, got the path '{text}'"):
            create(text, None, "cpu")


def test_factory_instead_of_an_executor_raises():
    factory = tvmgo.get_global_function("tvm.graph_executor_factory.create")(
        WORKED_GRAPH, None, "default"
    )
    for cls in (tvmgo.graph_executor.GraphModule, tvmgo.debug_executor.GraphModuleDebug):
        with pytest.raises(tvmgo.TVMTypeError, match=r"factory\['default'\]\(device\) makes one"):
            cls(factory)
        with pytest.raises(tvmgo.TVMTypeError, match="^module: expected a Module, got str"):
            cls("deploy.so")


def test_input_of_another_library_is_not_copied_on_its_way():
    graph, seen = create(), []
    graph._set_input = lambda key, value: seen.append(address_of(value))
    memory = f32(1, 2)
    graph.set_input("x", Exporter(memory))
    graph.set_input(x=Exporter(memory))
    assert seen == [address_of(memory)] * 2


@pytest.mark.parametrize("method", ["load_params", "share_params"])
@pytest.mark.parametrize(
    "value", ["text", [1], None, memoryview(b"abcd")[::2]], ids=lambda value: type(value).__name__
)
def test_parameters_that_are_no_bytes_are_named(method, value):
    graph = create()
    arguments = (graph, value) if method == "share_params" else (value,)
    expected = f"^params_bytes: expected a C-contiguous buffer, got {type(value).__name__} "
    with pytest.raises(tvmgo.TVMTypeError, match=expected):
        getattr(graph, method)(*arguments)


# ---------------------------------------------------------------- names that are not there


def of_inputs(*names):
    """An executor of a graph with inputs of these names."""
    return tvmgo.graph_executor.create(
        json.dumps(document([var(name) for name in names], [names[0]])), None, tvmgo.cpu(0)
    )


@pytest.mark.parametrize(
    ("names", "asked", "end"),
    [
        (["x"], "y", "; there is 'x'"),
        (["image", "mask"], "imgae", "; did you mean 'image'? There are 'image' and 'mask'"),
        (["image", "mask"], "IMAGE", "; did you mean 'image'? There are 'image' and 'mask'"),
        (["input_1", "p0"], "input", "; did you mean 'input_1'? There are 'input_1' and 'p0'"),
        (["data", "p0"], "", "; there are 'data' and 'p0'"),
        (
            [f"p{i}" for i in range(12)],
            "bias",
            f"; there are {', '.join(repr(f'p{i}') for i in range(10))} and 2 more",
        ),
        (["x" * 100], "y" * 100, f"; there is '{'x' * 80}...'"),
    ],
)
def test_unknown_input_lists_near_names_and_all(names, asked, end):
    graph = of_inputs(*names)
    expected = f"Could not find '{asked}' in graph's inputs{end}"
    for use in (
        lambda: graph({asked: f32(1, 2)}),
        lambda: graph.run(**{asked: f32(1, 2)}),
        lambda: graph.set_input(asked, f32(1, 2)),
        lambda: graph.set_input_zero_copy(asked, tvmgo.empty((2,))),
    ):
        with pytest.raises(tvmgo.TVMKeyError) as error:
            use()
        assert str(error.value) == expected


def test_unknown_output_and_node_list_near_names():
    graph = tvmgo.debug_executor.create(WORKED_GRAPH, None, tvmgo.cpu(0))
    with pytest.raises(tvmgo.TVMKeyError, match="output node:sq1; did you mean 'sq0'. There is"):
        graph.get_output("sq1")
    with pytest.raises(tvmgo.TVMKeyError, match="no node \"ad0\"; did you mean 'add0'. There are"):
        graph.debug_get_output("ad0")
