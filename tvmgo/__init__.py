# SPDX-License-Identifier: Apache-2.0
"""tvmgo: run models compiled by Apache TVM, and call its runtime, from Python.

The five types of TVM's Go binding, `Module`, `Function`, `Value`, `Array` and `Device`, global
functions and closures, and the graph executor for ``deploy.so``, ``deploy.json``,
``deploy.params``.
"""

import typing as _typing
from importlib import import_module as _import_module

from tvmgo._native import locate as _locate

_locate.load_ffi()  # before the first extension module, all of which are linked to it

from tvmgo import compat, debug_executor, exceptions, graph_executor

# Nothing to name in these; importing them is what they are for: lists and dicts as arguments,
# devices other than the CPU, tvm_ffi's wrappers of our objects, tvm.graph_executor.create.
from tvmgo._core import container as _container
from tvmgo._core import device_api as _device_api
from tvmgo._core import interop as _interop
from tvmgo._core import native as _native_side
from tvmgo._core.array import Array, array, empty, from_dlpack
from tvmgo._core.bytearray import ByteArray
from tvmgo._core.callback import convert_function
from tvmgo._core.device import (
    Device,
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
from tvmgo._core.dtype import DType
from tvmgo._core.function import Function
from tvmgo._core.handle import Object, live_objects
from tvmgo._core.module import Module, load_module, system_library
from tvmgo._core.pointer import Pointer
from tvmgo._core.prepared import PreparedCall
from tvmgo._core.registry import (
    get_global_function,
    list_global_functions,
    register_function,
    remove_global_function,
)
from tvmgo._core.threads import num_threads
from tvmgo._core.value import Value
from tvmgo._core.version import __version__, dlpack_version, runtime_version
from tvmgo.compat import (
    Context,
    context,
    contrib,
    convert,
    device,
    get_global_func,
    module,
    nd,
    ndarray,
    nnvm,
    register_func,
    relay,
    runtime,
)
from tvmgo.exceptions import (
    TVMAssertionError,
    TVMAttributeError,
    TVMBufferError,
    TVMBusyError,
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
    TVMRPCError,
    TVMRPCTimeoutError,
    TVMTypeError,
    TVMValueError,
)

if _typing.TYPE_CHECKING:
    from tvmgo import model as model  # said twice: type checkers show it to users
    from tvmgo import rpc as rpc
    from tvmgo.model import Batcher, Binding, Model, Profile, TensorInfo, bundle, doctor

# Found when they are first used: they import NumPy, which `import tvmgo` does not.
_FROM_MODEL = ("Batcher", "Binding", "Model", "Profile", "TensorInfo", "bundle", "doctor")


if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these

    def __getattr__(name: str) -> _typing.Any:
        if name == "rpc":
            return _import_module("tvmgo.rpc")
        if name != "model" and name not in _FROM_MODEL:
            raise AttributeError(f"module 'tvmgo' has no attribute {name!r}")
        found = _import_module("tvmgo.model")
        return found if name == "model" else getattr(found, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_FROM_MODEL, "rpc"})


__all__ = [
    "Array",
    "Batcher",
    "Binding",
    "ByteArray",
    "DType",
    "Device",
    "Function",
    "Model",
    "Module",
    "Object",
    "Pointer",
    "PreparedCall",
    "Profile",
    "TVMAssertionError",
    "TVMAttributeError",
    "TVMBufferError",
    "TVMBusyError",
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
    "TVMRPCError",
    "TVMRPCTimeoutError",
    "TVMTypeError",
    "TVMValueError",
    "TensorInfo",
    "Value",
    "__version__",
    "array",
    "bundle",
    "compat",
    "convert_function",
    "cpu",
    "cpu_pinned",
    "cuda",
    "cuda_host",
    "debug_executor",
    "dlpack_version",
    "doctor",
    "empty",
    "exceptions",
    "ext_dev",
    "from_dlpack",
    "get_global_function",
    "gpu",
    "graph_executor",
    "hexagon",
    "list_global_functions",
    "live_objects",
    "load_module",
    "metal",
    "num_threads",
    "opencl",
    "opengl",
    "register_function",
    "remove_global_function",
    "rocm",
    "rpc",
    "runtime_version",
    "sdaccel",
    "system_library",
    "vpi",
    "vulkan",
    "webgpu",
]
# Names of the past.
__all__ += [
    "Context",
    "context",
    "contrib",
    "convert",
    "device",
    "get_global_func",
    "module",
    "nd",
    "ndarray",
    "nnvm",
    "register_func",
    "relay",
    "runtime",
]
