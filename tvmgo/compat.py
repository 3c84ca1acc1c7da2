# SPDX-License-Identifier: Apache-2.0
"""Names of TVM's Python package, and of its early years, for scripts written for it.

``tvmgo.nd``, ``tvmgo.module``, ``tvmgo.runtime``, ``tvmgo.relay``, ``tvmgo.contrib`` and
``tvmgo.nnvm`` are made here, too; they can be imported as if they were files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from tvmgo import debug_executor, graph_executor
from tvmgo._core import device as _device
from tvmgo._core.array import Array, from_dlpack
from tvmgo._core.array import array as _array
from tvmgo._core.array import empty as _empty
from tvmgo._core.bytearray import ByteArray
from tvmgo._core.callback import convert_function
from tvmgo._core.device import Device
from tvmgo._core.function import Function
from tvmgo._core.module import Module, load_module, system_library
from tvmgo._core.registry import get_global_function, register_function
from tvmgo.exceptions import TVMTypeError

__all__ = [
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

Context = Device

# Targets of TVM's compilers that are no name of a device.
_TARGETS = {"composite": "cpu", "hybrid": "cpu", "nvptx": "cuda", "stackvm": "cpu"}


def device(dev_type: Any, dev_id: int | None = None) -> Device:
    """Make a device from its name or a compiler's target.

    Parameters
    ----------
    dev_type : str, int or Device
        What `Device` takes; of a target such as ``"llvm -mcpu=core-avx2"`` the first word counts.
    dev_id : int, default 0

    Returns
    -------
    Device

    Raises
    ------
    ValueError, TypeError
        As `Device` does.

    Notes
    -----
    Source: TVM's ``tvm.device``, up to 0.7 ``tvm.context``.
    """
    if isinstance(dev_type, str) and dev_type.split():
        dev_type = dev_type.split()[0]
        dev_type = _TARGETS.get(dev_type, dev_type)
    return Device(dev_type, dev_id)


context = device


def get_global_func(name: str, allow_missing: bool = False) -> Function | None:
    """Return the global function of this name.

    Parameters
    ----------
    name : str
    allow_missing : bool, default False
        Return None if there is none.

    Returns
    -------
    Function or None

    Raises
    ------
    KeyError
        If there is none, as `get_global_function` does.
    """
    try:
        return get_global_function(name)
    except KeyError:
        if not allow_missing:
            raise
        return None


def register_func(
    func_name: str | Callable[..., Any],
    f: Callable[..., Any] | None = None,
    override: bool = False,
) -> Any:
    """Put a Python callable into the table of global functions.

    Parameters
    ----------
    func_name : str or callable
        Its name; or the callable itself, which is registered as its ``__name__``.
    f : callable, optional
    override : bool, default False
        Replace a function that has the name already.

    Returns
    -------
    callable
        `f` itself; without one, the decorator.

    Raises
    ------
    ValueError, TypeError
        As `register_function` does.
    """
    if not isinstance(func_name, str):
        if not callable(func_name):
            raise TVMTypeError(f"func_name: expected a str, got {type(func_name).__name__}")
        f, func_name = func_name, func_name.__name__
    if f is None:
        return register_function(func_name, override=override)
    return register_function(f, func_name, override=override)


def convert(value: Any) -> Any:
    """Return `value` as something functions take.

    Parameters
    ----------
    value : object
        Callables become a `Function`; all else is converted when it is passed, and stays what it
        is until then.

    Returns
    -------
    object

    Notes
    -----
    Source: TVM's ``tvm.convert``.
    """
    return convert_function(value) if callable(value) else value


def _nd_array(arr: Any, ctx: Any = None, *, device: Any = None) -> Array:
    """Make an array with a copy of `arr`.

    Parameters
    ----------
    arr : array-like
        As for `tvmgo.array`, with the same errors.
    ctx, device : Device or str, default ``cpu(0)``
        Where the copy lies; TVM called it `ctx` up to 0.7.

    Returns
    -------
    Array

    Notes
    -----
    Source: TVM's ``tvm.nd.array``.
    """
    return _array(arr, device=ctx if device is None else device)


def _nd_empty(shape: Any, dtype: Any = "float32", ctx: Any = None, *, device: Any = None) -> Array:
    """Make an array whose elements are not set.

    Parameters
    ----------
    shape, dtype
        As for `tvmgo.empty`, with the same errors.
    ctx, device : Device or str, default ``cpu(0)``
        Where the elements lie; TVM called it `ctx` up to 0.7.

    Returns
    -------
    Array

    Notes
    -----
    Source: TVM's ``tvm.nd.empty``.
    """
    return _empty(shape, dtype, ctx if device is None else device)


def _nd_from_dlpack(dltensor: Any) -> Array:
    """Make an array that shares the memory of another library's tensor.

    Parameters
    ----------
    dltensor : DLPack capsule, or what `tvmgo.from_dlpack` takes
        A capsule serves once.

    Returns
    -------
    Array

    Raises
    ------
    TypeError
        If a capsule is none of DLPack's, or has served already.
    BufferError, ValueError
        As for `tvmgo.from_dlpack`.

    Notes
    -----
    Source: TVM's ``tvm.nd.from_dlpack``.
    """
    if type(dltensor).__name__ != "PyCapsule":
        return from_dlpack(dltensor)
    try:
        return from_dlpack(_Exporter(dltensor))
    except TVMTypeError:
        raise TVMTypeError(
            f"dltensor: expected a capsule that nobody has used, got {dltensor!r}"
        ) from None


class _Exporter:
    """What has this capsule to give."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule


