# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of a graph executor: finding, setting and getting them."""

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import chain, create, make, run
from tests.graphs import WORKED_GRAPH, document, op, var
from tests.helpers import f32


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
    with pytest.raises(
        KeyError, match="Could not find 'y' in graph's inputs; there are 'x' and 'w'$"
    ):
        module["run_from_inputs"](1, 0, "y", x)
