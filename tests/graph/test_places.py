# SPDX-License-Identifier: Apache-2.0
"""Values that have their places in one block of memory."""

import numpy as np
import pytest

from tests.graph.executors import create, run
from tests.graphs import document, op, var

SIZE = 100  # float32 each: seven units of 64 bytes
UNITS = 7


def chain(places, **attrs):
    """The graph of -(((-x)**2) + x) + (-x)**2; places are those of its four operators' results."""
    nodes = [
        var("x", (SIZE,)),
        op("negate", ["x"], (SIZE,), name="a"),
        op("square", ["a"], (SIZE,), name="b"),
        op("add", ["b", "x"], (SIZE,), name="c"),
        op("negate", ["c"], (SIZE,), name="d"),
        op("add", ["d", "b"], (SIZE,), name="e"),
    ]
    return document(nodes, ["e"], tvmgo_place=["list_int", [-1, *places]], **attrs)


# a and c lie in the same place, as do b and no other, d and later e elsewhere.
PLACES = [0, UNITS, 0, 2 * UNITS, 0]


def truth(x):
    return -(x**2 + x) + x**2


def test_values_in_a_block_are_those_of_memory_of_their_own():
    x = np.linspace(-3, 3, SIZE, dtype="float32")
    (apart,) = run(create(chain([-1] * 5)), x=x)
    (placed,) = run(create(chain(PLACES)), x=x)
    np.testing.assert_array_equal(placed, apart)
    np.testing.assert_allclose(placed, truth(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("places", [PLACES, [UNITS, 0, UNITS, 2 * UNITS, UNITS]])
def test_state_has_the_block_and_no_more(places):
    counted = create(chain(places))["strict.count_bytes"]()
    assert int(counted[0]) == 3 * UNITS * 64 + 4 * SIZE  # and the input
    apart = create(chain([-1] * 5))["strict.count_bytes"]()
    assert int(apart[0]) == 6 * 4 * SIZE


def test_values_in_one_place_are_one_memory():
    """Both show what the last one to write there has left: the plan is followed."""
    graph = chain([0, UNITS, 0, 2 * UNITS, 3 * UNITS])
    graph["heads"] = [[1, 0, 0], [3, 0, 0]]  # a and c
    a, c = run(create(graph), x=np.ones(SIZE, "float32"))
    np.testing.assert_array_equal(a, c)
    assert a[0] == 2


def test_clones_have_blocks_of_their_own():
    graph = create(chain(PLACES))
    x = np.ones(SIZE, "float32")
    (first,) = run(graph, x=x)
    (second,) = run(graph["clone"](), x=2 * x)
    np.testing.assert_array_equal(first, truth(x))
    np.testing.assert_array_equal(second, truth(2 * x))