def _load_param_dict(param_bytes: bytes | bytearray | memoryview) -> dict[str, Array]:
    """Return the parameters that a ``.params`` file holds.

    Parameters
    ----------
    param_bytes : bytes-like
        The contents of the file, by whichever TVM.

    Returns
    -------
    dict of str to Array

    Raises
    ------
    ValueError
        If the contents are malformed.
    TypeError
        If `param_bytes` is not bytes-like.

    Notes
    -----
    Source: TVM's ``load_param_dict``; ``tvmgo.parse_params``, which trusts nothing.
    """
    return dict(get_global_function("tvmgo.parse_params")(ByteArray(param_bytes)))


def _save_param_dict(params: Mapping[str, Any]) -> bytes:
    """Return parameters as the bytes of a ``.params`` file.

    Parameters
    ----------
    params : mapping of str to Array or NumPy array

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        If `params` is no mapping, or one of its values no array.

    Notes
    -----
    Needs libtvm_runtime. Source: ``runtime.SaveParams``; TVM's ``save_param_dict``.
    """
    if not isinstance(params, Mapping):
        raise TVMTypeError(f"params: expected a mapping, got {type(params).__name__}")
    return bytes(get_global_function("runtime.SaveParams")(dict(params)))


def _namespace(name: str, doc: str, /, **members: Any) -> ModuleType:
    """Make a module of tvmgo that is no file; modules among its members can be imported by it."""
    made = ModuleType(f"tvmgo.{name}", doc)
    vars(made).update(members, __all__=sorted(members))
    sys.modules[made.__name__] = made
    for member, value in members.items():
        if isinstance(value, ModuleType):
            sys.modules[f"{made.__name__}.{member}"] = value
    return made


_DEVICES = {
    name: getattr(_device, name)
    for name in [
        "cpu",
        "cuda",
        "ext_dev",
        "gpu",
        "hexagon",
        "metal",
        "opencl",
        "opengl",
        "rocm",
        "vpi",
        "vulkan",
        "webgpu",
    ]
}

nd = _namespace(
    "nd",
    "Arrays and devices as ``tvm.nd`` has them, with TVM's own order of parameters.",
    NDArray=Array,
    array=_nd_array,
    context=context,
    device=device,
    empty=_nd_empty,
    from_dlpack=_nd_from_dlpack,
    **_DEVICES,
)
ndarray = nd  # up to TVM 0.6

module = _namespace(
    "module",
    "Loading of libraries as ``tvm.module`` had it up to TVM 0.6.",
    Module=Module,
    load=load_module,
    load_module=load_module,
    system_lib=system_library,
    system_library=system_library,
)

runtime = _namespace(
    "runtime",
    "What scripts take from ``tvm.runtime``.",
    Device=Device,
    Module=Module,
    NDArray=Array,
    PackedFunc=Function,
    convert=convert,
    device=device,
    load_module=load_module,
    load_param_dict=_load_param_dict,
    nd=nd,
    ndarray=nd,
    save_param_dict=_save_param_dict,
    system_lib=system_library,
    **_DEVICES,
)

relay = _namespace(
    "relay",
    "What deployment scripts take from ``tvm.relay``.",
    load_param_dict=_load_param_dict,
    save_param_dict=_save_param_dict,
)

nnvm = _namespace(
    "nnvm",
    "What deployment scripts take from ``nnvm``, the compiler up to TVM 0.6.",
    compiler=_namespace(
        "nnvm.compiler",
        "What deployment scripts take from ``nnvm.compiler``.",
        load_param_dict=_load_param_dict,
        save_param_dict=_save_param_dict,
    ),
)

contrib = _namespace(
    "contrib",
    "The executors under the names of ``tvm.contrib``.",
    debugger=_namespace(
        "contrib.debugger",
        "The debug executor under the names of ``tvm.contrib.debugger``.",
        debug_executor=debug_executor,
        debug_runtime=debug_executor,
    ),
    graph_executor=graph_executor,
    graph_runtime=graph_executor,
)
