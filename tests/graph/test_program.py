# SPDX-License-Identifier: Apache-2.0
"""``tvmgo.graph_program.create``: a program that never changes, and the states made of it."""

import json
import threading

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import run
from tests.graphs import WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import address_of, f32

CPU = (1, 0)
W = f32(1.5, -2)  # k0 in WORKED_PARAMS; the graph computes (x + k0) ** 2


def program(*, params=None):
    module = tvmgo.get_global_function("tvmgo.graph_program.create")(WORKED_GRAPH, None, *CPU)
    if params is not None:
        module["load_params"](params)
    return module


def expect(state, w):
    [y] = run(state, x=f32(3, 5))
    np.testing.assert_array_equal(y, (f32(3, 5) + w) ** 2)


def test_program_is_a_module_with_two_functions():
    module = program()
    assert module.kind == "GraphProgram"
    assert all(name in module for name in ("create_state", "load_params"))
    assert not any(name in module for name in ("run", "set_input", "get_output", "clone"))


def test_state_is_a_graph_executor():
    state = program(params=WORKED_PARAMS)["create_state"]()
    assert state.kind == "GraphExecutor"
    expect(state, W)
    graph = tvmgo.graph_executor.GraphModule(state)
    graph.run(x=f32(1, 2))
    np.testing.assert_array_equal(graph.get_output(0).numpy(), (f32(1, 2) + W) ** 2)
    expect(graph.clone().module, W)


def test_state_outlives_its_program():
    module = program(params=WORKED_PARAMS)
    state = module["create_state"]()
    del module
    expect(state, W)


def test_states_without_parameters_are_zero():
    expect(program()["create_state"](), f32(0, 0))


def test_loaded_parameters_reach_states_made_afterwards_only():
    module = program()
    states = [module["create_state"]()]
    for w in (f32(1, 2), f32(10, 20)):
        module["load_params"](params_blob([("k0", w)]))
        states.append(module["create_state"]())
    for state, w in zip(states, (f32(0, 0), f32(1, 2), f32(10, 20)), strict=True):
        expect(state, w)
    assert "k0" in states[0]["get_input_info"]()["shape"]
    assert "k0" not in states[1]["get_input_info"]()["shape"]


def test_loading_some_parameters_keeps_the_others():
    module = program()
    module["load_params"](params_blob([("k0", W)]))
    module["load_params"](params_blob([("x", f32(3, 5))]))
    state = module["create_state"]()
    state["run"]()
    np.testing.assert_array_equal(state["get_output"](0).numpy(), (f32(3, 5) + W) ** 2)


@pytest.mark.parametrize(
    "blob", [b"", WORKED_PARAMS[:-9], params_blob([("k0", f32(1, 2, 3))])], ids=str
)
def test_parameters_that_are_malformed_or_do_not_fit_change_nothing(blob):
    module = program(params=WORKED_PARAMS)
    with pytest.raises(ValueError):
        module["load_params"](blob)
    expect(module["create_state"](), W)


K = np.arange(4096, dtype="float32")


def in_memory(blob, shift):
    """Return a blob in a tensor, K so far from a multiple of 64."""
    start = (shift - blob.find(K.tobytes())) % 64
    memory = np.asarray(tvmgo.empty((len(blob) + 64,), "uint8"))[start : start + len(blob)]
    memory[...] = np.frombuffer(blob, "uint8")
    return memory


def loaded_from(memory, sid=None):
    """Return a state for y = (x + k) ** 2 of 4,096 numbers, y at the storage id `sid`, k at 7."""
    shape = (4096,)
    nodes = [
        var("x", shape),
        var("k", shape, sid=7),
        op("add", ["x", "k"], shape, name="sum"),
        op("square", ["sum"], shape, sid=sid, name="y"),
    ]
    create = tvmgo.get_global_function("tvmgo.graph_program.create")
    module = create(json.dumps(document(nodes, ["y"])), None, *CPU)
    module["load_params"](memory)
    return module["create_state"]()


