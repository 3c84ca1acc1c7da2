# SPDX-License-Identifier: Apache-2.0
"""Functions: calling them, Python callables as functions, and the global table."""

import functools
import gc
import inspect
import operator
import sys
import threading
import weakref

import numpy as np
import pytest

import tvmgo
from tests.helpers import output_of


def add(x, y):
    return x + y


def refcount(x):
    gc.collect()
    return sys.getrefcount(x)


class Callable:
    """Has state, can be called, can be weakly referenced."""

    def __init__(self, answer=None):
        self.answer = answer
        self.calls = []

    def __call__(self, *args):
        self.calls.append(args)
        return self.answer

    def method(self, *args):
        return self(*args)


# ---------------------------------------------------------------- calling


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100, 1000, 10_000])
def test_call_passes_any_number_of_arguments(kernels, count):
    assert kernels["nargs"](*range(count)) == count
    assert kernels["sum_ints"](*range(count)) == sum(range(count))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10_000])
def test_call_of_a_callback_passes_any_number_of_arguments(count):
    assert tvmgo.convert_function(lambda *args: list(args))(*range(count)) == list(range(count))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10_000])
def test_invoke_passes_any_number_of_arguments(kernels, count):
    assert kernels["sum_ints"].invoke(*range(count)).as_int64() == sum(range(count))


def test_call_passes_arguments_in_order():
    assert tvmgo.convert_function(lambda *args: list(args))(3, 1, 2) == [3, 1, 2]


def test_call_of_a_function_without_result_returns_none(kernels):
    assert kernels["sleep_us"](0) is None


def test_dunder_call_is_a_call(kernels):
    assert kernels["sum_ints"].__call__(1, 2) == 3


def test_function_is_callable(kernels):
    assert callable(kernels["nargs"])


def test_function_works_with_partial_and_map(kernels):
    assert functools.partial(kernels["sum_ints"], 1, 2)(3) == 6
    assert list(map(kernels["sum_ints"], [1, 2], [10, 20])) == [11, 22]


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f(x=1),
        lambda f: f(1, x=1),
        lambda f: f(**{"": 1}),
        lambda f: f.__call__(x=1),
        lambda f: f.invoke(x=1),
        lambda f: functools.partial(f, x=1)(),
    ],
    ids=["call", "mixed", "empty name", "dunder", "invoke", "partial"],
)
def test_keyword_arguments_raise_type_error(kernels, call):
    with pytest.raises(TypeError, match="keyword"):
        call(kernels["nargs"])


def test_empty_keywords_are_fine(kernels):
    assert kernels["nargs"](*()) == 0


def test_failed_call_frees_its_arguments(kernels):
    x = np.zeros(3)
    before = sys.getrefcount(x)
    for _ in range(10):
        with pytest.raises(TypeError):
            kernels["nargs"](x, [x], object())
    assert sys.getrefcount(x) == before


def test_equal_functions_are_found_in_a_set(kernels):
    f = tvmgo.get_global_function("ffi.Array")
    assert f in {tvmgo.get_global_function("ffi.Array")}


def test_function_repr_says_what_it_is(kernels):
    assert repr(kernels["nargs"]).startswith("<tvmgo.Function ")


# ---------------------------------------------------------------- invoke and Values


def test_invoke_returns_a_value(kernels):
    assert type(kernels["sum_ints"].invoke(1, 2)) is tvmgo.Value


def test_invoke_without_a_result_returns_a_value_of_null(kernels):
    assert kernels["sleep_us"].invoke(0).type_code == 4


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_invoke_with_a_list_of_values_spreads_it(kernels, count):
    assert kernels["sum_ints"].invoke([tvmgo.Value(i) for i in range(count)]).as_int64() == sum(
        range(count)
    )


@pytest.mark.parametrize(
    "mix",
    [
        lambda values: (values, 1),
        lambda values: (1, values),
        lambda values: (values, values),
        lambda values: (values, tvmgo.Value(1)),
        lambda values: (values, None),
    ],
    ids=["before", "after", "two lists", "a value", "None"],
)
def test_invoke_with_a_list_of_values_and_more_raises_type_error(mix):
    function = Callable()
    with pytest.raises(TypeError, match="cannot be mixed"):
        tvmgo.convert_function(function).invoke(*mix([tvmgo.Value(1)]))
    assert function.calls == []


