# SPDX-License-Identifier: Apache-2.0
"""``acc``: reading Values."""

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.outcome import TypeCode, error_of

# gotvm's accessors, and what they are called here.
ACCESSORS = {
    "AsInt64": "as_int64",
    "AsFloat64": "as_float64",
    "AsStr": "as_str",
    "AsBytes": "as_bytes",
    "AsFunction": "as_function",
    "AsModule": "as_module",
}


# The exported methods of gotvm, and what each is here.
METHODS = {
    tvmgo.Array: {
        "AsSlice": "as_slice",
        "CopyFrom": "copy_from",
        "GetDType": "dtype",
        "GetDevice": "device",
        "GetNdim": "ndim",
        "GetShape": "shape",
    },
    tvmgo.ByteArray: {},
    tvmgo.Device: {},
    tvmgo.Function: {"Invoke": "invoke"},
    tvmgo.Module: {"GetFunction": "get_function"},
    tvmgo.Value: ACCESSORS,
}


def read(value, accessor):
    """Read a Value by the counterpart of a Go accessor."""
    return getattr(value, ACCESSORS[accessor])()


@counterpart("acc.*.typecode")
def type_code(fact):
    return TypeCode(library.returned(fact.case.partition(".")[0]).type_code)


@counterpart("acc.*.As*")
def accessor(fact):
    kind, name = fact.case.split(".")
    return read(library.returned(kind), name)


# ---------------------------------------------------------------- with reasons of their own


@counterpart("acc.dtype.AsStr")
def dtype_text():
    value = library.returned("dtype")
    return {"text": str(value.to_python()), "as_str": error_of(value.as_str)}


@counterpart("acc.handle.AsInt64")
def handle_address():
    value = library.returned("handle")
    return {"address": value.to_python().address, "as_int64": error_of(value.as_int64)}


# ---------------------------------------------------------------- reading and using


@counterpart(
    "acc.func.AsFunction.Invoke", "acc.int.AsFunction.Invoke", "acc.null.AsFunction.Invoke"
)
def function_invoked(fact):
    kind = fact.case.partition(".")[0]
    return library.returned(kind).as_function().invoke().as_int64()


@counterpart("acc.module.AsModule.GetFunction")
def function_of_module():
    module = library.returned("module").as_module()
    return {"err": None, "value": module.get_function("ret_int").invoke().as_int64()}


@counterpart("acc.zerovalue.AsInt64")
def zero_value_read():
    return tvmgo.Value().as_int64()


@counterpart("acc.zerovalue.arg")
def zero_value_passed():
    return library.kernel("typecodes").invoke(tvmgo.Value())


@counterpart("acc.value.exported_methods")
def methods(fact):
    seen = {}
    for cls, names in METHODS.items():
        signatures = {
            signature.partition(" ")[0]: signature
            for signature in fact.outcome["value"][cls.__name__]
        }
        seen[cls.__name__] = [
            signatures.get(name, name) for name in sorted(names) if hasattr(cls, names[name])
        ]
    return seen
