# SPDX-License-Identifier: Apache-2.0
"""The global table of functions: registering, finding, listing and removing."""

import functools
import gc
import inspect
import threading
import weakref

import pytest

import tvmgo
from tests.core.callables import BOUND, Callable, add
from tests.helpers import output_of


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
        (lambda: add, f"{add.__module__}.add"),
        (lambda: BOUND.method, f"{Callable.__module__}.Callable.method"),
        (lambda: Callable, f"{Callable.__module__}.Callable"),
        (lambda: functools.reduce, "_functools.reduce"),
        (lambda: functools.wraps(add)(lambda *args: 0), f"{add.__module__}.add"),
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