def test_invoke_with_values_beside_plain_arguments_is_fine(kernels):
    assert kernels["sum_ints"].invoke(1, tvmgo.Value(2), 3).as_int64() == 6


@pytest.mark.parametrize(
    "arguments",
    [([1, 2],), ([1, tvmgo.Value(2)],), ((tvmgo.Value(1),),), ({"a": tvmgo.Value(1)},)],
    ids=["plain list", "mixed list", "tuple", "dict"],
)
def test_invoke_with_another_container_passes_it_as_one_argument(kernels, arguments):
    assert kernels["nargs"].invoke(*arguments).as_int64() == 1


def test_plain_call_with_a_list_of_values_passes_it_as_one_argument(kernels):
    assert kernels["nargs"]([tvmgo.Value(1), tvmgo.Value(2)]) == 1


def test_forwarding_an_invoke_result_keeps_it(kernels):
    result = kernels["make_text"].invoke(20, 1)
    assert kernels["echo"].invoke(result).as_bytes() == bytes(range(20))
    assert result.as_bytes() == bytes(range(20))


# ---------------------------------------------------------------- callables as functions


BOUND = Callable("bound")


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


@pytest.mark.parametrize("x", [None, 5, "text", [], object()], ids=repr)
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


def test_callback_may_drop_its_own_function():
    holder = {}

    def drop():
        holder.clear()
        gc.collect()
        return "still running"

    holder["f"] = tvmgo.convert_function(drop)
    assert holder["f"]() == "still running"
    assert holder == {}


# ---------------------------------------------------------------- the global table


def test_list_global_functions_is_sorted_and_unique():
    names = tvmgo.list_global_functions()
    assert names == sorted(set(names))
    assert "ffi.Array" in names


def test_list_global_functions_loads_the_runtime():
    assert (
        output_of("""
        import tvmgo
        print("runtime.NumThreads" in tvmgo.list_global_functions())
    """)
        == "True\n"
    )


def test_every_listed_function_can_be_got():
    assert all(
        type(tvmgo.get_global_function(name)) is tvmgo.Function
        for name in tvmgo.list_global_functions()
    )


def test_get_global_function_finds_the_runtimes():
    assert tvmgo.get_global_function("runtime.NumThreads")() >= 1


def test_get_global_function_of_one_name_twice_gives_equal_functions():
    assert tvmgo.get_global_function("ffi.Array") == tvmgo.get_global_function("ffi.Array")


@pytest.mark.parametrize(
    "name, near",
    [
        ("ffi.Arrayy", "ffi.Array"),
        ("runtime.numthreads", "runtime.NumThreads"),
        ("ffi.Modul.load_from_file.so", "ffi.Module.load_from_file.so"),
    ],
)
def test_get_global_function_of_a_missing_name_suggests_near_ones(name, near):
    with pytest.raises(KeyError, match=f"{name!r}; did you mean .*{near!r}") as caught:
        tvmgo.get_global_function(name)
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "name",
    ["", " ", "no such function anywhere 12345", "ffi.Array\0", "\0", "größer als alles", "\udcff"],
    ids=repr,
)
def test_get_global_function_of_a_missing_name_raises_key_error(name):
    with pytest.raises(KeyError) as caught:
        tvmgo.get_global_function(name)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_get_global_function_of_a_name_near_none_suggests_nothing():
    with pytest.raises(KeyError) as caught:
        tvmgo.get_global_function("@@@@@@@@@@@@")
    assert "did you mean" not in str(caught.value)


NOT_NAMES = [None, 5, b"ffi.Array", ["ffi.Array"], object()]


