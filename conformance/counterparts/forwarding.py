# SPDX-License-Identifier: Apache-2.0
"""``fwd``: passing Values on."""

import gc

import tvmgo
from conformance.catalogue import Gives, executes, improved
from conformance.outcome import Observed, TypeCode, attempt, error_of
from conformance.world import callback, received_by_callback

# Whatever the kernel gave back, gotvm's probe did not look at these: C cannot own a handle twice.
NOT_GIVEN_BACK = ("func", "module")


def code_seen_by_kernel(world, value):
    """Return the type code with which an argument arrives in C."""
    return TypeCode(world.kernel("typecodes").invoke(value).as_int64())


@executes("fwd.value.*")
def passed_on(world, fact):
    kind = fact.case.partition(".")[2]
    value = world.returned(kind)
    seen = {"code_at_callee": code_seen_by_kernel(world, value)}
    if kind not in NOT_GIVEN_BACK:
        given_back = attempt(world.kernel("identity").invoke, value)
        seen["identity_err"] = given_back.error and str(given_back.error)
        seen["identity_code"] = given_back.error or TypeCode(given_back.value.type_code)
    return seen


TEXT_FROM_C = (
    "The runtime refused text from C, because nobody owned it. It is copied when the call returns."
)
improved(
    "fwd.value.str",
    Gives({"code_at_callee": TypeCode(11), "identity_code": TypeCode(11), "identity_err": None}),
    TEXT_FROM_C,
)
improved(
    "fwd.value.dtype",
    Gives({"code_at_callee": TypeCode(5), "identity_code": TypeCode(5), "identity_err": None}),
    "The runtime turned a data type into text, and then refused the text from C. It stays a "
    "data type.",
)


@executes("fwd.value.use_twice")
def used_twice(world, fact):
    value = world.returned("int")
    first, second = (attempt(code_seen_by_kernel, world, value) for _ in range(2))
    return {
        "e1": first.error,
        "e2": second.error,
        "first_code": first.value,
        "second_code": second.value,
        "source_AsInt64_after": value.as_int64(),
        "source_code_after": TypeCode(value.type_code),
    }


improved(
    "fwd.value.use_twice",
    Gives(
        {
            "e1": None,
            "e2": None,
            "first_code": TypeCode(0),
            "second_code": TypeCode(0),
            "source_AsInt64_after": -42,
            "source_code_after": TypeCode(0),
        },
        "arrives as an int both times and stays -42",
    ),
)


def array_of_runtime():
    """Return an array made by the runtime's own function."""
    make = tvmgo.get_global_function("runtime.TVMTensorAllocWithScope")
    return make.invoke((2, 3), tvmgo.DType("float32"), tvmgo.cpu(0), None)


@executes("fwd.value.ndarray_to_callback")
def runtime_array_passed_on(world, fact):
    return received_by_callback(array_of_runtime())


@executes("fwd.value.object_to_callback")
def object_passed_on(world, fact):
    shape = tvmgo.get_global_function("ffi.Shape").invoke(1, 2, 3)
    return [
        {"type_code": TypeCode(value.type_code), "handle_is_null": value.to_python() is None}
        for value in received_by_callback(shape)
    ]


# ---------------------------------------------------------------- lists of Values


@executes("fwd.slice.empty", "fwd.slice.nil")
def empty_list(world, fact):
    return world.kernel("nargs").invoke([]).as_int64()


@executes("fwd.slice.mix_before", "fwd.slice.two")
def mixed_lists(world, fact):
    values = [tvmgo.Value(1)]
    args = (1, values) if fact.case == "slice.mix_before" else (values, values)
    return world.kernel("nargs").invoke(*args)


@executes("fwd.slice.source_after")
def list_afterwards(world, fact):
    values = [tvmgo.Value(1), tvmgo.Value(2)]
    assert world.kernel("sum_ints").invoke(values).as_int64() == 3
    return [TypeCode(value.type_code) for value in values]


improved("fwd.slice.source_after", Gives([TypeCode(0), TypeCode(0)], "both stay ints"))


# ---------------------------------------------------------------- results passed on


@executes("fwd.return_forwarded_value")
def inner_result_returned(world, fact):
    kernel = world.kernel("ret_float")
    value = callback(lambda: kernel.invoke()).invoke()
    return Observed(value.as_float64(), extra={"type_code": TypeCode(value.type_code)})


def forward_text(collect):
    """Pass a string argument on as the Value it is, from callback to callback."""
    inner = callback(lambda value: value.as_str())

    def outer(value):
        result = inner.invoke(value)
        if collect:
            del value
            gc.collect()
        return result

    return callback(outer).invoke("fwd!")


@executes("fwd.str_value.no_gc")
def text_passed_on(world, fact):
    return forward_text(collect=False).as_str()


@executes("fwd.str_value.double_free")
def text_passed_on_and_collected(world, fact):
    return [forward_text(collect=True).as_str() for _ in range(100)][-1]


improved("fwd.str_value.double_free", Gives("fwd!", "a hundred times right, nothing freed twice"))


@executes("fwd.str_result.double_free", "fwd.bytes_result.double_free")
def result_passed_on_and_collected(world, fact):
    is_text = fact.case.startswith("str")
    content = "a result that lives on the heap" if is_text else b"a result that lives on the heap"
    make = callback(lambda: content)
    length = world.kernel("str_len" if is_text else "bytes_len")
    for _ in range(100):
        value = make.invoke()
        passed = length.invoke(value).as_int64()
        assert error_of(value.as_int64) is not None  # it still is what it was
        read = value.to_python()
        del value
        gc.collect()
    return {"length": passed, "equal": read == content}


improved(
    "fwd.*_result.double_free",
    Gives({"length": 31, "equal": True}, "a hundred times right, nothing freed twice"),
)
