# SPDX-License-Identifier: Apache-2.0
"""``life``: what lives how long."""

import gc

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback
from conformance.outcome import Observed


def churn():
    """Collect garbage and use the freed memory for something else."""
    for _ in range(20):
        gc.collect()
        assert [bytearray(1000) for _ in range(100)]


# ---------------------------------------------------------------- callbacks


@counterpart("life.converted_callback.gc_only", "life.converted_callback.pinned_control")
def converted_callback(fact):
    kept = []

    def convert():
        captured = [1234]
        if fact.case.endswith("pinned_control"):
            kept.append(captured)
        return callback(lambda: captured[0])

    function = convert()
    churn()
    return function.invoke().as_int64()


@counterpart("life.stress.callback.pinned_control", alone=True)
def many_calls():
    doubled = callback(lambda value: 2 * value.as_int64())
    wrong = 0
    for i in range(20000):
        if i % 2000 == 0:
            churn()
        wrong += doubled.invoke(i).as_int64() != 2 * i
    return {"calls": 20000, "wrong": wrong}


@counterpart("life.wrong_callback")
def many_callbacks():
    functions = []
    for index in range(200):
        functions.append(callback(lambda index=index: index))
        if index % 50 == 0:
            churn()
    return {
        "wrong": sum(
            function.invoke().as_int64() != index for index, function in enumerate(functions)
        )
    }


@counterpart("life.gc_inside_callback")
def collects_itself():
    captured = [78]

    def collecting():
        churn()
        return captured[0]

    return callback(collecting).invoke().as_int64()


@counterpart("life.returned_closure.gc")
def returned_closure():
    def make():
        captured = [4321]
        return lambda: captured[0]

    closure = callback(make).invoke().as_function()
    churn()
    return closure.invoke().as_int64()


# ---------------------------------------------------------------- results


@counterpart("life.str_result.overwritten")
def two_results():
    echo = callback(lambda value: value.as_str())
    first = echo.invoke("first")
    before = first.as_str()
    second = echo.invoke("second!")
    return {"v1_before": before, "v1_after_second_call": first.as_str(), "v2": second.as_str()}


@counterpart("life.str_result.overwritten_by_long")
def result_and_long_one():
    echo = callback(lambda value: value.as_str())
    first = echo.invoke("short")
    echo.invoke("x" * 100_000)
    return {"equal_to_original": first.as_str() == "short", "len_now": len(first.as_str())}


# ---------------------------------------------------------------- arguments


@counterpart("life.retained_arg.bytes")
def kept_bytes():
    kept = []
    callback(kept.append).invoke(bytes(range(200)))
    churn()
    return kept[0].as_bytes()


@counterpart("life.retained_arg.func")
def kept_function():
    kept = []
    callback(lambda value: kept.append(value.as_function())).invoke(callback(lambda: 55))
    churn()
    return kept[0].invoke().as_int64()


@counterpart("life.temporary_array_arg", alone=True)
def temporary_array():
    tensor_info = library.kernel("tensor_info")

    def look(value):
        gc.collect()
        others = [tvmgo.empty([7]) for _ in range(5)]
        return tensor_info.invoke(value).as_int64() + 0 * len(others)

    function = callback(look)
    freed = sum(
        function.invoke(tvmgo.empty([2, 3, 4], "int16")).as_int64() != 3000161 for _ in range(200)
    )
    return {"argument_was_already_freed_in": freed, "calls": 200}


@counterpart("life.temporary_function_arg")
def temporary_function():
    def use(value):
        gc.collect()
        return value.as_function().invoke().as_int64()

    function = callback(use)
    right = sum(
        function.invoke(library.deploy().get_function("ret_int")).as_int64() == -42
        for _ in range(50)
    )
    return {"calls": 50, "right": right}


# ---------------------------------------------------------------- libraries


@counterpart("life.library_unloaded_in_call")
def library_dropped_in_call():
    def collecting():
        churn()
        return 5

    return (
        tvmgo.load_module("./deploy.so")
        .get_function("call_func")
        .invoke(callback(collecting))
        .as_int64()
    )


@counterpart("life.module_as_value")
def module_kept_by_value():
    def make():
        return tvmgo.load_module("./deploy.so")

    module = callback(make).invoke().as_module()
    churn()
    return module.get_function("ret_int").invoke().as_int64()


@counterpart("life.stress.c_kernel")
def many_kernel_calls():
    nargs = library.kernel("nargs")
    correct = 0
    for i in range(100_000):
        if i % 10_000 == 0:
            gc.collect()
        count = nargs.invoke(i, 0.5 * i, "a string of some length", b"some bytes").as_int64()
        correct += count == 4
    return Observed(f"{correct} correct")
