# SPDX-License-Identifier: Apache-2.0
"""When two results of one model count as the same."""

import ml_dtypes
import numpy as np
import pytest

from tvmgo.compiler.verify.comparison import MORE_OUTLIERS, compare, distances

RANDOM = np.random.default_rng(0)


def noisy(values, part):
    return (values * (1 + part * RANDOM.standard_normal(values.shape))).astype(values.dtype)


def accepts(got, expected, spreads=(), **options):
    return compare(np.asarray(got), np.asarray(expected), spreads, **options)[1] is None


@pytest.mark.parametrize(
    ("dtype", "rounding", "fault"),
    [
        ("float64", 1e-13, 1e-6),
        ("float32", 1e-6, 1e-3),
        ("float16", 1e-3, 5e-2),
        (ml_dtypes.bfloat16, 1e-2, 3e-1),
        (ml_dtypes.float8_e4m3fn, 5e-2, 2.0),
        ("complex64", 1e-6, 1e-3),
    ],
)
def test_rounding_is_accepted_and_a_fault_is_not(dtype, rounding, fault):
    exact = RANDOM.uniform(1, 2, (4, 5))
    expected = exact.astype(dtype)
    assert accepts(noisy(exact, rounding).astype(dtype), expected)
    got = exact.copy()
    got[2, 3] *= 1 + fault
    difference = compare(got.astype(dtype), expected)[1]
    assert difference.place == (2, 3)
    assert (difference.wrong, difference.total) == (1, 20)
    assert difference.got == got.astype(dtype)[2, 3]
    assert difference.expected == expected[2, 3]
    assert difference.error > 1


def test_float64_that_float32_has_computed_is_held_to_that():
    """As of scikit-learn's support vector machines: what is cast to float64 has no more digits."""
    exact = RANDOM.uniform(0, 1, (4, 5))
    other = noisy(exact, 1e-6)
    short = exact.astype("float32").astype("float64")
    assert accepts(other, short)
    assert not accepts(other, exact)
    assert not accepts(short * (1 + 1e-3), short)
    whole = np.arange(20, dtype="float64")
    assert not accepts(whole * (1 + 1e-6), whole)


def test_small_numbers_are_held_to_their_own_size():
    expected = np.array([1000, 0.5], "float32")
    assert accepts(np.array([1000, 0.505], "float32"), expected)  # a sum with large terms
    assert not accepts(np.array([1000, 0.52], "float32"), expected)


def test_numbers_below_what_the_truth_can_say_are_zero():
    assert accepts(np.float32([1.1e-7, 0]), np.float32([6e-8, 0]))
    assert not accepts(np.float32([6e-7, 0]), np.float32([6e-8, 0]))
    assert not accepts(np.array([1.1e-7, 0]), np.array([6e-8, 0]))


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16])
def test_what_is_not_finite_is_at_the_same_places(dtype):
    expected = np.array([1, np.nan, np.inf, -np.inf]).astype(dtype)
    assert accepts(expected.copy(), expected)
    for index, wrong in [(0, np.nan), (0, np.inf), (1, 1), (2, 3e4), (2, np.nan), (3, np.inf)]:
        got = expected.copy()
        got[index] = wrong
        assert compare(got, expected)[1].place == (index,)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_integers_are_exact(dtype):
    limits = np.iinfo(dtype)
    expected = np.array([[0, limits.min], [limits.max, 3]], dtype)
    assert accepts(expected.copy(), expected)
    got = expected.copy()
    got[1, 1] = 4
    difference = compare(got, expected)[1]
    assert (difference.place, difference.error) == ((1, 1), np.inf)


def test_booleans_are_exact():
    assert accepts(np.array([True, False]), np.array([True, False]))
    assert not accepts(np.array([True, True]), np.array([True, False]))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
def test_quantised_integers_may_be_neighbours(dtype):
    expected = np.array([3, 5, 100], dtype)
    got = np.array([4, 4, 100], dtype)
    assert accepts(got, expected, quantised=True)
    assert not accepts(got, expected)
    assert not accepts(np.array([5, 5, 100], dtype), expected, quantised=True)


def test_indices_of_a_quantised_model_are_exact():
    assert not accepts(np.array([4]), np.array([3]), quantised=True)


def test_empty_outputs_and_scalars():
    assert accepts(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32"))
    assert accepts(np.float32(3), np.float32(3))
    assert compare(np.array(4), np.array(3))[1].place == ()


def test_index_that_rounding_decides_may_be_either():
    """Runs that were changed by as much as rounding find 3 or 7 there, and always 5 elsewhere."""
    expected = np.array([3, 5])
    spreads = [distances(np.array(run), expected) for run in ([3, 5], [7, 5], [7, 5], [3, 5])]
    assert accepts(np.array([7, 5]), expected, spreads)
    assert not accepts(np.array([7, 6]), expected, spreads)
    assert not accepts(np.array([7, 5]), expected)


def test_float_may_lie_as_far_as_changed_runs():
    expected = RANDOM.uniform(1, 2, 1000).astype("float32")
    spreads = [distances(noisy(expected, 1e-3), expected) for _ in range(6)]
    assert accepts(noisy(expected, 1e-3), expected, spreads)
    assert not accepts(noisy(expected, 1e-1), expected, spreads)


def test_as_many_may_lie_far_out_as_in_changed_runs():
    """One row in a hundred of a sorted output changes its place, in each run another."""
    expected = np.arange(1000)
    runs = []
    for _ in range(7):
        run = expected.copy()
        run[RANDOM.choice(1000, 10, replace=False)] += 500
        runs.append(run)
    spreads = [distances(run, expected) for run in runs]
    assert accepts(runs[0], expected, spreads[1:])
    got = expected.copy()
    got[: MORE_OUTLIERS * 12] += 500
    assert not accepts(got, expected, spreads)
    farther = runs[0].copy()
    farther[3] += 2000
    assert not accepts(farther, expected, spreads)


def test_output_whose_size_rounding_decides_cannot_be_held_to_anything():
    expected = np.arange(3)
    assert accepts(np.arange(3) + 1, expected, [distances(np.arange(4), expected)])
