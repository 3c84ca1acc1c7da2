# SPDX-License-Identifier: Apache-2.0
"""Misaligned tensors as arguments of functions of classic libraries, which want them aligned."""

import gc
import weakref

import numpy as np
import pytest

from tests.classic.arrays import ADDRESS, BITS, aligned, raised


@pytest.mark.parametrize("offset", [0, 4, 16, 32, 60])
def test_misaligned_tensors_compute(every, offset):
    x, y = aligned(np.arange(32), offset), aligned(np.zeros(32), (offset + 4) % 64)
    every["double_vectors"](x, y)
    assert y.tolist() == (2 * np.arange(32)).tolist()
    assert x.tolist() == np.arange(32).tolist()


@pytest.mark.parametrize("offset", [4, 60])
def test_library_sees_aligned_addresses(every, offset):
    assert every["tensor_fact"](aligned(np.arange(4), offset), ADDRESS) == 0
    assert every["tensor_fact"](aligned([True, False], offset, "bool"), BITS) == 1


def test_one_misaligned_array_twice_is_one_array(every):
    x = aligned(np.arange(4), 4)
    assert every["write_then_read"](x, x) == 7
    assert every["write_then_read"](x, x.reshape(2, 2)) == 7
    assert x.tolist() == [7, 1, 2, 3]


def test_a_copy_that_was_only_read_undoes_nothing(every):
    base = aligned(np.zeros(8))
    every["add"](base[1:5], base[2:6], base[0:4])  # the last is aligned, the others are not
    base[...] = np.arange(8)
    x = base[1:5]
    every["write_then_read"](base, x)  # writes base[0], reads a copy
    assert base.tolist() == [7, 1, 2, 3, 4, 5, 6, 7]
    every["write_then_read"](x, base[2:6])  # writes base[1] by a copy, reads another
    assert base.tolist() == [7, 7, 2, 3, 4, 5, 6, 7]


def test_overlapping_copies_both_keep_their_changes(every):
    base = aligned(np.arange(8))
    every["add"](base[1:3], base[1:3], base[2:4])
    assert base.tolist() == [0, 1, 2, 4, 4, 5, 6, 7]


def test_copy_of_a_call_that_fails_is_dropped(every):
    x = aligned(np.arange(4), 4)

    def fail(t):
        raise KeyError

    raised(every["write_then_call"], fail, x)
    assert x.tolist() == [0, 1, 2, 3]


def test_what_others_write_meanwhile_stays(every):
    x = aligned(np.arange(4), 4)
    every["write_then_call"](lambda t: x.__setitem__(1, 9), x)
    assert x.tolist() == [42, 9, 2, 3]


def test_arrays_of_several_sizes_at_one_misaligned_address(every):
    x, seen = aligned(np.arange(512), 4), []
    every["call"](lambda *views: seen.extend(np.array(view).tolist() for view in views), x[:2], x)
    assert seen == [[0, 1], list(range(512))]


def test_argument_of_an_outer_call_passed_on_by_an_inner_one(every):
    x, kept = aligned(np.arange(4)), []
    memory = weakref.ref(x.base)
    every["remember_then_call"](lambda: every["call_with_remembered"](kept.append), x)
    del x
    gc.collect()
    assert memory() is not None  # the argument itself, not only its memory
    assert np.asarray(kept[0]).tolist() == [0, 1, 2, 3]


def test_misaligned_tensor_in_a_callback_shows_what_the_library_wrote(every):
    x = aligned(np.arange(4), 4)
    seen = []
    every["write_then_call"](lambda t: seen.append(np.array(t)), x)
    assert seen[0].tolist() == [42, 1, 2, 3]
    assert x.tolist() == [42, 1, 2, 3]
