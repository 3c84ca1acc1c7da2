# SPDX-License-Identifier: Apache-2.0
"""Integers for inputs of smaller types, and memory that inputs are read from."""

import json

import numpy as np
import pytest

import tvmgo
from tests.graphs import document, op, var
from tests.helpers import Exporter, address_of, f32

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def of_type(dtype, create=tvmgo.graph_executor.create):
    """An executor whose output is its input."""
    return create(json.dumps(document([var("x", (2,), dtype)], ["x"])), None, tvmgo.cpu(0))


USES = pytest.mark.parametrize(
    "use",
    [
        lambda graph, value: graph.set_input("x", value),
        lambda graph, value: graph.set_input(x=value),
        lambda graph, value: graph.run(x=value),
        lambda graph, value: graph(x=value),
        lambda graph, value: graph.benchmark(number=1, repeat=1, x=value),
        lambda graph, value: graph.benchmark(number=1, repeat=1, end_to_end=True, x=value),
    ],
    ids=["set_input", "by name", "run", "call", "benchmark", "end-to-end"],
)


@USES
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_that_does_not_fit_raises_and_sets_nothing(use, dtype):
    limits = np.iinfo(dtype)
    graph = of_type(dtype)
    for value in (limits.min - 1, limits.max + 1):
        with pytest.raises(tvmgo.TVMOverflowError) as error:
            use(graph, [0, value])
        assert str(error.value) == (
            f"value: input 'x': {dtype} goes from {limits.min} to {limits.max}, got {value}"
        )
    for value in (limits.min, limits.max):
        use(graph, [value, 1])
        np.testing.assert_array_equal(graph.get_output(0).numpy(), np.array([value, 1], dtype))


@pytest.mark.parametrize("wrap", [np.asarray, tvmgo.array, Exporter])
@pytest.mark.parametrize(
    ("given", "dtype", "fits"),
    [
        ("int64", "int8", 127),
        ("int64", "uint8", 255),
        ("int16", "uint32", 0),
        ("uint64", "int64", 2**62),
        ("uint8", "int8", 127),
    ],
)
def test_integers_of_other_types_are_converted_if_they_fit(wrap, given, dtype, fits):
    graph = of_type(dtype)
    graph.set_input("x", wrap(np.array([fits, 1], given)))
    np.testing.assert_array_equal(graph.get_input("x").numpy(), np.array([fits, 1], dtype))
    limits, widest = np.iinfo(dtype), np.iinfo(given)
    bad = limits.max + 1 if widest.max > limits.max else -1
    with pytest.raises(tvmgo.TVMOverflowError, match=f"got {bad}$"):
        graph.set_input("x", wrap(np.array([bad, 1], given)))
    with pytest.raises(tvmgo.TVMOverflowError, match=f"^data: {dtype} goes .*, got {bad}$"):
        tvmgo.array(wrap(np.array([bad, 1], given)), dtype)
    np.testing.assert_array_equal(
        tvmgo.array(wrap(np.array([fits, 1], given)), dtype).numpy(), np.array([fits, 1], dtype)
    )


def test_array_of_python_integers_must_fit():
    for value in (300, -1, 2**70):
        with pytest.raises(tvmgo.TVMOverflowError, match=f"^data: uint8 .* 255, got {value}$"):
            tvmgo.array([1, value], "uint8")
    assert tvmgo.array([], "uint8").shape == (0,)
    assert tvmgo.array([1.5, 2], "int32").numpy().tolist() == [1, 2]


# ---------------------------------------------------------------- memory that is lent

BOTH = pytest.mark.parametrize("create", [tvmgo.graph_executor.create, tvmgo.debug_executor.create])


def aligned(values):
    """An ndarray on an aligned address."""
    return np.asarray(tvmgo.array(values))


def unaligned(values):
    memory = np.asarray(tvmgo.empty((values.size + 1,), str(values.dtype)))[1:]
    memory[...] = values
    return memory


def read_only(values):
    view = values.view()
    view.flags.writeable = False
    return view


def doubling(kernel, create=tvmgo.graph_executor.create):
    def double(x, out):
        np.asarray(out)[...] = np.asarray(x) * 2

    nodes = [var("x"), op(kernel(double), ["x"], name="y")]
    return create(json.dumps(document(nodes, ["y", "x"])), None, tvmgo.cpu(0))


def test_of_several_inputs_all_are_lent_or_none(kernel):
    nodes = [var("a"), var("b", (3,))]
    graph = tvmgo.graph_executor.create(json.dumps(document(nodes, ["a", "b"])), None)
    own = [address_of(graph.get_input(name)) for name in "ab"]
    good = {"a": aligned(f32(1, 2)), "b": aligned(f32(1, 2, 3))}
    for wrong in (f32(1, 2, 3, 4), aligned(np.zeros(3, "int32")), unaligned(f32(1, 2, 3)), 7, None):
        with pytest.raises((TypeError, ValueError)):
            graph.set_input_zero_copy(a=good["a"], b=wrong)
        with pytest.raises((TypeError, ValueError)):
            graph.set_input_zero_copy("a", good["a"], b=wrong)
        assert [address_of(graph.get_input(name)) for name in "ab"] == own
    graph.set_input_zero_copy(**good)
    assert [address_of(graph.get_input(name)) for name in "ab"] == [
        address_of(good[name]) for name in "ab"
    ]


