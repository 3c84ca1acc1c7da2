# SPDX-License-Identifier: Apache-2.0
"""Python callables as functions: every kind, closures, and how long each lives."""

import functools
import gc
import operator
import sys
import weakref

import numpy as np
import pytest

import tvmgo
from tests.core.callables import BOUND, Callable, add
from tests.helpers import name_of

# ---------------------------------------------------------------- callables as functions


@pytest.mark.parametrize(
    "make, arguments, expected",
    [
        (lambda: add, (1, 2), 3),
        (lambda: lambda x: x * 2, (4,), 8),
        (lambda: BOUND.method, (1,), "bound"),
        (lambda: Callable(7), (1, 2, 3), 7),
        (lambda: functools.partial(add, 10), (5,), 15),
        (lambda: len, ([1, 2],), 2),
        (lambda: "a,b".split, (",",), ["a", "b"]),
        (lambda: int, ("12",), 12),
        (lambda: operator.itemgetter(1), ([5, 6],), 6),
        (lambda: (x for x in [1, 2]).__next__, (), 1),
        (lambda: staticmethod(add), (1, 2), 3),
        (lambda: functools.lru_cache(add), (1, 2), 3),
    ],
    ids=[
        "function",
        "lambda",
        "bound method",
        "object",
        "partial",
        "builtin",
        "builtin method",
        "class",
        "itemgetter",
        "slot",
        "staticmethod",
        "lru_cache",
    ],
)
@pytest.mark.parametrize("through", ["convert", "argument", "kernel"])
def test_every_callable_becomes_a_function(kernels, make, arguments, expected, through):
    if through == "convert":
        assert tvmgo.convert_function(make())(*arguments) == expected
    elif through == "argument":
        assert tvmgo.convert_function(lambda f, *args: f(*args))(make(), *arguments) == expected
    else:
        assert kernels["forward"](make(), *arguments) == expected


@pytest.mark.parametrize("x", [None, 5, "text", [], object()], ids=name_of)
def test_convert_function_of_something_else_raises_type_error(x):
    with pytest.raises(TypeError, match="f: expected a callable"):
        tvmgo.convert_function(x)


def test_convert_function_of_a_function_returns_it(kernels):
    function = kernels["nargs"]
    assert tvmgo.convert_function(function) is function


def test_convert_function_registers_nothing():
    before = tvmgo.list_global_functions()
    function = tvmgo.convert_function(add)
    assert tvmgo.list_global_functions() == before
    del function


def test_callback_receives_plain_python_objects():
    received = []
    tvmgo.convert_function(lambda *args: received.extend(args))(
        1, 2.5, "text", b"bytes", None, True, [1]
    )
    assert received == [1, 2.5, "text", b"bytes", None, True, [1]]
    assert [type(x) for x in received] == [int, float, str, bytes, type(None), bool, list]


def test_callback_with_values_receives_values(kernels):
    received = []
    function = tvmgo.convert_function(lambda *args: received.extend(args), values=True)
    function(1, 2.5, "text", b"bytes", None, add, kernels, np.zeros(1))
    assert [type(x) for x in received] == [tvmgo.Value] * 8
    assert [x.type_code for x in received] == [0, 2, 11, 12, 4, 10, 9, 7]


def test_callback_with_values_may_return_a_value():
    function = tvmgo.convert_function(
        lambda x, y: tvmgo.Value(x.as_int64() + y.as_int64()), values=True
    )
    assert function(1, 2) == 3
    assert function.invoke(1, 2).as_int64() == 3


def test_callback_with_values_may_return_its_argument():
    assert tvmgo.convert_function(lambda x: x, values=True)("a longer text") == "a longer text"


@pytest.mark.parametrize(
    "answer", [None, 5, 2.5, "text", b"bytes", [1, "two"], {"a": 1}, True, 2**70], ids=repr
)
def test_callback_result_comes_back(answer):
    assert tvmgo.convert_function(lambda: answer)() == answer


def test_callback_that_returns_an_object_gives_it(kernels):
    array = tvmgo.empty(3)
    for x in (array, kernels, kernels["nargs"]):
        assert tvmgo.convert_function(lambda x=x: x)() == x
    del x


