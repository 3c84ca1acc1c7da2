# SPDX-License-Identifier: Apache-2.0
"""Requests: what a model takes, what it gives, what it says of what is wrong."""

import array
import contextvars
import gc

import numpy as np
import pytest

import tvmgo
from tests.helpers import Exporter, in_threads
from tvmgo import Model, TensorInfo
from tvmgo.model import TensorShapeError, TensorTypeError, UnknownNameError

X, W = np.array([1, 2, 3]), np.array([4, 5, 6])
Y, Z = [10, 14, 18], [15, 27, 39]


@pytest.fixture
def model(two_inputs):
    with Model.load(two_inputs) as model:
        yield model


def test_inputs_and_outputs_are_described(model):
    assert model.inputs == (
        TensorInfo("x", (3,), tvmgo.DType("int64")),
        TensorInfo("w", (3,), tvmgo.DType("int64")),
    )
    assert [info.name for info in model.outputs] == ["y", "z"]
    assert model.outputs[0].dtype == "int64"
    assert "x: int64 [3], w: int64 [3]" in repr(model)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model(X, W),
        lambda model: model(X, w=W),
        lambda model: model(x=X, w=W),
        lambda model: model({"x": X, "w": W}),
        lambda model: model({"x": X}, w=W),
        lambda model: tuple(model.run({"w": W, "x": X}).values()),
        lambda model: tuple(model.submit({"w": W, "x": X}).result(20).values()),
    ],
)
def test_all_ways_to_call(model, call):
    y, z = call(model)
    assert type(y) is np.ndarray
    assert y.tolist() == Y
    assert z.tolist() == Z


def test_a_single_output_is_no_tuple(write_one):
    model = Model.load(write_one("double"))
    assert model([1, 2.5]).tolist() == [2, 5]
    assert list(model.run({"x": [1, 2]})) == ["y"]


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    ("make", "copies"),
    [
        (lambda: X, 0),
        (lambda: tvmgo.array(X), 0),
        (lambda: Exporter(X.copy()), 0),
        (lambda: read_only(X), 0),
        (lambda: np.repeat(X, 2)[::2], 0),
        (lambda: X[::-1].copy()[::-1], 0),
        (lambda: X.tolist(), 1),
        (lambda: array.array("q", X.tolist()), 0),
        (lambda: memoryview(X.tobytes()).cast("q"), 0),
        (lambda: X.astype("int32"), 1),
        (lambda: X.astype("uint8"), 1),
        (lambda: X.astype(">i8"), 1),
    ],
    ids=[
        *("ndarray", "Array", "DLPack", "read-only", "strided", "backwards", "list", "array.array"),
        *("read-only buffer", "int32", "uint8", "other byte order"),
    ],
)
def test_what_stands_for_an_array(model, make, copies):
    y, z = model(make(), W)
    assert (y.tolist(), z.tolist()) == (Y, Z)
    assert model._serving.copies == copies


def test_unaligned_memory(model):
    memory = np.zeros(X.nbytes + 1, "uint8")
    x = memory[1:].view("int64")
    x[:] = X
    assert model(x, W)[0].tolist() == Y
    assert model.copies >= 1


def test_results_are_the_callers_own(model):
    first, _ = model(X, W)
    first[:] = 7
    again, _ = model(X, W)
    assert again.tolist() == Y
    assert first.tolist() == [7, 7, 7]


@pytest.mark.parametrize("size", [3, 5000], ids=["copied", "lent"])
def test_large_arrays_go_the_same_way(write_one, size):
    model = Model.load(write_one("double", (size,)))
    x = np.arange(size, dtype="float32")
    kept = model(x)
    again = model(x + 1)
    np.testing.assert_array_equal(kept, 2 * x)
    np.testing.assert_array_equal(again, 2 * x + 2)
    into = tvmgo.empty((size,))
    assert model(x, out=into) is into
    np.testing.assert_array_equal(into.numpy(), 2 * x)
    del into
    np.testing.assert_array_equal(model(x), 2 * x)


def test_out(model):
    y, z = np.zeros(3, "int64"), np.zeros(3, "int64")
    assert model(X, W, out=(y, z)) == (y, z)
    assert (y.tolist(), z.tolist()) == (Y, Z)
    y[:] = z[:] = 0
    assert model.run({"x": X, "w": W}, out={"z": z, "y": y})["z"] is z
    assert (y.tolist(), z.tolist()) == (Y, Z)