@pytest.mark.parametrize(
    "wrap", [read_only, lambda x: Exporter(read_only(x)), lambda x: memoryview(read_only(x))]
)
def test_read_only_memory_is_read_where_it_lies(kernel, wrap):
    graph, memory = doubling(kernel), aligned(f32(1, 2))
    graph.set_input_zero_copy("x", wrap(memory))
    graph.run()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(2, 4))
    memory[...] = 5  # its owner may
    graph.run()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(10, 10))
    assert graph.copies == 0


def test_read_only_memory_cannot_be_written_through_the_graph(kernel):
    graph, memory = doubling(kernel), aligned(f32(1, 2))
    graph.set_input_zero_copy("x", read_only(memory))
    for view in (graph.get_input("x"), graph.get_output(1)):
        assert address_of(view) != address_of(memory)
        np.asarray(view)[...] = 7
    graph.set_input("x", f32(3, 4))
    np.testing.assert_array_equal(memory, f32(1, 2))
    graph.set_input_zero_copy("x", memory)  # as lent to be written to
    assert address_of(graph.get_input("x")) == address_of(memory)


def test_read_only_memory_is_kept_alive(kernel):
    graph = doubling(kernel)
    memory = read_only(aligned(f32(1, 2)))
    graph.set_input_zero_copy("x", memory)
    before = tvmgo.live_objects()["buffers"]
    del memory
    assert tvmgo.live_objects()["buffers"] == before > 0
    graph.run()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(2, 4))
    graph.set_input("x", f32(0, 0))
    assert tvmgo.live_objects()["buffers"] < before


@BOTH
@pytest.mark.parametrize(
    "wrap",
    [
        unaligned,
        lambda x: read_only(unaligned(x)),
        lambda x: aligned(np.repeat(x, 2))[::2],
        lambda x: tvmgo.from_dlpack(unaligned(x)),
        lambda x: memoryview(unaligned(x)),
    ],
    ids=["unaligned", "read-only", "strided", "Array", "buffer"],
)
def test_copy_auto_copies_at_the_start_of_every_run(kernel, create, wrap):
    graph = doubling(kernel, create)
    value = wrap(f32(1, 2))
    with pytest.raises(tvmgo.TVMValueError, match='copy is "auto" copies it at the start of every'):
        graph.set_input_zero_copy("x", value)
    assert (graph.copy, graph.copies) == (None, 0)
    graph.copy = "auto"
    graph.set_input_zero_copy("x", value)
    for number in range(3):
        memory = np.asarray(value)
        if memory.flags.writeable:
            memory[0] = number
        graph.run()
        np.testing.assert_array_equal(graph.get_output(0).numpy(), memory * 2)
        np.testing.assert_array_equal(graph()[0].numpy(), memory * 2)
        assert graph.copies == 2 * (number + 1)
    graph.set_input("x", f32(7, 8))
    graph.run()
    assert graph.copies == 6
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(14, 16))


def test_copy_auto_counts_later_writes_in_every_kind_of_run(kernel):
    graph = doubling(kernel, tvmgo.debug_executor.create)
    graph.copy = "auto"
    memory = unaligned(f32(0, 0))
    graph.set_input_zero_copy("x", memory)
    memory[...] = 1
    np.testing.assert_array_equal(graph.debug_get_output("y").numpy(), f32(2, 2))
    memory[...] = 2
    graph.execute_node("y")
    np.testing.assert_array_equal(graph.get_node_output("y").numpy(), f32(4, 4))
    memory[...] = 3
    graph.profile()
    np.testing.assert_array_equal(graph.get_output(0).numpy(), f32(6, 6))


def test_copy_auto_copies_nothing_that_can_be_read_in_place(kernel):
    graph, memory = doubling(kernel), aligned(f32(1, 2))
    graph.copy = "auto"
    graph.set_input_zero_copy("x", unaligned(f32(9, 9)))
    graph.set_input_zero_copy("x", memory)
    graph.run()
    assert graph.copies == 0
    assert address_of(graph.get_input("x")) == address_of(memory)
    for bad, error in ((f32(1, 2, 3), ValueError), (np.zeros(2), TypeError)):
        with pytest.raises(error, match='^input "x": expected float32'):
            graph.set_input_zero_copy("x", bad)
    with pytest.raises(ValueError, match="aligned to 64 bytes"):
        graph.set_output_zero_copy(0, unaligned(f32(0, 0)))
    assert graph.clone().copy == "auto"
    with pytest.raises(tvmgo.TVMValueError, match="^copy: expected None or 'auto', got True$"):
        graph.copy = True
