# SPDX-License-Identifier: Apache-2.0
"""``acc``: reading Values."""

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved
from conformance.outcome import TypeCode, error_of

# gotvm's accessors, and what the error of a wrong one says is expected.
ACCESSORS = {
    "AsInt64": ("as_int64", "an int"),
    "AsFloat64": ("as_float64", "a float"),
    "AsStr": ("as_str", "a str"),
    "AsBytes": ("as_bytes", "bytes"),
    "AsFunction": ("as_function", "a function"),
    "AsModule": ("as_module", "a module"),
}

# What the error says of a Value of each kind.
KINDS = {"null": "None", "int_big": "int", "uint": "int", "handle": "pointer", "func": "function"}

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
    tvmgo.Value: {name: method for name, (method, _) in ACCESSORS.items()},
}


def read(value, accessor):
    """Read a Value by the counterpart of a Go accessor."""
    return getattr(value, ACCESSORS[accessor][0])()


@executes("acc.*.typecode")
def type_code(world, fact):
    return TypeCode(world.returned(fact.case.partition(".")[0]).type_code)


@executes("acc.*.As*")
def accessor(world, fact):
    kind, name = fact.case.split(".")
    return read(world.returned(kind), name)


def refusal(fact):
    """A read by the wrong accessor names both types."""
    kind, name = fact.case.split(".")[:2]
    return Raises(TypeError, ACCESSORS[name][1], f"of type {KINDS.get(kind, kind)}")


improved("acc.*.As*", refusal)


# ---------------------------------------------------------------- with reasons of their own

KEEPS_DTYPE = (
    "gotvm's runtime turned a data type into text on the way. It stays a data type, "
    "whose text is the same."
)

improved("acc.dtype.typecode", Gives(TypeCode(5), "gives the type code 5, data type"), KEEPS_DTYPE)


@executes("acc.dtype.AsStr")
def dtype_text(world, fact):
    value = world.returned("dtype")
    return {"text": str(value.to_python()), "as_str": error_of(value.as_str)}


improved(
    "acc.dtype.AsStr",
    Gives(
        {"text": "float32x4", "as_str": "expected a str, but the value is of type dtype"},
        "`str(value.to_python())` is `float32x4`; `as_str()` says that it is a dtype",
    ),
    KEEPS_DTYPE,
)


@executes("acc.handle.AsInt64")
def handle_address(world, fact):
    value = world.returned("handle")
    return {"address": value.to_python().address, "as_int64": error_of(value.as_int64)}


improved(
    "acc.handle.AsInt64",
    Gives(
        {"address": 0x1234, "as_int64": "expected an int, but the value is of type pointer"},
        "`value.to_python().address` is 4660; `as_int64()` says that it is a pointer",
    ),
    "The bits of a pointer were read as a number. The address has an accessor of its own.",
)


# ---------------------------------------------------------------- reading and using


@executes("acc.func.AsFunction.Invoke", "acc.int.AsFunction.Invoke", "acc.null.AsFunction.Invoke")
def function_invoked(world, fact):
    kind = fact.case.partition(".")[0]
    return world.returned(kind).as_function().invoke().as_int64()


improved("acc.int.AsFunction.Invoke", refusal)
improved("acc.null.AsFunction.Invoke", refusal)


@executes("acc.module.AsModule.GetFunction")
def function_of_module(world, fact):
    module = world.returned("module").as_module()
    return {"err": None, "value": module.get_function("ret_int").invoke().as_int64()}


@executes("acc.zerovalue.AsInt64")
def zero_value_read(world, fact):
    return tvmgo.Value().as_int64()


@executes("acc.zerovalue.arg")
def zero_value_passed(world, fact):
    return world.kernel("typecodes").invoke(tvmgo.Value())


for case in ("AsInt64", "arg"):
    improved(
        f"acc.zerovalue.{case}",
        Raises(TypeError, "argument"),
        "An empty Value crashed or panicked. There is none: a Value is made of something.",
    )


@executes("acc.value.exported_methods")
def methods(world, fact):
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
