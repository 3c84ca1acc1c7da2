# SPDX-License-Identifier: Apache-2.0
"""``const``, ``device``, ``version``, ``print``: names and numbers."""

import re

import tvmgo
from conformance import library
from conformance.catalogue import counterpart
from conformance.counterparts.forwarding import array_of_runtime
from conformance.gofmt import go_type
from conformance.library import callback
from conformance.outcome import TypeCode

# gotvm's exported numbers, and a value of that kind. What is missing never was a kind of value:
# element types (data type codes), and the borders of ranges for extensions.
VALUES = {
    "KDLInt": lambda: 1,
    "KDLUInt": lambda: library.returned("uint"),
    "KDLFloat": lambda: 1.0,
    "KHandle": lambda: library.returned("handle"),
    "KNull": lambda: None,
    "KTVMType": lambda: tvmgo.DType("float32"),
    "KDLDevice": lambda: tvmgo.cpu(0),
    "KArrayHandle": lambda: tvmgo.empty([1]),
    "KObjectHandle": lambda: tvmgo.get_global_function("ffi.Shape").invoke(1, 2),
    "KModuleHandle": lambda: library.deploy(),
    "KFuncHandle": lambda: callback(print),
    "KStr": lambda: "x",
    "KBytes": lambda: b"x",
    "KNDArrayContainer": lambda: array_of_runtime(),
}
RANGE_BORDERS = {
    "KExtBegin": 15,
    "KExtReserveEnd": 64,
    "KExtEnd": 128,
    "KNNVMFirst": 16,
    "KNNVMLast": 20,
}


@counterpart("const.typecodes")
def type_codes():
    seen = {name: TypeCode(tvmgo.Value(make()).type_code) for name, make in VALUES.items()}
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


@counterpart("const.devices")
def devices():
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


@counterpart("device.constructors")
def constructors():
    made = {name: make(1) for name, make in CONSTRUCTORS.items()}
    return {name: [device.device_type, device.device_id] for name, device in made.items()}


@counterpart("device.print")
def device_print():
    return [str(tvmgo.cpu(0)), str(tvmgo.cuda(2)), repr(tvmgo.cuda(2))]


@counterpart("device.negative_index")
def negative_index():
    device = tvmgo.cpu(-3)
    return [device.device_type, device.device_id]


@counterpart("device.equality")
def equality():
    cpu = tvmgo.cpu
    return [cpu(0) == cpu(0), cpu(0) == cpu(1), cpu(0) == tvmgo.cuda(0)]


def form_of_version(fact, observed):
    """The same form: versions differ by nature."""
    versions = fact.outcome["value"], observed.value
    return [
        f"no version: {version!r}"
        for version in versions
        if not isinstance(version, str) or not re.fullmatch(r"\d+(\.\d+)+", version)
    ]


@counterpart("version.tvm", compare=form_of_version)
def version():
    return tvmgo.runtime_version


@counterpart("print.function")
def function_type():
    return go_type(library.kernel("ret_int"))