@pytest.mark.parametrize(
    ("out", "kind", "text"),
    [
        (np.zeros(3, "int64"), TypeError, "expected 2 arrays, got 1"),
        (
            (np.zeros(3, "int64"), np.zeros(4, "int64")),
            TensorShapeError,
            r"'z': expected \[3\], got \[4\]",
        ),
        ((np.zeros(3, "int64"), np.zeros(3)), TensorTypeError, "'z': expected int64, got float64"),
        ((np.zeros(3, "int64"), [0, 0, 0]), TensorTypeError, "expected a NumPy array or an Array"),
        ((np.zeros(3, "int64"), read_only(X)), ValueError, "read-only"),
        ({"y": np.zeros(3, "int64"), "zz": X}, UnknownNameError, "no output 'zz'"),
    ],
)
def test_wrong_out(model, out, kind, text):
    with pytest.raises(kind, match=text):
        model(X, W, out=out)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda model: model(X), TypeError, r"values of all inputs, got none of \['w'\]"),
        (lambda model: model(X, W, X), TypeError, "expected 2 inputs, got 3"),
        (lambda model: model(X, x=X), TypeError, "'x': got two values"),
        (lambda model: model({"x": X}, x=X, w=W), TypeError, "'x': got two values"),
        (lambda model: model(x=X, W=W), KeyError, r"no input 'W'.*\(it has 'x', 'w'\)"),
        (lambda model: model({0: X}), KeyError, "no input 0"),
        (lambda model: model(X, W[:2]), ValueError, r"input 'w': expected \[3\], got \[2\]"),
        (lambda model: model(X, [[4, 5, 6]]), ValueError, r"expected \[3\], got \[1, 3\]"),
        (lambda model: model(X, W + 0.5), TypeError, "input 'w': expected int64, got float64"),
        (lambda model: model(X, None), TypeError, "input 'w': expected an array, got None"),
        (lambda model: model(X, "abc"), TypeError, "input 'w': expected an array, got 'abc'"),
        (lambda model: model(X, object()), TypeError, "input 'w': expected int64, got object"),
        (lambda model: model(X, [[1], [2, 3]]), TypeError, "input 'w': expected int64, got list"),
        (lambda model: model(X, [1, 2, 2**70]), OverflowError, "int64"),
        (lambda model: model.run([X, W]), TypeError, "expected a mapping, got list"),
        (lambda model: model.run({"x": X, "w": W}, ["a"]), KeyError, "no output 'a'"),
        (lambda model: model.run({"x": X, "w": W}, "y"), TypeError, "expected names, got the str"),
        (
            lambda model: model.run({"x": X, "w": W}, 3),
            TypeError,
            "outputs: expected names, got int",
        ),
        (lambda model: model.bind([X, W]), TypeError, "inputs: expected a mapping, got list"),
        (lambda model: model.bind({"x": X, "w": W}, [X]), TypeError, "outputs: expected a mapping"),
        (lambda model: model.warmup("1"), TypeError, "runs: expected an int, got str"),
        (lambda model: model.warmup(-1), ValueError, "runs: expected 1 or more, got -1"),
    ],
)
def test_what_is_wrong_is_said_in_the_models_words(model, call, kind, text):
    with pytest.raises(kind, match=text) as caught:
        call(model)
    assert isinstance(caught.value, tvmgo.TVMError)
    assert model(X, W)[0].tolist() == Y


def test_errors_have_attributes(model):
    with pytest.raises(TensorShapeError) as caught:
        model(X, W[:2])
    assert (caught.value.name, caught.value.expected, caught.value.got) == ("input 'w'", [3], [2])
    with pytest.raises(UnknownNameError) as caught:
        model(xx=X)
    assert (caught.value.name, caught.value.names) == ("xx", ("x", "w"))
    assert "did you mean 'x'?" in str(caught.value)


def test_chosen_outputs_come_in_the_models_order(model):
    assert list(model.run({"x": X, "w": W}, ["z", "y"])) == ["y", "z"]
    assert model.run({"x": X, "w": W}, ["z"])["z"].tolist() == Z


def test_chosen_outputs_may_come_one_by_one(model):
    assert list(model.run({"x": X, "w": W}, (name for name in ["z"]))) == ["z"]


def test_copy_never(two_inputs):
    model = Model.load(two_inputs, copy="never")
    x, w = tvmgo.array(X), tvmgo.array(W)
    assert model(x, w)[0].tolist() == Y
    with pytest.raises(ValueError, match='copy="never": expected an array of int64, got int32'):
        model(X.astype("int32"), w)
    memory = np.zeros(X.nbytes + 1, "uint8")
    with pytest.raises(ValueError, match='input "x": expected memory aligned to 64 bytes'):
        model(memory[1:].view("int64"), w)
    assert model.copies == 0
    with pytest.raises(ValueError, match="copy: expected 'auto' or 'never', got 'maybe'"):
        Model.load(two_inputs, copy="maybe")


def test_error_of_an_operator_is_the_callers(write_one):
    model = Model.load(write_one("fail"))
    with pytest.raises(ZeroDivisionError, match="positive"):
        model([1, 1])
    assert model([-1, 1]).tolist() == [-1, 1]
    assert (model.stats().failed, model.stats().requests) == (1, 1)


def test_binding_reads_and_writes_where_things_lie(two_inputs):
    model = Model.load(two_inputs)
    x, w, y = tvmgo.array(X), tvmgo.array(W), tvmgo.empty((3,), "int64")
    binding = model.bind({"x": x, "w": w}, {"y": y})
    binding.run()
    assert y.numpy().tolist() == Y
    assert np.asarray(binding.outputs["z"]).tolist() == Z
    np.asarray(x)[:] = 0
    binding.run()
    assert y.numpy().tolist() == [8, 10, 12]
    assert model(X, W)[0].tolist() == Y