def test_callback_that_takes_other_arguments_raises_pythons_type_error():
    with pytest.raises(TypeError, match="positional argument"):
        tvmgo.convert_function(lambda x: x)(1, 2)


# ---------------------------------------------------------------- closures


def test_closure_as_argument_captures_its_variables():
    captured = []

    def apply(function, x):
        return function(x)

    offset = 10
    assert tvmgo.convert_function(apply)(lambda x: (captured.append(x), x + offset)[1], 5) == 15
    assert captured == [5]


def test_closure_as_result_captures_its_variables():
    def adder(offset):
        return lambda x: x + offset

    make = tvmgo.convert_function(adder)
    add_10, add_20 = make(10), make(20)
    assert type(add_10) is tvmgo.Function
    assert (add_10(1), add_20(1)) == (11, 21)


def test_closures_three_levels_deep_return_each_other():
    make = tvmgo.convert_function(lambda x: lambda y: lambda z: [x, y, z])
    assert make(1)(2)(3) == [1, 2, 3]


def test_closure_shares_its_state_between_calls():
    state = {"count": 0}

    def count():
        state["count"] += 1
        return state["count"]

    function = tvmgo.convert_function(count)
    assert [function() for _ in range(3)] == [1, 2, 3]
    assert state["count"] == 3


def test_function_received_by_a_callback_outlives_the_call():
    kept = []
    tvmgo.convert_function(kept.append)(lambda x: x + 1)
    assert kept[0](1) == 2


@pytest.mark.parametrize("depth", [1, 10, 200])
def test_callbacks_call_each_other_so_deep(depth):
    def descend(n):
        return n if n == depth else function(n + 1)

    function = tvmgo.convert_function(descend)
    try:
        assert function(0) == depth
    finally:
        del function


@pytest.mark.parametrize("depth", [1, 10, 200])
def test_callbacks_and_kernels_call_each_other_so_deep(kernels, depth):
    forward = kernels["forward"]

    def descend(n):
        return n if n == depth else forward(descend, n + 1)

    assert forward(descend, 0) == depth


# ---------------------------------------------------------------- lifetimes


def refcount(x):
    gc.collect()
    return sys.getrefcount(x)


def test_callable_is_kept_alive_by_its_function():
    reference = weakref.ref(target := Callable(5))
    function = tvmgo.convert_function(target)
    del target
    gc.collect()
    assert function() == 5
    del function
    assert reference() is None


def test_callable_passed_as_argument_is_freed_after_the_call(kernels):
    reference = weakref.ref(target := Callable(5))
    assert kernels["forward"](target) == 5
    del target
    assert reference() is None


def test_callable_kept_by_native_code_lives_until_it_is_dropped(kernels):
    reference = weakref.ref(target := Callable(5))
    kernels["keep"](target)
    del target
    gc.collect()
    assert kernels["call_kept"](1) == 5
    kernels["drop"]()
    assert reference() is None


def test_callable_dropped_by_another_thread_is_freed(kernels):
    reference = weakref.ref(target := Callable(5))
    kernels["keep"](target)
    del target
    kernels["drop_in_new_thread"]()
    assert reference() is None


def test_bound_method_keeps_its_object_alive():
    reference = weakref.ref(target := Callable(5))
    function = tvmgo.convert_function(target.method)
    del target
    assert function() == 5
    del function
    assert reference() is None


def test_callable_in_a_list_is_freed_with_it():
    reference = weakref.ref(target := Callable(5))
    value = tvmgo.Value([target, {"again": target}])
    del target
    gc.collect()
    assert reference() is not None
    del value
    assert reference() is None


@pytest.mark.parametrize("values", [False, True], ids=["plain", "values"])
def test_callback_arguments_and_result_are_freed(values):
    result = Callable()
    argument = Callable()
    before = refcount(result), refcount(argument)
    function = tvmgo.convert_function(lambda x: result, values=values)
    for _ in range(10):
        function(argument)
    del function
    assert (refcount(result), refcount(argument)) == before


