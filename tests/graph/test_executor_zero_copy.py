# SPDX-License-Identifier: Apache-2.0
"""Tensors that an executor reads or writes where they lie."""

import numpy as np
import pytest

import tvmgo
from tests.graph.executors import aligned_row, chain, lent, make, run, worked, write
from tests.graphs import WORKED_PARAMS, op, var
from tests.helpers import Exporter, address_of, f32


@pytest.mark.parametrize("key", ["x", 0])
def test_zero_copy_input_is_read_where_it_lies(key):
    module, x = chain(), lent(1, 2)
    module["set_input_zero_copy"](key, x)
    assert address_of(module["get_input"]("x")) == address_of(x)
    np.testing.assert_array_equal(run(module)[0], f32(1, 4))
    x.copy_from(f32(5, 6))
    np.testing.assert_array_equal(run(module)[0], f32(25, 36))


@pytest.mark.parametrize("key", ["s", "s:0", 0])
def test_zero_copy_output_is_written_where_it_lies(key):
    module, y = chain(), lent(0, 0)
    module["set_output_zero_copy"](key, y)
    assert address_of(module["get_output"](0)) == address_of(y)
    run(module, x=f32(1, 2))
    np.testing.assert_array_equal(y.numpy(), f32(1, 4))


def test_set_input_after_zero_copy_goes_back_to_own_memory():
    module, x = chain(), lent(1, 2)
    own = address_of(module["get_input"]("x"))
    module["set_input_zero_copy"]("x", x)
    np.testing.assert_array_equal(run(module, x=f32(7, 8))[0], f32(49, 64))
    assert address_of(module["get_input"]("x")) == own
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
    assert address_of(module["get_input"]("x")) == address_of(x)


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
    assert address_of(module["get_output"]("r")) == address_of(x)
    np.testing.assert_array_equal(run(module, x=f32(4, 3, 2, 1))[2], f32(4, 3, 2, 1).reshape(2, 2))
    assert address_of(module["get_output"]("r")) != address_of(x)


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
    assert address_of(module["get_output"](0)) == address_of(a)


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
    own = [address_of(module["get_input"](0)), address_of(module["get_output"](0))]
    with pytest.raises(error, match=message):
        module[function](0, value())
    assert own == [address_of(module["get_input"](0)), address_of(module["get_output"](0))]


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
    assert address_of(module["get_output"](0)) == address_of(row)
