# SPDX-License-Identifier: Apache-2.0
"""``fwd``: passing Values on."""

import gc

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.library import callback, received_by_callback
from conformance.outcome import Observed, TypeCode, attempt, error_of

# Whatever the kernel gave back, gotvm's probe did not look at these: C cannot own a handle twice.
NOT_GIVEN_BACK = ("func", "module")


def code_seen_by_kernel(value):
    """Return the type code with which an argument arrives in C."""
    return TypeCode(library.kernel("typecodes").invoke(value).as_int64())


@counterpart("fwd.value.*")
def passed_on(fact):
    kind = fact.case.partition(".")[2]
    value = library.returned(kind)
    seen = {"code_at_callee": code_seen_by_kernel(value)}
    if kind not in NOT_GIVEN_BACK:
        given_back = attempt(library.kernel("identity").invoke, value)
        seen["identity_err"] = given_back.error and str(given_back.error)
        seen["identity_code"] = given_back.error or TypeCode(given_back.value.type_code)
    return seen


@counterpart("fwd.value.use_twice")
def used_twice():
    value = library.returned("int")
    first, second = (attempt(code_seen_by_kernel, value) for _ in range(2))
    return {
        "e1": first.error,
        "e2": second.error,
        "first_code": first.value,
        "second_code": second.value,
        "source_AsInt64_after": value.as_int64(),
        "source_code_after": TypeCode(value.type_code),
    }


def array_of_runtime():
    """Return an array made by the runtime's own function."""
    make = tvmgo.get_global_function("runtime.TVMTensorAllocWithScope")
    return make.invoke((2, 3), tvmgo.DType("float32"), tvmgo.cpu(0), None)


@counterpart("fwd.value.ndarray_to_callback")
def runtime_array_passed_on():
    return received_by_callback(array_of_runtime())


@counterpart("fwd.value.object_to_callback")
def object_passed_on():
    shape = tvmgo.get_global_function("ffi.Shape").invoke(1, 2, 3)
    return [
        {"type_code": TypeCode(value.type_code), "handle_is_null": value.to_python() is None}
        for value in received_by_callback(shape)
    ]


# ---------------------------------------------------------------- lists of Values


@counterpart("fwd.slice.empty", "fwd.slice.nil")
def no_values():
    values = []  # spread, since a list of nothing does not say that it is one of Values
    return library.kernel("nargs").invoke(*values).as_int64()


@counterpart("fwd.slice.mix_before", "fwd.slice.two")
def mixed_lists(fact):
    values = [tvmgo.Value(1)]
    args = (1, values) if fact.case == "slice.mix_before" else (values, values)
    return library.kernel("nargs").invoke(*args)


@counterpart("fwd.slice.source_after")
def list_afterwards():
    values = [tvmgo.Value(1), tvmgo.Value(2)]
    assert library.kernel("sum_ints").invoke(values).as_int64() == 3
    return [TypeCode(value.type_code) for value in values]


# ---------------------------------------------------------------- results passed on


@counterpart("fwd.return_forwarded_value")
def inner_result_returned():
    kernel = library.kernel("ret_float")
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


@counterpart("fwd.str_value.no_gc")
def text_passed_on():
    return forward_text(collect=False).as_str()


@counterpart("fwd.str_value.double_free")
def text_passed_on_and_collected():
    return [forward_text(collect=True).as_str() for _ in range(100)][-1]


@counterpart("fwd.str_result.double_free", "fwd.bytes_result.double_free")
def result_passed_on_and_collected(fact):
    is_text = fact.case.startswith("str")
    content = "a result that lives on the heap" if is_text else b"a result that lives on the heap"
    make = callback(lambda: content)
    length = library.kernel("str_len" if is_text else "bytes_len")
    for _ in range(100):
        value = make.invoke()
        passed = length.invoke(value).as_int64()
        assert error_of(value.as_int64) is not None  # it still is what it was
        read = value.to_python()
        del value
        gc.collect()
    return {"length": passed, "equal": read == content}
