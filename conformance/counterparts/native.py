# SPDX-License-Identifier: Apache-2.0
"""``cpp``: functions of the runtime itself, called by their names of today (``rules.RENAMED``)."""

import tvmgo
from conformance.catalogue import Gives, executes, improved, python
from conformance.counterparts.forwarding import array_of_runtime
from conformance.outcome import TypeCode, attempt
from conformance.rules import RENAMED

# The recorded function and its arguments, by case.
CALLS = {
    "NumThreads.extra": lambda world: ["extra"],
    "RuntimeEnabled.cpu": lambda world: ["cpu"],
    "RuntimeEnabled.cuda": lambda world: ["cuda"],
    "RuntimeEnabled.wrong_type": lambda world: [5],
    "RuntimeEnabled.no_args": lambda world: [],
    "RuntimeEnabled.two_args": lambda world: ["cpu", 1],
    "String": lambda world: ["abc"],
    "ShapeTuple": lambda world: [1, 2, 3],
    "ModuleGetTypeKey": lambda world: [world.deploy],
    "ModuleGetTypeKey.wrong": lambda world: [5],
    "ModuleGetSource": lambda world: [world.deploy, ""],
    "ModuleImplementsFunction": lambda world: [world.deploy, "myadd", True],
    "ModuleLoadFromFile": lambda world: ["./deploy.so"],
    "GetDeviceAttr": lambda world: [1, 0, 0],
    "GetDeviceAttr.cuda": lambda world: [2, 2**31 - 1, 0],
    "SystemLib": lambda world: [],
    "loadfile_so.missing": lambda world: ["nosuch.so", "so"],
}


def function_in(call):
    """Return the function named in a recorded call."""
    name = call.removeprefix("global ").partition(" ")[0]
    return tvmgo.get_global_function(RENAMED.get(name, name))


@executes(*[f"cpp.{case}" for case in CALLS])
def call(world, fact):
    return described_call(fact.call, *CALLS[fact.case](world))


# Alone, because TVM's compiler, loaded into the same process, adds its back end to the answer.
@executes("cpp.RuntimeEnabled.llvm", alone=True)
def is_llvm_enabled(world, fact):
    return described_call(fact.call, "llvm")


def described_call(recorded, *args):
    """Call the function named in a recorded call, and tell what it returned."""
    value = function_in(recorded).invoke(*args)
    seen = {"type_code": TypeCode(value.type_code)}
    content = value.to_python()
    if isinstance(content, (int, str)):
        seen["read"] = int(content) if isinstance(content, bool) else content
    return seen


@executes("cpp.ModuleImportsSize")
def number_of_imports(world, fact):
    value = tvmgo.Value(len(world.deploy.imports))
    return {"read": value.as_int64(), "type_code": TypeCode(value.type_code)}


improved(
    "cpp.String",
    Gives({"type_code": TypeCode(11), "read": "abc"}),
    "The text came back as an object that nothing could read.",
)
improved(
    "cpp.ModuleGetTypeKey",
    Gives({"type_code": TypeCode(11), "read": "classic_library"}),
    "The kind tells the classic calling convention from today's, `library`.",
)


python(
    "cpp.ModuleGetSource",
    Gives({"type_code": TypeCode(11), "read": ""}),
    "Today's runtime answers with an empty text when a module has no source; so do all modules.",
)


# ---------------------------------------------------------------- arrays


@executes("cpp.NDArray.returned")
def array_returned(world, fact):
    value = array_of_runtime()
    return {
        "tensor_info": world.kernel("tensor_info").invoke(value).as_int64(),
        "shape": value.as_array().shape,
    }


improved(
    "cpp.NDArray.returned",
    Gives(
        {"tensor_info": 2200321, "shape": [2, 3]}, "an Array like any other, freed like any other"
    ),
)


@executes("cpp.NDArray.dltensor_refused")
def array_passed(world, fact):
    view = tvmgo.get_global_function(RENAMED["runtime.TVMArrayCreateView"])
    array = tvmgo.array([1, 2, 3, 4], "float32")
    return attempt(lambda: view(array, (2, 2), array.dtype, 0).numpy().tolist())


improved("cpp.NDArray.dltensor_refused", Gives([[1, 2], [3, 4]]))
