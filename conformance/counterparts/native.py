# SPDX-License-Identifier: Apache-2.0
"""``cpp``: functions of the runtime itself, called by their names of today (``rules.RENAMED``)."""

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.counterparts.forwarding import array_of_runtime
from conformance.outcome import TypeCode, attempt
from conformance.rules import RENAMED

# The recorded function and its arguments, by case.
CALLS = {
    "NumThreads.extra": lambda: ["extra"],
    "RuntimeEnabled.cpu": lambda: ["cpu"],
    "RuntimeEnabled.cuda": lambda: ["cuda"],
    "RuntimeEnabled.wrong_type": lambda: [5],
    "RuntimeEnabled.no_args": list,
    "RuntimeEnabled.two_args": lambda: ["cpu", 1],
    "String": lambda: ["abc"],
    "ShapeTuple": lambda: [1, 2, 3],
    "ModuleGetTypeKey": lambda: [library.deploy()],
    "ModuleGetTypeKey.wrong": lambda: [5],
    "ModuleGetSource": lambda: [library.deploy(), ""],
    "ModuleImplementsFunction": lambda: [library.deploy(), "myadd", True],
    "ModuleLoadFromFile": lambda: ["./deploy.so"],
    "GetDeviceAttr": lambda: [1, 0, 0],
    "GetDeviceAttr.cuda": lambda: [2, 2**31 - 1, 0],
    "SystemLib": list,
    "loadfile_so.missing": lambda: ["nosuch.so", "so"],
}


def function_in(call):
    """Return the function named in a recorded call."""
    name = call.removeprefix("global ").partition(" ")[0]
    return tvmgo.get_global_function(RENAMED.get(name, name))


@counterpart(*[f"cpp.{case}" for case in CALLS])
def call(fact):
    return described_call(fact.call, *CALLS[fact.case]())


# Alone, because TVM's compiler, loaded into the same process, adds its back end to the answer.
@counterpart("cpp.RuntimeEnabled.llvm", alone=True)
def is_llvm_enabled(fact):
    return described_call(fact.call, "llvm")


def described_call(recorded, *args):
    """Call the function named in a recorded call, and tell what it returned."""
    value = function_in(recorded).invoke(*args)
    seen = {"type_code": TypeCode(value.type_code)}
    content = value.to_python()
    if isinstance(content, (int, str)):
        seen["read"] = int(content) if isinstance(content, bool) else content
    return seen


@counterpart("cpp.ModuleImportsSize")
def number_of_imports():
    value = tvmgo.Value(len(library.deploy().imports))
    return {"read": value.as_int64(), "type_code": TypeCode(value.type_code)}


# ---------------------------------------------------------------- arrays


@counterpart("cpp.NDArray.returned")
def array_returned():
    value = array_of_runtime()
    return {
        "tensor_info": library.kernel("tensor_info").invoke(value).as_int64(),
        "shape": value.as_array().shape,
    }


@counterpart("cpp.NDArray.dltensor_refused")
def array_passed():
    view = tvmgo.get_global_function(RENAMED["runtime.TVMArrayCreateView"])
    array = tvmgo.array([1, 2, 3, 4], "float32")
    return attempt(lambda: view(array, (2, 2), array.dtype, 0).numpy().tolist())
