# SPDX-License-Identifier: Apache-2.0
"""One executor called by many: whole requests, who waits for whom, and who must not."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import write
from tests.graph.soak import serve
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import address_of, f32

BOTH = pytest.mark.parametrize(
    "create",
    [tvmgo.graph_executor.create, tvmgo.debug_executor.create],
    ids=["plain", "debug"],
)
K0 = f32(1.5, -2)  # of WORKED_PARAMS


def make(nodes, heads=("y",), create=tvmgo.graph_executor.create):
    return create(json.dumps(document(nodes, heads)), None, tvmgo.cpu(0))


def worked(create=tvmgo.graph_executor.create):
    graph = create(WORKED_GRAPH, None, tvmgo.cpu(0))
    graph.load_params(WORKED_PARAMS)
    return graph


# ---------------------------------------------------------------- one request


@BOTH
@pytest.mark.parametrize(
    "call",
    [
        lambda graph, x: graph(x=x),
        lambda graph, x: graph({"x": x}),
        lambda graph, x: graph({0: x}),
        lambda graph, x: graph({"x": x}, k0=K0),
        lambda graph, x: graph(x=tvmgo.array(x)),
        lambda graph, x: graph(x=x.tolist()),
        lambda graph, x: graph(x=x.astype("float64")),
    ],
)
def test_call_returns_the_outputs(create, call):
    outputs = call(worked(create), f32(3, 5))
    assert type(outputs) is list
    assert [type(output) for output in outputs] == [tvmgo.Array]
    np.testing.assert_array_equal(outputs[0].numpy(), (f32(3, 5) + K0) ** 2)


def test_call_returns_all_outputs_in_order():
    nodes = [var("x"), op("min_max", ["x"], name="m", outs=[((), "float32", None)] * 2)]
    low, high = make(nodes, [("m", 1), ("m", 0)])(x=f32(3, 5))
    assert (low.numpy(), high.numpy()) == (5, 3)


def test_call_runs_the_graph_once(kernel):
    seen = []
    graph = make([var("x"), op(kernel(lambda x, out: seen.append(x.numpy()[0])), ["x"], name="y")])
    for value in (1, 2):
        graph(x=f32(value, 0))
    assert seen == [1, 2]


def test_outputs_of_a_call_are_nobody_elses():
    graph = worked()
    [first] = graph(x=f32(1, 2))
    [second] = graph(x=f32(3, 5))
    assert len({address_of(x) for x in (first, second, graph.get_output(0))}) == 3
    np.testing.assert_array_equal(first.numpy(), (f32(1, 2) + K0) ** 2)
    np.asarray(second)[...] = 7
    np.testing.assert_array_equal(graph.get_output(0).numpy(), (f32(3, 5) + K0) ** 2)


def test_inputs_that_are_not_named_keep_their_value():
    graph = worked()
    graph.set_input("x", f32(3, 5))
    np.testing.assert_array_equal(graph()[0].numpy(), (f32(3, 5) + K0) ** 2)
    np.testing.assert_array_equal(graph(k0=f32(0, 0))[0].numpy(), f32(9, 25))


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({"nope": f32(1, 2)}, KeyError, "^Could not find 'nope' in graph's inputs; there are 'x'"),
        ({7: f32(1, 2)}, IndexError, r"^run_from_inputs: .*an index below 2, got 7$"),
        ({"k0": f32(1, 2, 3)}, ValueError, r'^input "k0": expected float32\[2\], got float32\[3\]'),
        ({"k0": f32(1, 2).reshape(2, 1)}, ValueError, r"got float32\[2, 1\]$"),
        ({"k0": np.zeros(2, "complex64")}, TypeError, "Cannot cast"),
        ({"k0": None}, TypeError, "^value: expected an array for input 'k0', got None$"),
    ],
)
def test_call_with_one_bad_input_sets_none(inputs, error, message):
    graph = worked()
    graph(x=f32(3, 5))
    with pytest.raises(error, match=message):
        graph({"x": f32(7, 8), **inputs})
    np.testing.assert_array_equal(graph.get_input("x").numpy(), f32(3, 5))
    np.testing.assert_array_equal(graph.get_input("k0").numpy(), K0)


def test_call_with_no_mapping_raises():
    graph = worked()
    with pytest.raises(tvmgo.TVMTypeError, match="^inputs: expected a mapping .*, got ndarray$"):
        graph(f32(1, 2))
    with pytest.raises(tvmgo.TVMTypeError, match="^inputs: got two values for input 'x'$"):
        graph({"x": f32(1, 2)}, x=f32(1, 2))


def test_operator_that_fails_ends_the_call_and_not_the_executor(kernel):
    def fail(x, out):
        if np.asarray(x)[0] < 0:
            raise LookupError("negative")
        write(out, np.asarray(x))

    graph = make([var("x"), op(kernel(fail), ["x"], name="y")])
    with pytest.raises(LookupError, match="negative"):
        graph(x=f32(-1, 0))
    np.testing.assert_array_equal(graph(x=f32(1, 0))[0].numpy(), f32(1, 0))


def test_lent_tensors_stay_lent():
    graph = worked()
    x, y = tvmgo.array(f32(3, 5)), tvmgo.empty((2,))
    graph.set_input_zero_copy("x", x)
    graph.set_output_zero_copy(0, y)
    [output] = graph()
    assert address_of(output) != address_of(y)
    np.testing.assert_array_equal(output.numpy(), y.numpy())
    graph(x=f32(1, 2))  # as set_input: the graph's own memory again
    np.testing.assert_array_equal(x.numpy(), f32(3, 5))
    np.testing.assert_array_equal(y.numpy(), (f32(1, 2) + K0) ** 2)


# ---------------------------------------------------------------- many threads


@BOTH
def test_every_request_gets_its_own_answer(create):
    serve(create, threads=24, requests=2400)


class Gate:
    """A kernel that lets the test go on while it runs, and ends when it is told to."""

    def __init__(self):
        self.entered, self.leave = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, x, out):
        self.entered.release()
        assert self.leave.acquire(timeout=60)
        write(out, np.asarray(x) + 1)


@pytest.fixture
def gated(kernel):
    """Makes a graph of x + 1 whose kernel is a gate."""
    gate = Gate()

    def open_for_all():
        for _ in range(100):
            gate.leave.release()

    in_the_end = threading.Timer(60, open_for_all)  # for a test that would wait for ever
    in_the_end.start()
    yield lambda: (make([var("x"), op(kernel(gate), ["x"], name="y")]), gate)
    in_the_end.cancel()
    open_for_all()


def started(work, *arguments):
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def test_requests_are_served_in_the_order_in_which_they_came(gated):
    graph, gate = gated()
    order = []

    def work(number):
        [y] = graph(x=f32(number, 0))
        order.append((number, y.numpy()[0]))

    threads = [started(work, 0)]
    assert gate.entered.acquire(timeout=60)
    for number in range(1, 8):
        threads.append(started(work, number))
        time.sleep(0.05)  # until it waits
    for thread in threads:
        gate.leave.release()
        thread.join(60)
    assert order == [(number, number + 1) for number in range(8)]


def test_busy_executor_does_not_wait_where_it_was_told_so(gated):
    graph, gate = gated()
    thread = started(lambda: graph(x=f32(0, 0)))
    assert gate.entered.acquire(timeout=60)
    impatient = tvmgo.graph_executor.GraphModule(graph.module)
    impatient.wait = False
    with pytest.raises(tvmgo.TVMBusyError, match="the graph executor is busy with another call"):
        impatient(x=f32(1, 2))
    gate.leave.release()
    thread.join(60)
    gate.leave.release()
    np.testing.assert_array_equal(impatient(x=f32(1, 2))[0].numpy(), f32(2, 3))


def test_clone_waits_and_copies_as_the_original_does():
    graph = worked(tvmgo.debug_executor.create)
    assert graph.wait is True
    graph.wait = False
    assert graph.clone().wait is False
    assert graph.copy is None
    graph.copy = "auto"
    assert graph.clone().copy == "auto"


def test_what_only_reads_the_program_is_never_busy(gated):
    graph, gate = gated()
    thread = started(lambda: graph(x=f32(0, 0)))
    assert gate.entered.acquire(timeout=60)
    assert (graph.get_num_inputs(), graph.get_num_outputs(), graph.get_input_index("x")) == (
        1,
        1,
        0,
    )
    assert graph.get_output_info()[0] == {"y": (2,)}
    for use in (
        graph.run,
        graph.clone,
        lambda: graph.set_input("x", f32(1, 2)),
        lambda: graph.get_output(0),
        lambda: graph.load_params(params_blob([])),
    ):
        with pytest.raises(tvmgo.TVMBusyError) as error:
            use()
        assert error.value.kind == "BusyError"
        assert isinstance(error.value, RuntimeError)
    gate.leave.release()
    thread.join(60)


# ---------------------------------------------------------------- calls that wait for themselves


def test_call_from_within_the_run_raises_at_once(kernel):
    graph = None
    name = kernel(lambda x, out: write(out, np.asarray(graph(x=f32(1, 2))[0])))
    graph = make([var("x"), op(name, ["x"], name="y")])
    with pytest.raises(tvmgo.TVMBusyError, match="busy with a call that this one is part of"):
        graph(x=f32(1, 2))
    graph = None


def test_two_graphs_that_wait_for_each_other_are_told_so(kernel):
    """Each run of `a` calls `b` and the other way round, from two threads."""
    graphs, errors, both = {}, [], threading.Barrier(2)

    def call_other(other):
        def call(x, out):
            both.wait(60)
            graphs[other](x=f32(1, 2))

        return call

    for name, other in (("a", "b"), ("b", "a")):
        graphs[name] = make([var("x"), op(kernel(call_other(other)), ["x"], name="y")])

    def work(name):
        try:
            graphs[name](x=f32(1, 2))
        except tvmgo.TVMBusyError as error:
            errors.append(str(error))
            both.abort()
        except threading.BrokenBarrierError:
            errors.append("ended")

    threads = [started(work, name) for name in graphs]
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert any("or that waits for it" in error for error in errors)
    graphs.clear()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_does_not_wait_for_a_thread_it_does_not_have(gated):
    graph, gate = gated()
    thread = started(lambda: graph(x=f32(0, 0)))
    assert gate.entered.acquire(timeout=60)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends a wait that has no end
        try:
            graph(x=f32(1, 2))
        except tvmgo.TVMBusyError as error:
            os._exit(42 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    gate.leave.release()
    thread.join(60)
    gate.leave.release()
    np.testing.assert_array_equal(graph(x=f32(1, 2))[0].numpy(), f32(2, 3))
