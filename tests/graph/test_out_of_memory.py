# SPDX-License-Identifier: Apache-2.0
"""What is left when memory runs out midway: all as it was. Each in a process that may take so much
and no more."""

import sys

import pytest

from tests.helpers import output_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of address space")

PRELUDE = """
    import contextlib, json, re, resource
    import numpy as np
    import tvmgo
    from tests.blobs import params_blob
    from tests.graphs import document, op, var

    COUNT, SIZE = 4, 4 << 20  # inputs, and the numbers in each: 16 MiB
    NAMES = [f"p{i}" for i in range(COUNT)]
    tvmgo.register_function(lambda *args: None, "test_ge.nothing")
    nodes = [*[var(name, (SIZE,)) for name in NAMES], op("nothing", NAMES, name="y")]
    graph = tvmgo.graph_executor.create(json.dumps(document(nodes, ["y"])), None)

    def values(first):
        return {name: np.full(SIZE, first + i, "float32") for i, name in enumerate(NAMES)}

    def expect(graph, first):
        for name, value in values(first).items():
            assert (graph.get_input(name).numpy() == value).all(), name

    @contextlib.contextmanager
    def room_for(inputs):
        now = 1024 * int(re.search(r"VmSize:\\s*(\\d+)", open("/proc/self/status").read())[1])
        limits = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (now + int(inputs * 4 * SIZE), limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limits)

    def fail(call, *args, **named):
        try:
            call(*args, **named)
        except MemoryError:
            return
        raise AssertionError("there was memory enough")
"""


def run(code):
    """Run it where the C library gives large pieces back at once, and keeps none for the next try."""
    output_of(PRELUDE + code, env={"MALLOC_MMAP_THRESHOLD_": "65536"})


@pytest.mark.parametrize("room", [0.5, 1.5, 2.5, 3.5])
def test_load_params_of_shared_parameters_is_all_or_nothing(room):
    run(f"""
    graph.load_params(params_blob(values(0).items()))
    twin = graph.clone()
    blob = params_blob(values(10).items())
    with room_for({room}):
        fail(twin.load_params, blob)
    objects = tvmgo.live_objects()
    with room_for({room}):
        fail(twin.load_params, blob)
    assert tvmgo.live_objects() == objects
    expect(graph.clone(), 0)
    expect(twin.clone(), 0)
    twin.load_params(blob)
    expect(twin, 10)
    expect(graph, 0)
    """)


@pytest.mark.parametrize("set_inputs", ["set_input", "run", "__call__"])
def test_inputs_that_lie_scattered_are_all_set_or_none(set_inputs):
    run(f"""
    graph.set_input(**values(0))
    given = values(10)
    for name in NAMES[1:]:
        scattered = np.zeros((SIZE, 2), "float32")[:, 0]
        scattered[:] = given[name]
        given[name] = scattered
    for room in (0.5, 1.5, 2.5):
        with room_for(room):
            fail(graph.{set_inputs}, **given)
        expect(graph, 0)
    graph.{set_inputs}(**given)
    expect(graph, 10)
    """)


def test_copies_of_lent_inputs_are_all_made_or_none():
    run("""
    graph.set_input(**values(0))
    graph.copy = "auto"
    given = {name: np.append(value, value[:1])[1:] for name, value in values(10).items()}
    for room in (0.5, 1.5, 3.5):
        with room_for(room):
            fail(graph.set_input_zero_copy, **given)
        expect(graph, 0)
    graph.set_input_zero_copy(**given)
    graph.run()
    expect(graph, 10)
    assert graph.copies == COUNT
    """)
