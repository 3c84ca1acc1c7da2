# SPDX-License-Identifier: Apache-2.0
"""Parameters that come from elsewhere: linked into the library, found by a function of the caller,
shared by another executor; and inputs that are set together."""

import gc
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import CREATE, aligned_row, lent, run, worked, write
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import address_of, f32

SOURCES = Path(__file__).parent / "sources"


def create(nodes, heads, library=None, *lookup):
    text = json.dumps(document(nodes, heads))
    return tvmgo.get_global_function(CREATE)(text, library, *lookup, 1, 0)


def adding(sid=7):
    """x + w, where w is linked if its storage id is 7."""
    return [var("x", sid=0), var("w", sid=sid), op("add", ["x", "w"], sid=2, name="a")]


# ---------------------------------------------------------------- linked into the library


def test_linked_parameter_is_there_without_loading(linked):
    module = create(adding(), ["a"], linked)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(2.5, 0))


def test_kernels_read_linked_parameters_where_they_lie(linked):
    nodes = [var("w", sid=7), op("address_of", ["w"], (1,), "int64", name="a", prefix="")]
    module = create(nodes, ["a"], linked)
    assert run(module)[0] == [linked["weights"]()]


@pytest.mark.parametrize("sid", [8, 0x7FFFFFFF, -1], ids=["null", "None", "private"])
def test_parameter_that_is_not_linked_has_memory_of_its_own(linked, sid):
    module = create(adding(sid), ["a"], linked)
    np.testing.assert_array_equal(run(module, x=f32(1, 2), w=f32(3, 4))[0], f32(4, 6))


def test_lookup_that_returns_something_else_raises(linked):
    with pytest.raises(
        TypeError, match="_lookup_linked_param: storage id 13: expected an address or None, got int"
    ):
        create(adding(13), ["a"], linked)


def test_linked_parameter_is_handed_out_as_a_copy(linked):
    module = create([*adding(), op("__nop", ["w"], (2, 1), sid=7, name="r")], ["a", "r"], linked)
    for copy in (module["get_input"]("w"), module["get_output"]("r")):
        np.testing.assert_array_equal(copy.numpy().reshape(2), f32(1.5, -2))
        assert address_of(copy) != linked["weights"]()
        np.asarray(copy)[...] = 0
    out = tvmgo.empty((2, 1))
    module["get_output"]("r", out)
    np.testing.assert_array_equal(out.numpy().reshape(2), f32(1.5, -2))
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(2.5, 0))


@pytest.mark.parametrize("function", ["set_input", "load_params", "run_from_inputs"])
def test_linked_parameter_is_not_written_to(linked, function):
    module = create(adding(), ["a"], linked)
    arguments = {
        "set_input": ("w", lent(3, 4)),
        "run_from_inputs": (1, 0, "w", lent(3, 4)),
        "load_params": (params_blob([("x", f32(8, 9)), ("w", f32(3, 4))]),),
    }
    with pytest.raises(ValueError, match='input "w" is .*linked into the library'):
        module[function](*arguments[function])
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(0, 0))


def test_loading_the_value_that_is_linked_is_harmless(linked):
    module = create(adding(), ["a"], linked)
    module["load_params"](params_blob([("w", f32(1.5, -2)), ("x", f32(1, 2))]))
    np.testing.assert_array_equal(run(module)[0], f32(2.5, 0))
    factory = tvmgo.get_global_function("tvm.graph_executor_factory.create")(
        json.dumps(document(adding(), ["a"])), linked, "m", "w", lent(1.5, -2)
    )
    np.testing.assert_array_equal(run(factory["m"](tvmgo.cpu(0)), x=f32(1, 2))[0], f32(2.5, 0))


def test_factory_with_another_value_than_the_linked_one_makes_no_executor(linked):
    factory = tvmgo.get_global_function("tvm.graph_executor_factory.create")(
        json.dumps(document(adding(), ["a"])), linked, "m", "w", lent(1.5, 2)
    )
    with pytest.raises(ValueError, match='input "w" is linked into the library with another'):
        factory["m"](tvmgo.cpu(0))


def test_linked_parameter_can_be_replaced_by_zero_copy(linked):
    module, w = create(adding(), ["a"], linked), lent(3, 4)
    module["set_input_zero_copy"]("w", w)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(4, 6))
    assert address_of(module["get_input"]("w")) == address_of(w)


def test_linked_parameter_is_no_input_to_set(linked):
    module = create(adding(), ["a"], linked)
    assert list(module["get_input_info"]()["shape"]) == ["x"]


def test_linked_parameter_as_output_is_not_lent(linked):
    module = create(adding(), ["w"], linked)
    with pytest.raises(ValueError, match='output "w" is a parameter linked into the library'):
        module["set_output_zero_copy"](0, lent(0, 0))


