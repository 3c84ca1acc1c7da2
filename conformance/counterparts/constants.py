# SPDX-License-Identifier: Apache-2.0
"""``const``, ``device``, ``version``, ``print``: names and numbers."""

import re

import tvmgo
from conformance.catalogue import Gives, executes, python
from conformance.counterparts.forwarding import array_of_runtime
from conformance.gofmt import go_type
from conformance.outcome import TypeCode
from conformance.world import callback

# gotvm's exported numbers, and a value of that kind. What is missing never was a kind of value:
# element types (data type codes), and the borders of ranges for extensions.
VALUES = {
    "KDLInt": lambda world: 1,
    "KDLUInt": lambda world: world.returned("uint"),
    "KDLFloat": lambda world: 1.0,
    "KHandle": lambda world: world.returned("handle"),
    "KNull": lambda world: None,
    "KTVMType": lambda world: tvmgo.DType("float32"),
    "KDLDevice": lambda world: tvmgo.cpu(0),
    "KArrayHandle": lambda world: tvmgo.empty([1]),
    "KObjectHandle": lambda world: tvmgo.get_global_function("ffi.Shape").invoke(1, 2),
    "KModuleHandle": lambda world: world.deploy,
    "KFuncHandle": lambda world: callback(print),
    "KStr": lambda world: "x",
    "KBytes": lambda world: b"x",
    "KNDArrayContainer": lambda world: array_of_runtime(),
}
RANGE_BORDERS = {
    "KExtBegin": 15,
    "KExtReserveEnd": 64,
    "KExtEnd": 128,
    "KNNVMFirst": 16,
    "KNNVMLast": 20,
}


@executes("const.typecodes")
def type_codes(world, fact):
    seen = {name: TypeCode(tvmgo.Value(make(world)).type_code) for name, make in VALUES.items()}
    # No value is of a kind in the ranges of extensions, which these numbers bordered.
    free = {name: border for name, border in RANGE_BORDERS.items() if max(seen.values()) < border}
    return {**seen, **free}


DEVICE_NAMES = {
    "KDLCPU": "cpu",
    "KDLMetal": "metal",
    "KDLOpenCL": "opencl",
    "KDLROCM": "rocm",
    "KDLSDAccel": "sdaccel",
    "KDLVPI": "vpi",
    "KDLVulkan": "vulkan",
    "KExtDev": "ext_dev",
    "KOpenGL": "opengl",
}


@executes("const.devices")
def devices(world, fact):
    return {go: tvmgo.Device(name).device_type for go, name in DEVICE_NAMES.items()}


CONSTRUCTORS = {
    "CPU": tvmgo.cpu,
    "CUDA": tvmgo.cuda,
    "CUDAHost": tvmgo.cuda_host,
    "Metal": tvmgo.metal,
    "OpenCL": tvmgo.opencl,
    "OpenGL": tvmgo.opengl,
    "ROCM": tvmgo.rocm,
    "SDAccel": tvmgo.sdaccel,
    "VPI": tvmgo.vpi,
    "Vulkan": tvmgo.vulkan,
}


@executes("device.constructors")
def constructors(world, fact):
    made = {name: make(1) for name, make in CONSTRUCTORS.items()}
    return {name: [device.device_type, device.device_id] for name, device in made.items()}


@executes("device.print")
def device_print(world, fact):
    return [str(tvmgo.cpu(0)), str(tvmgo.cuda(2)), repr(tvmgo.cuda(2))]


python(
    "device.print",
    Gives(["cpu:0", "cuda:2", "tvmgo.Device('cuda:2')"]),
    "A device prints as the name by which it can be made, as everywhere in Python.",
)


@executes("device.negative_index")
def negative_index(world, fact):
    device = tvmgo.cpu(-3)
    return [device.device_type, device.device_id]


@executes("device.equality")
def equality(world, fact):
    cpu = tvmgo.cpu
    return [cpu(0) == cpu(0), cpu(0) == cpu(1), cpu(0) == tvmgo.cuda(0)]


def form_of_version(fact, observed):
    """The same form: versions differ by nature."""
    if observed.error is None and re.fullmatch(r"\d+(\.\d+)+", observed.value):
        return []
    return [f"no version: {observed}"]


@executes("version.tvm", compare=form_of_version)
def version(world, fact):
    return tvmgo.runtime_version


@executes("print.function")
def function_type(world, fact):
    return go_type(world.kernel("ret_int"))