@pytest.mark.parametrize("values", [False, True])
def test_object_that_holds_a_function_of_its_own_method_is_collected(values):
    class Owner:
        def __init__(self):
            self.function = tvmgo.convert_function(self.method, values=values)

        def method(self):
            return 5

    owner = Owner()
    assert owner.function() == 5
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("values", [False, True])
def test_object_whose_method_the_runtime_can_call_is_not_collected(values, global_name):
    class Owner:
        def __init__(self):
            self.answer = 5
            self.function = tvmgo.convert_function(self.method, values=values)

        def method(self):
            return self.answer

    owner = Owner()
    tvmgo.register_function(owner.function, global_name)
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is not None
    assert tvmgo.get_global_function(global_name)() == 5
    tvmgo.remove_global_function(global_name)
    gc.collect()
    assert reference() is None


# ---------------------------------------------------------------- functions that come back


def from_table(function, name, _kernels):
    tvmgo.register_function(function, name)
    found = tvmgo.get_global_function(name)
    tvmgo.remove_global_function(name)
    return found


@pytest.fixture(
    params=[
        from_table,
        lambda function, _name, kernels: kernels["echo"](function),
        lambda function, _name, kernels: kernels["echo"]([function])[0],
        lambda function, _name, _kernels: tvmgo.Value(function).as_function(),
        lambda function, _name, _kernels: tvmgo.convert_function(
            tvmgo.convert_function(function).__tvm_ffi_object__()
        ),
    ],
    ids=["table", "result", "item of a result", "value", "tvm_ffi"],
)
def come_back(request, global_name, kernels):
    """Every way in which the function made of a callable may come back as another Function."""
    return lambda function: request.param(function, global_name, kernels)


def test_callback_that_came_back_is_called_without_the_runtime(come_back):
    x = tvmgo.empty(3)
    assert come_back(lambda *args: args[1])(1, x, "text") is x  # a wrapper of its own otherwise


def test_callback_that_came_back_gets_arguments_as_any_function_does(come_back):
    function = Callable()
    come_back(function)([1], (2, 3), np.float32(4), np.int8(5), bytearray(b"6"), True, None)
    assert function.calls == [([1], [2, 3], 4.0, 5, b"6", True, None)]
    assert list(map(type, function.calls[0][2:5])) == [float, int, bytes]


def test_callback_that_came_back_converts_its_result(come_back):
    assert come_back(lambda: (1, [2]))() == [1, [2]]
    with pytest.raises(TypeError, match="^the return value of the callback: "):
        come_back(lambda: object())()


def test_exception_of_a_callback_that_came_back_is_the_same_object(come_back):
    error = LookupError("this one")

    def fail():
        raise error

    with pytest.raises(LookupError) as caught:
        come_back(fail)()
    assert caught.value is error
    assert [entry.name for entry in caught.traceback][-1] == "fail"


def test_callback_that_came_back_refuses_keywords(come_back):
    with pytest.raises(TypeError, match="no keyword"):
        come_back(Callable())(x=1)


def test_callback_that_came_back_and_calls_itself_for_ever_raises(come_back):
    holder = {}
    holder["f"] = come_back(lambda: holder["f"]())
    with pytest.raises(RecursionError):
        holder["f"]()
    holder.clear()


def test_callback_of_values_that_came_back_gets_values(come_back):
    kinds = []
    function = tvmgo.convert_function(lambda *args: kinds.extend(map(type, args)), values=True)
    come_back(function)(1, "a")
    assert kinds == [tvmgo.Value, tvmgo.Value]


@pytest.mark.parametrize("values", [False, True])
def test_callback_that_came_back_keeps_its_callable_and_lets_it_go(come_back, values):
    reference = weakref.ref(target := Callable(5))
    function = come_back(tvmgo.convert_function(target, values=values))
    del target
    gc.collect()
    assert function() == 5
    del function
    assert reference() is None


@pytest.mark.parametrize("values", [False, True])
def test_object_that_holds_what_came_back_of_its_own_method_is_collected(come_back, values):
    class Owner:
        def method(self):
            return 5

    owner = Owner()
    owner.function = come_back(tvmgo.convert_function(owner.method, values=values))
    assert owner.function() == 5
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    assert reference() is None


def test_callback_may_drop_its_own_function():
    holder = {}

    def drop():
        holder.clear()
        gc.collect()
        return "still running"

    holder["f"] = tvmgo.convert_function(drop)
    assert holder["f"]() == "still running"
    assert holder == {}