@pytest.mark.parametrize("name", NOT_NAMES, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize(
    "function",
    [
        tvmgo.get_global_function,
        tvmgo.remove_global_function,
        lambda name: (
            tvmgo.register_function(add, name)
            if name is not None
            else tvmgo.get_global_function(name)
        ),
    ],
    ids=["get", "remove", "register"],
)
def test_name_that_is_no_str_raises_type_error(function, name):
    with pytest.raises(TypeError, match="name: expected a str"):
        function(name)


def test_get_global_function_without_a_name_raises_type_error():
    with pytest.raises(TypeError):
        tvmgo.get_global_function()


def test_register_function_makes_it_global(global_name):
    assert tvmgo.register_function(add, global_name) is add
    assert tvmgo.get_global_function(global_name)(1, 2) == 3
    assert global_name in tvmgo.list_global_functions()


def test_register_function_by_keyword_makes_it_global(global_name):
    tvmgo.register_function(f=add, name=global_name)
    assert tvmgo.get_global_function(global_name)(1, 2) == 3


def test_register_function_as_decorator_with_a_name_returns_the_function(global_name):
    @tvmgo.register_function(global_name)
    def decorated(x):
        return x + 1

    assert inspect.isfunction(decorated)
    assert tvmgo.get_global_function(global_name)(1) == 2


def test_register_function_as_decorator_with_keywords_returns_the_function(global_name):
    @tvmgo.register_function(name=global_name, override=True, values=True)
    def decorated(x):
        return x.as_int64() + 1

    assert inspect.isfunction(decorated)
    assert tvmgo.get_global_function(global_name)(1) == 2


def test_register_function_as_bare_decorator_uses_module_and_qualname():
    @tvmgo.register_function
    def decorated():
        return 5

    name = (
        f"{__name__}.test_register_function_as_bare_decorator_uses_module_and_qualname"
        ".<locals>.decorated"
    )
    try:
        assert tvmgo.get_global_function(name)() == 5
    finally:
        tvmgo.remove_global_function(name)


def test_register_function_as_called_decorator_uses_module_and_qualname():
    @tvmgo.register_function()
    def decorated():
        return 5

    name = f"{__name__}.{decorated.__qualname__}"
    try:
        assert tvmgo.get_global_function(name)() == 5
    finally:
        tvmgo.remove_global_function(name)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: add, f"{__name__}.add"),
        (lambda: BOUND.method, f"{__name__}.Callable.method"),
        (lambda: Callable, f"{__name__}.Callable"),
        (lambda: functools.reduce, "_functools.reduce"),
        (lambda: functools.wraps(add)(lambda *args: 0), f"{__name__}.add"),
    ],
    ids=["function", "method", "class", "builtin", "wrapped"],
)
def test_register_function_without_a_name_uses_module_and_qualname(make, name):
    tvmgo.register_function(make())
    try:
        assert name in tvmgo.list_global_functions()
    finally:
        tvmgo.remove_global_function(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: functools.partial(add, 1),
        Callable,
        lambda: "a".split,
        lambda: [].append,
        lambda: tvmgo.get_global_function("ffi.Array"),
    ],
    ids=["partial", "object", "str method", "list method", "Function"],
)
def test_register_function_of_something_without_a_name_raises_value_error(make):
    before = tvmgo.list_global_functions()
    with pytest.raises(ValueError, match="no name of its own"):
        tvmgo.register_function(make())
    assert tvmgo.list_global_functions() == before


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "with space",
        "größer",
        "🎉",
        "nul\0inside",
        "\0",
        "nul\0",
        "x" * 10_000,
        "surrogate \udcff",
        "a.b.c",
        "%s",
    ],
    ids=lambda name: repr(name)[:20],
)
def test_register_function_takes_any_str_as_a_name(name):
    tvmgo.register_function(lambda: "found", name)
    try:
        assert tvmgo.get_global_function(name)() == "found"
        assert name in tvmgo.list_global_functions()
    finally:
        tvmgo.remove_global_function(name)
    assert name not in tvmgo.list_global_functions()


def test_names_that_differ_after_a_nul_are_two_names():
    tvmgo.register_function(lambda: 1, "tests.nul\0a")
    tvmgo.register_function(lambda: 2, "tests.nul\0b")
    try:
        assert [tvmgo.get_global_function(f"tests.nul\0{c}")() for c in "ab"] == [1, 2]
    finally:
        tvmgo.remove_global_function("tests.nul\0a")
        tvmgo.remove_global_function("tests.nul\0b")


def test_register_function_of_a_taken_name_raises_and_keeps_the_first(global_name):
    tvmgo.register_function(lambda: "first", global_name)
    with pytest.raises(ValueError, match=f"{global_name}.*already registered.*override") as caught:
        tvmgo.register_function(lambda: "second", global_name)
    assert isinstance(caught.value, tvmgo.TVMError)
    assert tvmgo.get_global_function(global_name)() == "first"