@pytest.mark.parametrize("offset", [0, 1])
def test_binding_of_memory_that_kernels_cannot_use(two_inputs, offset):
    def somewhere(values):
        memory = np.zeros(24 + 64, "uint8")[offset:][:24].view("int64")
        memory[:] = values
        return memory

    x, y = somewhere(X), somewhere(X)
    x.flags.writeable = False
    binding = Model.load(two_inputs).bind({"x": x, "w": somewhere(W)}, {"y": y})
    binding.run()
    assert y.tolist() == Y
    x.flags.writeable = True
    x[:] = 0
    binding.run()
    assert y.tolist() == [8, 10, 12]


def test_binding_takes_no_copies_of_what_may_change(two_inputs):
    model = Model.load(two_inputs)
    with pytest.raises(
        TypeError, match="input 'x': expected an array of int64, which each run can read, got list"
    ):
        model.bind({"x": X.tolist(), "w": W})
    with pytest.raises(TypeError, match="input 'x'"):
        model.bind({"x": X.astype("int32"), "w": W})
    with pytest.raises(KeyError, match="no output 'a'"):
        model.bind({"x": X, "w": W}, {"a": X})


def test_a_binding_outlives_its_model(two_inputs):
    model = Model.load(two_inputs)
    binding = model.bind({"x": X, "w": W})
    model.close()
    del model
    gc.collect()
    binding.run()
    assert np.asarray(binding.outputs["y"]).tolist() == Y


def test_many_threads_get_their_own_answers(write_one):
    model = Model.load(write_one("nap", (4,), "int64"), concurrency=3)

    def work(number):
        for request in range(30):
            x = np.arange(4) + 1000 * number + 10 * request
            assert model(x).tolist() == (-x).tolist()

    in_threads(work, 12)
    assert model.stats().requests == 360


def test_no_more_run_at_a_time_than_may(write_one, operators):
    model = Model.load(write_one("nap"), concurrency=2)
    operators.most = 0
    in_threads(lambda number: [model([number, 1]) for _ in range(10)], 8)
    assert operators.most == 2
    assert len(model._serving.states.states) == 2


def test_a_model_that_calls_itself(write_one, operators):
    model = Model.load(write_one("call"), concurrency=2)
    depths = []

    def inside():
        depths.append(len(depths))
        model([0, 0])

    operators.inside = inside
    with pytest.raises(tvmgo.TVMBusyError, match="waits for itself"):
        model([1, 1])
    assert depths == [0, 1]
    operators.inside = lambda: None
    assert model([1, 2]).tolist() == [1, 2]


def test_models_that_wait_for_each_other(write_one, operators):
    import threading

    one = Model.load(write_one("call", name="one"), concurrency=1)
    two = Model.load(write_one("call", (3,), name="two"), concurrency=1)
    both_are_in = threading.Barrier(2)
    errors = []
    inside_of = contextvars.ContextVar("inside_of", default=None)  # a call may run in any thread

    def inside():
        other = inside_of.get()
        if other is None:
            return
        inside_of.set(None)
        both_are_in.wait(20)
        other([0] * other.inputs[0].shape[0])

    operators.inside = inside

    def work(number):
        mine, other = ((one, two), (two, one))[number]
        inside_of.set(other)
        try:
            mine([number] * mine.inputs[0].shape[0])
        except tvmgo.TVMBusyError as error:
            errors.append(error)

    in_threads(work, 2)
    operators.inside = lambda: None
    assert len(errors) == 1
    assert one([1, 1]).tolist() == [1, 1]
    assert two([1, 1, 1]).tolist() == [1, 1, 1]


def test_names_that_are_names_of_parameters(write):
    from tests.graphs import op, var
    from tests.model.conftest import PREFIX

    names = ("self", "out", "values", "key")
    nodes = [
        *(var(name) for name in names),
        op("add", ["self", "out"], name="a", prefix=PREFIX),
        op("add", ["values", "key"], name="b", prefix=PREFIX),
        op("add", ["a", "b"], name="y", prefix=PREFIX),
    ]
    model = Model.load(write(nodes, ["y"]))
    values = {name: np.full(2, 10.0**i) for i, name in enumerate(names)}
    assert model(values).tolist() == [1111, 1111]
    assert model.run(values)["y"].tolist() == [1111, 1111]
    binding = model.bind({name: value.astype("float32") for name, value in values.items()})
    binding.run()
    assert np.asarray(binding.outputs["y"]).tolist() == [1111, 1111]


def test_states_are_made_by_many_threads_at_once(write_one):
    for _ in range(20):
        with Model.load(write_one("double", (50_000,)), concurrency=8) as model:
            x = np.ones(50_000, "float32")
            assert all(in_threads(lambda number: model(x)[0] == 2, 8))
