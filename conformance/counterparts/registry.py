# SPDX-License-Identifier: Apache-2.0
"""``names``: the table of global functions."""

import tvmgo
from conformance.catalogue import counterpart
from conformance.library import callback, registered
from conformance.outcome import Observed, attempt, error_of


def sort_of_list(fact, observed):
    """Same properties; how many there are, and in which order, depends on the runtime."""
    recorded, seen = fact.outcome["value"], observed.value
    if not seen:
        return [f"no list: {observed}"]
    found = [name for name in ("has_empty", "unique") if seen[name] != recorded[name]]
    return found + ([] if seen["count"] > 0 and seen["sorted"] else ["empty or unsorted"])


@counterpart("names.count", compare=sort_of_list)
def names():
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


@counterpart("names.default.top_level", "names.default.closure", compare=qualified)
def default_names(fact):
    function = top_level if fact.case == "default.top_level" else lambda *args: None
    with registered(function) as added:
        return added


# ---------------------------------------------------------------- names of all kinds


@counterpart("names.twice")
def twice():
    with registered(lambda: 1, "probe.n"):
        second = attempt(tvmgo.register_function, lambda: 2, "probe.n")
        found = attempt(tvmgo.get_global_function, "probe.n")
        called = found.value.invoke().as_int64()
    return Observed({"called": called, "e1": None, "e3": found.error}, second.error)


@counterpart("names.override_builtin")
def taken_by_runtime():
    return tvmgo.register_function(lambda: 1, "runtime.NumThreads")


@counterpart("names.empty")
def empty_name():
    with registered(lambda: 1, "") as added:
        found = attempt(tvmgo.get_global_function, "")
        return Observed(
            added == [""], extra={"get_err": found.error, "get_handle_null": found.value is None}
        )


@counterpart("names.utf8", "names.space")
def unusual_name(fact):
    name = "naïve.日本" if fact.case == "utf8" else " x y "
    with registered(lambda: 1, name) as added:
        return added == [name] and tvmgo.get_global_function(name)() == 1


@counterpart("names.nul")
def nul_in_name():
    with registered(lambda: 1, "a\0b") as added:
        assert tvmgo.get_global_function("a\0b")() == 1
        assert error_of(tvmgo.get_global_function, "a") is not None
        return added


# ---------------------------------------------------------------- what cannot be registered


@counterpart("names.name_not_string")
def name_no_text():
    return tvmgo.register_function(lambda: 1, 5)


@counterpart("names.extra_args")
def extra_arguments():
    with registered(lambda: 1, "probe.extra", 1, 2) as added:
        return bool(added)


@counterpart("names.not_function")
def not_callable():
    return tvmgo.register_function(5)


@counterpart("names.no_args")
def nothing_to_register():
    before = tvmgo.list_global_functions()
    decorator = tvmgo.register_function()
    return {
        "registered": tvmgo.list_global_functions() != before,
        "not_a_function": error_of(decorator, 5) is not None,
    }


@counterpart("names.typed_nil", "names.typed_nil.call")
def nil():
    return tvmgo.register_function(None, "probe.nil")


@counterpart("names.wrong_signature", "names.named_func_type", "names.Function_handle")
def other_callables(fact):
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