def test_register_function_of_a_builtins_name_raises_and_keeps_it():
    with pytest.raises(ValueError, match="already registered"):
        tvmgo.register_function(add, "ffi.Array")
    assert tvmgo.get_global_function("ffi.Array")(1) == [1]


def test_register_function_that_is_refused_frees_the_callable(global_name):
    tvmgo.register_function(lambda: "first", global_name)
    reference = weakref.ref(target := Callable())
    with pytest.raises(ValueError):
        tvmgo.register_function(target, global_name)
    del target
    gc.collect()
    assert reference() is None


def test_register_function_with_override_replaces(global_name):
    tvmgo.register_function(lambda: "first", global_name)
    tvmgo.register_function(lambda: "second", global_name, override=True)
    assert tvmgo.get_global_function(global_name)() == "second"


def test_register_function_with_override_of_a_free_name_registers(global_name):
    tvmgo.register_function(lambda: "first", global_name, override=True)
    assert tvmgo.get_global_function(global_name)() == "first"


def test_register_function_with_override_frees_the_replaced_callable(global_name):
    reference = weakref.ref(target := Callable())
    tvmgo.register_function(target, global_name)
    del target
    assert reference() is not None
    tvmgo.register_function(add, global_name, override=True)
    assert reference() is None


def test_function_got_before_an_override_goes_on_working(global_name):
    tvmgo.register_function(lambda: "first", global_name)
    function = tvmgo.get_global_function(global_name)
    tvmgo.register_function(lambda: "second", global_name, override=True)
    assert function() == "first"


def test_register_function_with_values_calls_with_values(global_name):
    tvmgo.register_function(lambda x: x.type_code, global_name, values=True)
    assert tvmgo.get_global_function(global_name)("text") == 11


def test_register_function_of_a_function_registers_the_same(global_name, kernels):
    function = kernels["sum_ints"]
    tvmgo.register_function(function, global_name)
    assert tvmgo.get_global_function(global_name) == function


@pytest.mark.parametrize("f", [5, [], object()], ids=lambda x: type(x).__name__)
def test_register_function_of_something_else_raises_type_error(f, global_name):
    with pytest.raises(TypeError, match="f: expected a callable"):
        tvmgo.register_function(f, global_name)


def test_register_function_with_two_names_raises_type_error(global_name):
    with pytest.raises(TypeError):
        tvmgo.register_function(global_name, global_name)


def test_register_function_with_override_by_position_raises_type_error(global_name):
    with pytest.raises(TypeError):
        tvmgo.register_function(add, global_name, True)


def test_remove_global_function_takes_it_out(global_name):
    tvmgo.register_function(add, global_name)
    tvmgo.remove_global_function(global_name)
    assert global_name not in tvmgo.list_global_functions()
    with pytest.raises(KeyError):
        tvmgo.get_global_function(global_name)


def test_remove_global_function_frees_the_callable(global_name):
    reference = weakref.ref(target := Callable())
    tvmgo.register_function(target, global_name)
    del target
    tvmgo.remove_global_function(global_name)
    assert reference() is None


def test_function_got_before_the_removal_goes_on_working(global_name):
    tvmgo.register_function(lambda: "first", global_name)
    function = tvmgo.get_global_function(global_name)
    tvmgo.remove_global_function(global_name)
    assert function() == "first"


@pytest.mark.parametrize("name", ["tests.no such function", "", "ffi.Array\0"], ids=repr)
def test_remove_global_function_of_a_missing_name_raises_key_error(name):
    with pytest.raises(KeyError) as caught:
        tvmgo.remove_global_function(name)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_name_removed_can_be_registered_again(global_name):
    for answer in ("first", "second"):
        tvmgo.register_function(lambda answer=answer: answer, global_name)
        assert tvmgo.get_global_function(global_name)() == answer
        tvmgo.remove_global_function(global_name)


def test_callback_may_remove_itself(global_name):
    def remove():
        tvmgo.remove_global_function(global_name)
        return "removed"

    tvmgo.register_function(remove, global_name)
    assert tvmgo.get_global_function(global_name)() == "removed"


def test_global_function_can_be_called_from_another_thread(global_name):
    tvmgo.register_function(add, global_name)
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(tvmgo.get_global_function(global_name)(1, 2))
    )
    thread.start()
    thread.join()
    assert answers == [3]