@pytest.mark.parametrize("function", ["negate", "__copy"])
def test_operator_that_writes_to_a_linked_parameter_is_refused(linked, function):
    nodes = [var("x", sid=0), op(function, ["x"], sid=7, name="n")]
    with pytest.raises(ValueError, match='node "n": writes to storage id 7'):
        create(nodes, ["n"], linked)


def test_tensor_that_a_kernel_kept_keeps_the_library(linked_path, kernel, tmp_path):
    kept = []
    name = kernel(lambda x, out: (kept.append(x), write(out, np.asarray(x))))
    library = tvmgo.load_module(shutil.copy(linked_path, tmp_path / "alone.so"))
    module = create([var("w", sid=7), op(name, ["w"], name="k")], ["k"], library)
    run(module)
    del module, library
    gc.collect()
    assert "alone.so" in Path("/proc/self/maps").read_text()  # or what follows ends the process
    np.testing.assert_array_equal(kept.pop().numpy(), f32(1.5, -2))
    gc.collect()
    assert "alone.so" not in Path("/proc/self/maps").read_text()


def test_linked_parameters_are_shared_as_copies(linked):
    owner, borrower = create(adding(), ["a"], linked), create(adding(5), ["a"], linked)
    borrower["share_params"](owner, params_blob([("w", f32(0, 0))]))
    np.testing.assert_array_equal(run(borrower, x=f32(1, 2))[0], f32(2.5, 0))


# ---------------------------------------------------------------- found by the caller


def test_lookup_function_is_asked_for_every_entry(linked):
    asked = []

    def lookup(library, sid, template, device):
        asked.append((library.kind, sid, template.shape, str(template.dtype), str(device)))
        assert not np.asarray(template).any()  # it can be looked at, there is nothing to see

    nodes = [
        var("x", (2, 3), sid=4),
        var("b", (), "uint1", sid=9),
        var("own", sid=-1),
        op("square", ["x"], (2, 3), sid=4, name="s"),
        var("huge", (2**40, 0, 4), sid=11),
    ]
    create(nodes, ["s"], linked, lookup)
    kind = linked.kind
    assert asked == [
        (kind, 4, (2, 3), "float32", "cpu:0"),
        (kind, 9, (), "bool", "cpu:0"),
        (kind, 4, (2, 3), "float32", "cpu:0"),
        (kind, 11, (2**40, 0, 4), "float32", "cpu:0"),
    ]


def test_tensor_of_the_lookup_function_is_used():
    weights = lent(1.5, -2)
    module = create(adding(), ["a"], None, lambda _, sid, *rest: weights if sid == 7 else None)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(2.5, 0))
    weights.copy_from(f32(10, 20))
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(11, 22))


def test_lookup_function_comes_before_the_librarys_own(linked):
    module = create(adding(), ["a"], linked, lambda *args: None)
    np.testing.assert_array_equal(run(module, x=f32(1, 2))[0], f32(1, 2))


def test_tensor_found_for_one_entry_serves_the_whole_pool():
    weights = lent(1, 2, 3, 4)
    nodes = [
        var("w", (4,), sid=7),
        op("__nop", ["w"], (2, 2), sid=7, name="r"),
        op("negate", ["r"], (2, 2), name="n"),
    ]
    module = create(nodes, ["n"], None, lambda _, sid, t, d: weights if t.shape == (4,) else None)
    np.testing.assert_array_equal(run(module)[0], f32(-1, -2, -3, -4).reshape(2, 2))


@pytest.mark.parametrize(
    ("found", "error", "message"),
    [
        (lambda: 5, TypeError, "expected a tensor or None, got int"),
        (lambda: lent(1), ValueError, r"expected at least 8 bytes, got 4 bytes \(float32\[1\]\)"),
        (lambda: aligned_row(offset=1), ValueError, "aligned to 64 bytes"),
        (lambda: aligned_row(step=2), ValueError, "contiguous"),
        (lambda: tvmgo.empty((2,), device=tvmgo.cpu(1)), ValueError, "on device 1:0, got 1:1"),
    ],
    ids=["no-tensor", "small", "alignment", "strides", "device"],
)
def test_lookup_function_that_returns_something_unsuitable_raises(found, error, message):
    def lookup(_, sid, template, device):
        value = found()
        return value if isinstance(value, int) else tvmgo.from_dlpack(value)

    with pytest.raises(error, match=f"^lookup_fn: storage id.*{message}"):
        create(adding(), ["a"], None, lookup)


