# SPDX-License-Identifier: Apache-2.0
"""Names of functions that the runtime had under another name, and names that are nearly right."""

import re

import pytest

import tvmgo
from tvmgo._core.function_names import RENAMED

RENAMED_SINCE = {
    "module._LoadFromFile": "ffi.ModuleLoadFromFile",
    "runtime.ModuleLoadFromFile": "ffi.ModuleLoadFromFile",
    "module._GetSource": "ffi.ModuleInspectSource",
    "runtime.ModuleGetSource": "ffi.ModuleInspectSource",
    "runtime.ModuleSaveToFile": "ffi.ModuleWriteToFile",
    "runtime.ModuleGetTypeKey": "ffi.ModuleGetKind",
    "runtime.ModuleGetFormat": "ffi.ModuleGetWriteFormats",
    "runtime.ModuleGetPropertyMask": "ffi.ModuleGetPropertyMask",
    "runtime.ModuleImplementsFunction": "ffi.ModuleImplementsFunction",
    "runtime.ModuleClearImports": "ffi.ModuleClearImports",
    "module._Enabled": "runtime.RuntimeEnabled",
    "module._GetSystemLib": "ffi.SystemLib",
    "runtime.SystemLib": "ffi.SystemLib",
    "module.loadfile_so": "ffi.Module.load_from_file.so",
    "runtime.module.loadfile_so": "ffi.Module.load_from_file.so",
    "runtime.module.loadfile_relax.Executable": "ffi.Module.load_from_file.relax.VMExecutable",
    "runtime.module.loadbinary_static_library": "ffi.Module.load_from_bytes.static_library",
    "module._TimeEvaluator": "runtime.RPCTimeEvaluator",
    "module._RPCTimeEvaluator": "runtime.RPCTimeEvaluator",
    "_GetDeviceAttr": "runtime.GetDeviceAttr",
    "_ArrayGetItem": "ffi.ArrayGetItem",
    "_MapSize": "ffi.MapSize",
    "node.ArrayGetItem": "ffi.ArrayGetItem",
    "node.Map": "ffi.Map",
    "runtime.Array": "ffi.Array",
    "runtime.ArraySize": "ffi.ArraySize",
    "runtime.Map": "ffi.Map",
    "runtime.MapCount": "ffi.MapCount",
    "runtime.String": "ffi.String",
    "runtime.ShapeTuple": "ffi.Shape",
    "runtime.TVMArrayAllocWithScope": "runtime.TVMTensorAllocWithScope",
    "runtime.TVMArrayCreateView": "runtime.TVMTensorCreateView",
    "runtime.TVMArrayCopyFromBytes": "runtime.TVMTensorCopyFromBytes",
    "tvm.rpc.NDArrayFromRemoteOpaqueHandle": "tvm.rpc.TensorFromRemoteOpaqueHandle",
    "vm.builtin.ndarray_cache.load": "vm.builtin.tensor_cache.load",
    "rpc._Connect": "rpc.Connect",
    "rpc._ImportRemoteModule": "rpc.ImportRemoteModule",
    "tvm.relay._save_param_dict": "runtime.SaveParams",
    "tvm.relay._load_param_dict": "tvmgo.parse_params",
    "nnvm.compiler._load_param_dict": "tvmgo.parse_params",
    "tvm.graph_runtime_cuda_graph.create": "tvm.graph_executor_cuda_graph.create",
}


def suggestions(name):
    with pytest.raises(KeyError) as caught:
        tvmgo.get_global_function(name)
    _, _, hint = str(caught.value).partition("; did you mean ")
    return re.findall(r"'([^']+)'", hint)


@pytest.mark.parametrize("name", RENAMED_SINCE)
def test_renamed_functions_are_suggested_by_their_present_name(name):
    assert suggestions(name) == [RENAMED_SINCE[name]]
    assert tvmgo.get_global_function(RENAMED_SINCE[name])


def test_each_rule_is_tried():
    names = [*RENAMED_SINCE, "device_api.gpu"]  # which becomes a name that needs a GPU
    for pattern, today in RENAMED:
        renamed = [re.sub(pattern, today, name) for name in names]
        assert renamed != names, pattern
        names = renamed


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("tvm.graph_executor.creat", "tvm.graph_executor.create"),
        ("runtime.load_params", "runtime.LoadParams"),
        ("runtime.TVMGetDeviceAttr", "runtime.GetDeviceAttr"),
    ],
)
def test_misspelt_names_suggest_near_ones(name, near):
    assert suggestions(name)[0] == near


@pytest.mark.parametrize(
    "name",
    [
        "runtime._VirtualMachine",  # of Relay; gone for good
        "runtime.ADTGet",
        "profiling.start",
        "device_api.gpu",  # the suggestion would not be there, either
        "runtime.module.loadfile_hsaco_",
        "tvm.contrib.vm.call_packed",
    ],
)
def test_what_is_gone_suggests_nothing_that_is_not_meant(name):
    assert all(suggestion in tvmgo.list_global_functions() for suggestion in suggestions(name))
    assert not suggestions(name)
