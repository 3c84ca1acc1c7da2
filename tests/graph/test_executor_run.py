# SPDX-License-Identifier: Apache-2.0
"""Running graphs: storage, special operators, kernels and their errors, and calls that overlap."""

import gc
import threading

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import KERNELS, chain, create, lent, make, run, write
from tests.graphs import document, op, var
from tests.helpers import f32

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
    nodes = [var("x"), op("myadd", ["x", "x"], name="a", prefix=""), op("square", ["a"], name="s")]
    graph = document(nodes, ["s"])
    with pytest.raises(KeyError, match="no such function in module: myadd"):
        create(graph)
    tvmgo.register_function(KERNELS["negate"], "myadd")
    try:
        [y] = run(create(graph, library=kernels), x=f32(1, 2))
    finally:
        tvmgo.remove_global_function("myadd")
    np.testing.assert_array_equal(y, f32(4, 16))


def test_error_of_a_compiled_kernel_comes_out_of_run(kernels):
    graph = document([var("x"), op("myadd", ["x"], name="s", prefix="")], ["s"])
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
