# SPDX-License-Identifier: Apache-2.0
"""The owned reference: counting, identity, and objects tvmgo has no class for."""

import gc
import sys
import weakref

import numpy as np
import pytest

import tvmgo
from tests.helpers import name_of


def make_classless():
    """Return a runtime object of a type tvmgo does not know."""
    return tvmgo.get_global_function("ffi.GetInvalidObject")()


def test_live_objects_names_the_kinds_it_counts():
    assert set(tvmgo.live_objects()) == {"handles", "callbacks", "buffers"}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: tvmgo.empty(4), id="array"),
        pytest.param(lambda: tvmgo.Value("text"), id="value"),
        pytest.param(lambda: tvmgo.get_global_function("ffi.Array"), id="function"),
        pytest.param(make_classless, id="object"),
    ],
)
def test_live_objects_counts_a_handle_while_it_lives(live_objects, make):
    thing = make()
    assert tvmgo.live_objects()["handles"] == live_objects["handles"] + 1
    del thing
    assert tvmgo.live_objects() == live_objects


def test_live_objects_counts_a_module_while_it_lives(kernels_path, kernels):
    before = tvmgo.live_objects()["handles"]
    module = tvmgo.load_module(kernels_path)
    assert tvmgo.live_objects()["handles"] == before + 1
    del module
    assert tvmgo.live_objects()["handles"] == before


def test_live_objects_counts_a_callback_while_the_runtime_can_call_it(live_objects):
    function = tvmgo.convert_function(lambda: None)
    assert tvmgo.live_objects()["callbacks"] == live_objects["callbacks"] + 1
    del function
    assert tvmgo.live_objects()["callbacks"] == live_objects["callbacks"]


def test_live_objects_counts_a_lent_ndarray_while_it_is_lent(live_objects):
    shared = tvmgo.from_dlpack(np.zeros(3))
    assert tvmgo.live_objects()["buffers"] == live_objects["buffers"] + 1
    del shared
    assert tvmgo.live_objects()["buffers"] == live_objects["buffers"]


def test_live_objects_result_is_a_copy():
    tvmgo.live_objects().clear()
    assert tvmgo.live_objects()["handles"] >= 0


def test_eq_of_two_wrappers_of_one_object_holds():
    array = tvmgo.empty(2)
    assert tvmgo.Value(array).as_array() == array


def test_hash_of_two_wrappers_of_one_object_agrees():
    array = tvmgo.empty(2)
    assert hash(tvmgo.Value(array).as_array()) == hash(array)


def test_eq_of_two_objects_fails():
    assert tvmgo.empty(2) != tvmgo.empty(2)


@pytest.mark.parametrize("other", [None, 0, "text", object()], ids=name_of)
def test_eq_with_something_else_is_false(other):
    assert not tvmgo.empty(2) == other


def test_eq_leaves_the_answer_to_the_other_operand():
    class Anything:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert tvmgo.empty(2) == Anything()


def test_repr_of_a_classless_object_names_the_runtimes_type():
    assert repr(make_classless()).startswith("<tvmgo.Object ffi.Object at 0x")


def test_classless_object_passed_on_comes_back_as_the_same():
    classless = make_classless()
    assert tvmgo.convert_function(lambda x: x)(classless) == classless


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: tvmgo.empty(4), id="array"),
        pytest.param(lambda: tvmgo.get_global_function("ffi.Array"), id="function"),
        pytest.param(make_classless, id="object"),
    ],
)
def test_weakref_dies_with_the_wrapper(make):
    thing = make()
    reference = weakref.ref(thing)
    assert reference() is thing
    del thing
    assert reference() is None


def test_wrapper_is_freed_without_the_collector():
    gc.disable()
    try:
        before = tvmgo.live_objects()["handles"]
        for _ in range(100):
            tvmgo.empty(4)
        assert tvmgo.live_objects()["handles"] == before
    finally:
        gc.enable()


def test_reference_count_of_a_wrapper_is_one():
    array = tvmgo.empty(4)
    assert sys.getrefcount(array) == 2  # the variable and the argument