@pytest.mark.parametrize("shift", [0, 8])
def test_kernels_read_parameters_where_they_lie_if_they_can(shift):
    memory = in_memory(params_blob([("k", K)]), shift)
    state = loaded_from(memory)
    clone = tvmgo.graph_executor.GraphModule(state).clone().module
    x = np.ones(4096, "float32")
    np.testing.assert_array_equal(run(state, x=x)[0], (x + K) ** 2)
    memory[-K.nbytes :] = 0  # which nobody may do
    expected = x if shift == 0 else (x + K) ** 2
    for each in (state, clone):
        np.testing.assert_array_equal(run(each, x=x)[0], expected)


def test_parameters_where_operators_write_are_copied():
    memory = in_memory(params_blob([("k", K)]), 0)
    x = np.ones(4096, "float32")
    np.testing.assert_array_equal(run(loaded_from(memory, sid=7), x=x)[0], (x + K) ** 2)
    np.testing.assert_array_equal(memory[-K.nbytes :].view("float32"), K)


def test_a_few_parameters_that_are_aligned_by_chance_are_copied():
    memory = in_memory(params_blob([("k", K), ("large", np.zeros(3 * K.size, "float32"))]), 0)
    nodes = [var("k", K.shape), var("large", (3 * K.size,)), op("square", ["k"], K.shape, name="y")]
    create = tvmgo.get_global_function("tvmgo.graph_program.create")
    module = create(json.dumps(document(nodes, ["y"])), None, *CPU)
    module["load_params"](memory)
    memory[...] = 0
    np.testing.assert_array_equal(run(module["create_state"]())[0], K**2)


def test_tensors_that_hold_no_blob():
    module = program(params=WORKED_PARAMS)
    memory = np.frombuffer(WORKED_PARAMS * 2, "uint8").copy()
    for wrong in (memory[::2], memory[: len(WORKED_PARAMS) - 3], memory[:0]):
        with pytest.raises(ValueError):
            module["load_params"](wrong)
    expect(module["create_state"](), W)


def test_views_of_a_states_parameters_are_its_own():
    module = program(params=WORKED_PARAMS)
    states = [module["create_state"]() for _ in range(3)]
    views = [np.asarray(state["get_input"]("k0")) for state in states[:2]]
    assert address_of(views[0]) != address_of(views[1])
    views[0][...] = f32(10, 20)
    expect(states[0], f32(10, 20))
    for state in (*states[1:], module["create_state"]()):
        expect(state, W)


def test_states_of_one_program_run_while_it_loads():
    module = program(params=WORKED_PARAMS)
    values = [f32(i, -i) for i in range(8)]
    done, errors = threading.Event(), []

    def load():
        while not done.is_set():
            for value in values:
                module["load_params"](params_blob([("k0", value)]))

    def work():
        try:
            for _ in range(40):
                state = module["create_state"]()
                [y] = run(state, x=f32(100, 100))
                possible = [(f32(100, 100) + w) ** 2 for w in (W, *values)]
                assert any(np.array_equal(y, each) for each in possible)
        except BaseException as error:
            errors.append(error)

    loader = threading.Thread(target=load)
    workers = [threading.Thread(target=work) for _ in range(4)]
    for thread in (loader, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    loader.join()
    assert errors == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((WORKED_GRAPH, None), TypeError, "tvmgo.graph_program.create: .*at least 4, but it has 2"),
        (("{", None, *CPU), ValueError, "graph JSON"),
        ((1, None, *CPU), TypeError, r"argument 0 \(graph JSON\)"),
        ((WORKED_GRAPH, "lib", *CPU), TypeError, r"argument 1 \(library\)"),
    ],
)
def test_create_with_bad_arguments_raises(arguments, error, message):
    with pytest.raises(error, match=message):
        tvmgo.get_global_function("tvmgo.graph_program.create")(*arguments)


def test_functions_with_bad_arguments_raise():
    module = program()
    with pytest.raises(TypeError, match="create_state: expected 0 arguments, got 1"):
        module["create_state"](1)
    with pytest.raises(TypeError, match=r"load_params: argument 0 \(params\)"):
        module["load_params"](1)