def test_error_of_the_lookup_function_comes_out_as_the_same_object():
    error = LookupError("nothing here")

    def lookup(*args):
        raise error

    with pytest.raises(LookupError) as caught:
        create(adding(), ["a"], None, lookup)
    assert caught.value is error
    error.__traceback__ = None


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        ((), "at least 4, but it has 3"),
        ((1,), r"argument 3 \(device type\) has no device id"),
        ((1, 0, 1), r"argument 5 \(device type\) has no device id"),
    ],
)
def test_lookup_function_without_devices_raises(devices, message):
    lookup = tvmgo.convert_function(lambda *args: None)
    with pytest.raises(TypeError, match=message):
        tvmgo.get_global_function(CREATE)(WORKED_GRAPH, None, lookup, *devices)


# ---------------------------------------------------------------- shared by another executor


def two_weights(second=(2,)):
    """x + v + w."""
    return create(
        [
            var("x"),
            var("v"),
            var("w", second),
            op("add", ["x", "v"], name="a"),
            op("add", ["a", "w"], second, name="b"),
        ],
        ["b"],
    )


def test_sharing_is_all_or_nothing():
    owner, borrower = two_weights((1, 2)), two_weights()
    blob = params_blob([("v", f32(1, 2)), ("w", f32(3, 4).reshape(1, 2))])
    owner["load_params"](blob)
    before = [address_of(borrower["get_input"](name)) for name in ("v", "w")]
    with pytest.raises(ValueError, match='input "w"'):
        borrower["share_params"](owner, blob)
    assert [address_of(borrower["get_input"](name)) for name in ("v", "w")] == before


def test_sharing_again_and_from_another_owner_works():
    borrower, first, second = (create(adding(), ["a"]) for _ in range(3))
    first["load_params"](params_blob([("w", f32(1, 2))]))
    second["load_params"](params_blob([("w", f32(3, 4))]))
    for owner, expected in [(first, f32(1, 2)), (first, f32(1, 2)), (second, f32(3, 4))]:
        borrower["share_params"](owner, params_blob([("w", f32(0, 0))]))
        np.testing.assert_array_equal(run(borrower, x=f32(0, 0))[0], expected)


def test_sharing_through_a_borrower_reaches_the_owner():
    owner, middle, last = (create(adding(), ["a"]) for _ in range(3))
    blob = params_blob([("w", f32(1, 2))])
    owner["load_params"](blob)
    middle["share_params"](owner, blob)
    last["share_params"](middle, blob)
    del middle
    owner["set_input"]("w", lent(5, 6))
    np.testing.assert_array_equal(run(last, x=f32(0, 0))[0], f32(5, 6))


def test_sharing_in_a_circle_lets_everything_go():
    first, second = create(adding(), ["a"]), create(adding(), ["a"])
    blob = params_blob([("w", f32(1, 2))])
    first["load_params"](blob)
    second["share_params"](first, blob)
    first["share_params"](second, blob)
    np.testing.assert_array_equal(run(first, x=f32(0, 0))[0], f32(1, 2))


def test_set_input_after_sharing_leaves_the_owner_alone():
    owner, borrower = create(adding(), ["a"]), create(adding(), ["a"])
    blob = params_blob([("w", f32(1, 2))])
    owner["load_params"](blob)
    borrower["share_params"](owner, blob)
    np.testing.assert_array_equal(run(borrower, x=f32(0, 0), w=f32(7, 8))[0], f32(7, 8))
    np.testing.assert_array_equal(run(owner, x=f32(0, 0))[0], f32(1, 2))


def test_sharing_with_itself_raises():
    module = worked()
    with pytest.raises(RuntimeError, match="get_input: the graph executor is busy"):
        module["share_params"](module, WORKED_PARAMS)


# ---------------------------------------------------------------- inputs set together


@pytest.mark.parametrize(
    ("rest", "error", "message"),
    [
        (
            ("nobody", lent(3, 4)),
            KeyError,
            "Could not find 'nobody' in graph's inputs; there are 'x' and 'w'",
        ),
        ((5, lent(3, 4)), IndexError, "an index below 2, got 5"),
        (("w", lent(3)), ValueError, 'input "w".*exactly match'),
        (("w", 3), TypeError, "value.*expected a tensor"),
    ],
    ids=["name", "index", "size", "no-tensor"],
)
def test_run_from_inputs_sets_all_or_nothing(rest, error, message):
    module = create(adding(), ["a"])
    with pytest.raises(error, match=message):
        module["run_from_inputs"](1, 0, "x", lent(1, 2), *rest)
    np.testing.assert_array_equal(module["get_input"]("x").numpy(), f32(0, 0))


def test_run_from_inputs_without_inputs_runs():
    module = create(adding(), ["a"])
    module["set_input"]("x", lent(1, 2))
    np.testing.assert_array_equal(module["run_from_inputs"](1, 0)[0].numpy(), f32(1, 2))
