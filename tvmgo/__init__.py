# SPDX-License-Identifier: Apache-2.0
"""tvmgo: run models compiled by Apache TVM, and call its runtime, from Python.

The five types of TVM's Go binding, `Module`, `Function`, `Value`, `Array` and `Device`, global
functions and closures, and the graph executor for ``deploy.so``, ``deploy.json``,
``deploy.params``.
"""
from tvmgo import runtime

runtime.load_ffi()  # before the first extension module, all of which are linked to it

from tvmgo.handle import Object, live_objects
from tvmgo.error import (
    TVMAssertionError,
    TVMAttributeError,
    TVMBufferError,
    TVMError,
    TVMFileNotFoundError,
    TVMFunctionNotFoundError,
    TVMImportError,
    TVMIndexError,
    TVMKeyError,
    TVMMemoryError,
    TVMNotImplementedError,
    TVMOSError,
    TVMOverflowError,
    TVMTypeError,
    TVMValueError,
)
from tvmgo.dtype import DType
from tvmgo.device import (
    Context,
    Device,
    context,
    cpu,
    cpu_pinned,
    cuda,
    cuda_host,
    ext_dev,
    gpu,
    hexagon,
    metal,
    opencl,
    opengl,
    rocm,
    sdaccel,
    vpi,
    vulkan,
    webgpu,
)
from tvmgo.bytearray import ByteArray
from tvmgo.array import Array, array, empty, from_dlpack
from tvmgo.convert import Pointer
from tvmgo.value import Value
from tvmgo.function import Function
from tvmgo.callback import convert_function
from tvmgo.prepared import PreparedCall
from tvmgo.registry import (
    get_global_function,
    list_global_functions,
    register_function,
    remove_global_function,
)
from tvmgo.module import Module, load_module, system_library
from tvmgo.version import __version__, dlpack_version, runtime_version
from tvmgo import debug_executor, graph_executor, nd
from tvmgo.legacy import convert, get_global_func, register_func

# Nothing to name in these; importing them is what they are for: lists and dicts as arguments,
# tvm.graph_executor.create, and tvmgo.take, by which tvm_ffi gets our objects.
from tvmgo import container, executor, interop

__all__ = [
    "__version__",
    "Array",
    "array",
    "ByteArray",
    "Context",
    "context",
    "convert",
    "convert_function",
    "cpu",
    "cpu_pinned",
    "cuda",
    "cuda_host",
    "debug_executor",
    "Device",
    "dlpack_version",
    "DType",
    "empty",
    "ext_dev",
    "from_dlpack",
    "Function",
    "get_global_func",
    "get_global_function",
    "gpu",
    "graph_executor",
    "hexagon",
    "list_global_functions",
    "live_objects",
    "load_module",
    "metal",
    "Module",
    "nd",
    "Object",
    "opencl",
    "opengl",
    "Pointer",
    "PreparedCall",
    "register_func",
    "register_function",
    "remove_global_function",
    "rocm",
    "runtime_version",
    "sdaccel",
    "system_library",
    "TVMAssertionError",
    "TVMAttributeError",
    "TVMBufferError",
    "TVMError",
    "TVMFileNotFoundError",
    "TVMFunctionNotFoundError",
    "TVMImportError",
    "TVMIndexError",
    "TVMKeyError",
    "TVMMemoryError",
    "TVMNotImplementedError",
    "TVMOSError",
    "TVMOverflowError",
    "TVMTypeError",
    "TVMValueError",
    "Value",
    "vpi",
    "vulkan",
    "webgpu",
]
