# SPDX-License-Identifier: Apache-2.0
"""``names``: the table of global functions."""

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved, python
from conformance.outcome import Observed, attempt, error_of
from conformance.world import callback, registered


def sort_of_list(fact, observed):
    """Same properties; how many there are, and in which order, depends on the runtime."""
    recorded = fact.outcome["value"]
    seen = observed.value
    found = [name for name in ("has_empty", "unique") if seen[name] != recorded[name]]
    return found + ([] if seen["count"] > 0 and seen["sorted"] else ["empty or unsorted"])


@executes("names.count", compare=sort_of_list)
def names(world, fact):
    names = tvmgo.list_global_functions()
    return {
        "count": len(names),
        "has_empty": "" in names,
        "sorted": names == sorted(names),
        "unique": len(set(names)) == len(names),
    }


# ---------------------------------------------------------------- default names


def top_level(*args):
    """Registered without a name."""


def qualified(fact, observed):
    """Go's package and function are Python's module and qualified name."""
    (go_name,) = fact.outcome["value"]
    package, _, function = go_name.partition(".")
    assert package == "main"
    wanted = {
        "topLevel": f"{__name__}.top_level",
        "regNames.func6": f"{__name__}.default_names.<locals>.<lambda>",
    }[function]
    return [] if observed.value == [wanted] else [f"{wanted} is {observed.value}"]


@executes("names.default.top_level", "names.default.closure", compare=qualified)
def default_names(world, fact):
    function = top_level if fact.case == "default.top_level" else lambda *args: None
    with registered(function) as added:
        return added


# ---------------------------------------------------------------- names of all kinds


@executes("names.twice")
def twice(world, fact):
    with registered(lambda: 1, "probe.n"):
        second = attempt(tvmgo.register_function, lambda: 2, "probe.n")
        found = attempt(tvmgo.get_global_function, "probe.n")
        called = found.value.invoke().as_int64()
    return Observed({"called": called, "e1": None, "e3": found.error}, second.error)


@executes("names.override_builtin")
def taken_by_runtime(world, fact):
    return tvmgo.register_function(lambda: 1, "runtime.NumThreads")


@executes("names.empty")
def empty_name(world, fact):
    with registered(lambda: 1, "") as added:
        found = attempt(tvmgo.get_global_function, "")
        return Observed(
            added == [""], extra={"get_err": found.error, "get_handle_null": found.value is None}
        )


@executes("names.utf8", "names.space")
def unusual_name(world, fact):
    name = "naïve.日本" if fact.case == "utf8" else " x y "
    with registered(lambda: 1, name) as added:
        return added == [name] and tvmgo.get_global_function(name)() == 1


@executes("names.nul")
def nul_in_name(world, fact):
    with registered(lambda: 1, "a\0b") as added:
        assert tvmgo.get_global_function("a\0b")() == 1
        assert error_of(tvmgo.get_global_function, "a") is not None
        return added


improved("names.nul", Gives(["a\0b"], r"listed and found as `a\0b`, and `a` is not found"))


# ---------------------------------------------------------------- what cannot be registered


@executes("names.name_not_string")
def name_no_text(world, fact):
    return tvmgo.register_function(lambda: 1, 5)


improved("names.name_not_string", Raises(TypeError, "name", "int"))


@executes("names.extra_args")
def extra_arguments(world, fact):
    with registered(lambda: 1, "probe.extra", 1, 2) as added:
        return bool(added)


python(
    "names.extra_args",
    Raises(TypeError, "arguments"),
    "An argument too many is an error of the program; ignoring it hides it.",
)


@executes("names.not_function")
def not_callable(world, fact):
    return tvmgo.register_function(5)


improved("names.not_function", Raises(TypeError, "callable", "int"))


@executes("names.no_args")
def nothing_to_register(world, fact):
    before = tvmgo.list_global_functions()
    decorator = tvmgo.register_function()
    return {
        "registered": tvmgo.list_global_functions() != before,
        "not_a_function": error_of(decorator, 5) is not None,
    }


improved(
    "names.no_args",
    Gives(
        {"registered": False, "not_a_function": True},
        "gives the decorator, which registers what it is put on",
    ),
    "gotvm panicked. Without a function it is a decorator in Python.",
)


@executes("names.typed_nil", "names.typed_nil.call")
def nil(world, fact):
    return tvmgo.register_function(None, "probe.nil")


improved("names.typed_nil*", Raises(TypeError, "callable", "NoneType"))


@executes("names.wrong_signature", "names.named_func_type", "names.Function_handle")
def other_callables(world, fact):
    class MyFunc:
        """``type MyFunc func(args ...*Value) (interface{}, error)``"""

        def __call__(self, number):
            return number + 1

    function = {
        "wrong_signature": lambda number: number + 1,
        "named_func_type": MyFunc(),
        "Function_handle": callback(lambda value: value.as_int64() + 1),
    }[fact.case]
    with registered(function, "probe.h"):
        return tvmgo.get_global_function("probe.h")(1)


for case in ("wrong_signature", "named_func_type", "Function_handle"):
    improved(
        f"names.{case}",
        Gives(2, "registered, found and called, as every callable"),
        "gotvm panicked unless the function was of one very type. Anything callable will do.",
    )
