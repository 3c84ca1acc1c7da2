# SPDX-License-Identifier: Apache-2.0
"""Running a deployed graph: the Python side of ``tvm.graph_executor.create``.

Follows TVM's module of the same name (``graph_runtime`` up to TVM 0.7), so that deployment
scripts written for it go on working.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tvmgo._core.array import Array, array, from_dlpack
from tvmgo._core.bytearray import ByteArray
from tvmgo._core.device import Device, cpu
from tvmgo._core.function import Function
from tvmgo._core.module import Module
from tvmgo._core.registry import get_global_function
from tvmgo._core.timing import BenchmarkResult
from tvmgo.exceptions import (
    TVMBufferError,
    TVMIndexError,
    TVMKeyError,
    TVMTypeError,
    TVMValueError,
)

__all__ = ["BenchmarkResult", "GraphModule", "create"]


def create(
    graph_json_str: str,
    libmod: Module,
    device: Device | str | Sequence[Device | str] | None = None,
    *,
    ctx: Device | str | Sequence[Device | str] | None = None,
) -> GraphModule:
    """Make an executor for a graph.

    Parameters
    ----------
    graph_json_str : str
        The text of ``deploy.json``.
    libmod : Module
        The library with the graph's operators, ``deploy.so``.
    device : Device or str, or a sequence of them, default ``cpu(0)``
        Where the graph runs; the first is the default for tensors the graph does not place.
    ctx : Device or str, or a sequence of them, optional
        `device` under its name up to TVM 0.7.

    Returns
    -------
    GraphModule

    Raises
    ------
    ValueError
        If the graph is malformed, lacks an operator, or `device` is no device; if the library is
        of another export than the graph, where both say of which they are.
    TypeError
        If an argument is of the wrong type.

    Notes
    -----
    Source: ``tvm.graph_executor.create`` (docs of the executor: ``tvmgo/cxx``).
    """
    return GraphModule(
        make_executor("tvm.graph_executor.create", graph_json_str, libmod, device, ctx)
    )


def make_executor(
    creator: str,
    graph_json_str: str,
    libmod: Module,
    device: Device | str | Sequence[Device | str] | None,
    ctx: Device | str | Sequence[Device | str] | None,
) -> Module:
    """Call one of the global functions that make executors; arguments as for `create`."""
    if not isinstance(graph_json_str, str):
        raise TVMTypeError(f"graph_json_str: expected a str, got {type(graph_json_str).__name__}")
    if _is_path(graph_json_str):
        raise TVMValueError(
            f"graph_json_str: expected the text of a graph, got the path "
            f"{graph_json_str!r}; read the file and pass what it holds"
        )
    if ctx is not None:
        if device is not None:
            raise TVMTypeError("ctx: another name of device, which is given, too")
        device = ctx
    if device is None:
        device = cpu(0)
    devices = [device] if isinstance(device, (Device, str)) else device
    if not isinstance(devices, Iterable):
        raise TVMValueError(f"device: expected a Device or a list of them, got {device!r}")
    pairs: list[int] = []
    for item in devices:
        if isinstance(item, str):
            item = Device(item)
        if not isinstance(item, Device):
            raise TVMValueError(f"device: expected a Device or a list of them, got {item!r}")
        if item.device_type != cpu().device_type and not item.exists:
            raise TVMValueError(f"device: this machine's runtime has no {item}")
        pairs += (item.device_type, item.device_id)
    module: Module = get_global_function(creator)(graph_json_str, libmod, *pairs)
    return module


def _is_path(text: str) -> bool:
    """Whether somebody passed the path of a graph, which is an object in JSON."""
    return not text.lstrip().startswith("{") and (text.endswith(".json") or os.path.isfile(text))


def _lent(params_bytes: Any) -> ByteArray:
    try:
        return ByteArray(params_bytes)
    except TVMTypeError as error:
        raise TVMTypeError(str(error).replace("data", "params_bytes", 1)) from None


class GraphModule:
    """A graph ready to run, with its inputs, outputs and parameters.

    Parameters
    ----------
    module : Module
        What ``tvm.graph_executor.create`` or the function ``default`` of a factory returned.

    Raises
    ------
    TypeError
        If `module` is the factory itself, or no module at all.

    Notes
    -----
    One executor serves one thread at a time: a call while it runs raises an error. Give each thread
    an executor of its own; `clone` makes them without another copy of the parameters.
    """

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise TVMTypeError(f"module: expected a Module, got {type(module).__name__}")
        if module.kind == "GraphExecutorFactory":
            raise TVMTypeError(
                "module: expected a graph executor, got a factory of them; "
                "factory['default'](device) makes one"
            )
        self.module = module
        self._set_input = module["set_input"]
        self._get_input = module["get_input"]
        self._get_output = module["get_output"]
        self._run = module["run"]

    def set_input(self, key: int | str | None = None, value: Any = None, **params: Any) -> None:
        """Copy values into inputs of the graph.

        Parameters
        ----------
        key : int or str, optional
            Index or name of one input.
        value : Array, NumPy array, object with ``__dlpack__`` or what ``numpy.asarray`` takes
            In the input's shape; converted to its element type if NumPy calls that a cast of
            the same kind (float64 to float32 is one, float to int is not).
        **params : array-likes by name
            More inputs; names the graph does not have are skipped, as in TVM.

        Raises
        ------
        KeyError
            If the graph has no input `key`; a `TVMError` as well.
        IndexError
            If `key` is an index it does not have.
        ValueError
            If the shape is another one.
        TypeError
            If there is no value, or its elements cannot be converted.

        Notes
        -----
        The bytes are copied: `value` may change or go afterwards. Restores the executor's own
        buffer after `set_input_zero_copy`. What is passed by keyword to inputs that are named
        "key" and "value" reaches them, unless `key` is an int or str.
        Source: executor function ``set_input``.
        """
        if _is_key(key):
            self._set_one(key, self._input(key), value)
        else:
            self._add_own_names(params, key, value)
        self._set_named(self._known(params), params)

    def _add_own_names(self, params: dict[str, Any], key: Any, value: Any) -> None:
        """Add what was meant for inputs named as the parameters of `set_input` are."""
        for name, given in (("key", key), ("value", value)):
            if given is None:
                continue
            if self._get_input(name) is None:
                raise TVMTypeError(
                    f"key: expected the index or name of an input, got {type(key).__name__}"
                )
            params[name] = given

    def _known(self, names: Iterable[str]) -> dict[str, Array]:
        """The inputs of these names, without those the graph does not have."""
        return {name: entry for name in names if (entry := self._get_input(name)) is not None}

    def _set_all(self, values: Mapping[str, Any]) -> None:
        """Set inputs of these names, all of which the graph must have."""
        self._set_named({name: self._input(name) for name in values}, values)

    def _set_named(self, entries: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        # Largest first, as in TVM: a failure for want of memory comes early.
        for name in sorted(entries, key=lambda name: -_size(values[name])):
            self._set_one(name, entries[name], values[name])

    def _input(self, key: Any) -> Array:
        try:
            entry: Array | None = self._get_input(key)
        except IndexError:
            raise TVMIndexError(
                f"key: expected an index below {self.get_num_inputs()}, got {key}"
            ) from None
        if entry is None:
            raise TVMKeyError(f"Could not find '{key}' in graph's inputs")
        return entry

    def _set_one(self, key: Any, entry: Array, value: Any) -> None:
        if value is None:
            raise TVMTypeError(f"value: expected an array for input '{key}', got None")
        if not (isinstance(value, Array) and value.dtype == entry.dtype):
            value = _as_type(value, entry)
        if tuple(value.shape) != entry.shape:
            raise TVMValueError(
                f"value: input '{key}' has shape {entry.shape}, got {tuple(value.shape)}"
            )
        self._set_input(key, value)

    def set_input_zero_copy(
        self, key: int | str | None = None, value: Any = None, **params: Any
    ) -> None:
        """Let the graph read inputs straight from the caller's memory.

        Parameters
        ----------
        key : int or str, optional
            Index or name of one input.
        value : Array, NumPy array or object with ``__dlpack__``
            Contiguous, of the input's exact shape, type and device, its data aligned as the
            executor's own (`tvmgo.empty` and `tvmgo.array` are). Kept alive by the executor.
        **params : arrays by name
            More inputs; names the graph does not have are skipped.

        Raises
        ------
        KeyError, IndexError
            If the graph has no input `key`.
        ValueError, TypeError
            If a requirement above does not hold; nothing is redirected then.

        Notes
        -----
        Inputs named "key" and "value": as for `set_input`.
        Source: executor function ``set_input_zero_copy``.
        """
        share = self.module["set_input_zero_copy"]
        if _is_key(key):
            self._input(key)
            share(key, value)
        else:
            self._add_own_names(params, key, value)
        for name in self._known(params):
            share(name, params[name])

    def set_output_zero_copy(self, key: int | str, value: Any) -> None:
        """Let the graph write an output straight into the caller's memory.

        Parameters
        ----------
        key : int or str
            Index, node name, or node name and output index (``"softmax:0"``).
        value : Array, NumPy array or object with ``__dlpack__``
            As for `set_input_zero_copy`. Kept alive by the executor.

        Raises
        ------
        KeyError, IndexError
            If the graph has no output `key`.
        ValueError, TypeError
            If a requirement does not hold; nothing is redirected then.

        Notes
        -----
        Source: executor function ``set_output_zero_copy``, which ignores names it does not know.
        """
        if isinstance(key, str):
            try:
                self._get_output(key)
            except KeyError:
                raise TVMKeyError(f"Could not find '{key}' in graph's outputs") from None
        self.module["set_output_zero_copy"](key, value)

    def run(self, /, **inputs: Any) -> None:
        """Run the graph once, after setting `inputs` as `set_input` does.

        Raises
        ------
        KeyError
            If the graph has no input of a name; none is set then.
        TVMError
            The error of the operator that failed, unchanged.

        Notes
        -----
        Releases the GIL. Work on other devices may still be queued when it returns; reading an
        output waits for it. Source: executor function ``run``.
        """
        if inputs:
            self._set_all(inputs)
        self._run()

    def get_num_outputs(self) -> int:
        """Return the number of outputs."""
        number: int = self.module["get_num_outputs"]()
        return number

    def get_num_inputs(self) -> int:
        """Return the number of inputs, parameters included."""
        number: int = self.module["get_num_inputs"]()
        return number

    def get_input(self, index: int | str, out: Any = None) -> Any:
        """Return an input.

        Parameters
        ----------
        index : int or str
            Index or name.
        out : Array or NumPy array, optional
            Copy the input there and return it.

        Returns
        -------
        Array or None
            The live input, not a copy; None if there is no input of that name.
        """
        entry = self._get_input(index)
        if out is None or entry is None:
            return entry
        return entry.copy_to(out)

    def get_output(self, index: int | str, out: Any = None) -> Any:
        """Return an output.

        Parameters
        ----------
        index : int or str
            Index, or name of the node that makes it.
        out : Array or NumPy array, optional
            Copy the output there, of equal shape and element type, and return it.

        Returns
        -------
        Array
            The live output, not a copy: the next run overwrites it.

        Raises
        ------
        IndexError, KeyError
            If there is no such output.
        ValueError, TypeError
            If `out` is of another shape or element type; it is left as it was.
        """
        entry = self._get_output(index)
        return entry if out is None else copy_out(entry, out)

    def get_input_index(self, name: str) -> int:
        """Return the index of an input, or -1 if there is none of that name."""
        index: int = self.module["get_input_index"](name)
        return index

    def get_input_info(self) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
        """Return shapes and element types of the inputs that are not parameters, by name."""
        return _shapes_and_types(self.module["get_input_info"]())

    def get_output_info(self) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
        """Return shapes and element types of the outputs, by node name."""
        return _shapes_and_types(self.module["get_output_info"]())

    def load_params(self, params_bytes: bytes | bytearray | memoryview) -> None:
        """Copy parameters into the graph.

        Parameters
        ----------
        params_bytes : bytes-like
            The contents of ``deploy.params``. Names the graph does not have are skipped.

        Raises
        ------
        ValueError
            If the contents are malformed, or a parameter has another size, element type or shape
            than its input; the graph is left as it was. Types that compilers wrote for each other
            are equal (bool, uint1, int4 and int8; uint4 and uint8), and so are shapes that differ
            in dimensions of 1 only. Also if the file is of another export than the graph, where both
            say of which they are.
        TypeError
            If `params_bytes` is no C-contiguous buffer.

        Notes
        -----
        Source: executor function ``load_params``.
        """
        self.module["load_params"](_lent(params_bytes))

    def share_params(
        self, other: GraphModule, params_bytes: bytes | bytearray | memoryview
    ) -> None:
        """Use the parameters of another executor instead of a copy of them.

        Parameters
        ----------
        other : GraphModule
            An executor that has loaded the parameters.
        params_bytes : bytes-like
            The same contents; only the names are read.

        Notes
        -----
        Source: executor function ``share_params``.
        """
        self.module["share_params"](other.module, _lent(params_bytes))

    def clone(self) -> GraphModule:
        """Return another executor for the same graph, which shares the parameters.

        Returns
        -------
        GraphModule
            With the parameters as they are now: what `load_params` or a factory has set, and
            `set_input` and writes through a view have changed since. All else is as `create`
            leaves it: other inputs are zero, and what `set_input_zero_copy`, `share_params` and
            `set_output_zero_copy` have lent stays with this executor.

        Raises
        ------
        RuntimeError
            If this executor is running.
        AttributeError
            If `module` is of another library, whose executors cannot be cloned.

        Notes
        -----
        Shared are the graph, the kernels and the parameters' memory, all of which never changes;
        each executor has activations, inputs and outputs of its own. So either may go first, and
        each can run on a thread of its own at the same time. An executor that sets or loads a
        parameter, or hands it out by `get_input`, has its own copy of that one from then on: the
        others do not see what is written there.

        It costs the memory of the activations and the time to allocate it. Copied are only
        parameters that had been handed out before, and those whose memory operators use as well.
        Releases the GIL. Source: executor function ``clone``, which TVM's executor lacks.
        """
        return GraphModule(self.module["clone"]())

    def __getitem__(self, key: str) -> Function:
        """Return a function of the executor's module."""
        return self.module[key]

    def benchmark(
        self,
        device: Device | str | None = None,
        func_name: str = "run",
        repeat: int = 5,
        number: int = 5,
        min_repeat_ms: int | None = None,
        limit_zero_time_iterations: int = 100,
        end_to_end: bool = False,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
        **inputs: Any,
    ) -> BenchmarkResult:
        """Time the graph with the runtime's own timer, without Python in between.

        Parameters
        ----------
        device : Device or str, default ``cpu(0)``
            Whose clock is used.
        func_name : str, default "run"
            Function of the executor to time.
        repeat : int, default 5
            How many means to take.
        number : int, default 5
            Runs per mean; raised until a repeat lasts `min_repeat_ms` milliseconds.
        min_repeat_ms : int, optional
            Default 0.
        limit_zero_time_iterations : int, default 100
            Give up raising `number` after that many readings of zero.
        end_to_end : bool, default False
            Time copying the inputs in and the outputs out as well.
        cooldown_interval_ms, repeats_to_cooldown : int
            Sleep that many milliseconds after every so many repeats.
        **inputs : array-likes by name
            Set before the runs.

        Returns
        -------
        BenchmarkResult

        Raises
        ------
        KeyError
            If the graph has no input of a name.

        Notes
        -----
        Needs libtvm_runtime. The timer is that of `Module.time_evaluator`.
        """
        device = cpu(0) if device is None else Device(device)
        arguments: list[Any] = []
        if end_to_end:
            func_name = "run_from_inputs"
            arguments += (device.device_type, device.device_id)
            for name, value in inputs.items():
                arguments += (name, array(_as_type(value, self._input(name))))
        else:
            self._set_all(inputs)
        timed = self.module.time_evaluator(
            func_name,
            device,
            number,
            repeat,
            min_repeat_ms or 0,
            limit_zero_time_iterations,
            cooldown_interval_ms,
            repeats_to_cooldown,
        )
        return timed(*arguments)


def _size(value: Any) -> int:
    return getattr(value, "nbytes", 0)


def _is_key(key: Any) -> bool:
    return isinstance(key, (int, str, numbers.Integral))


def copy_out(entry: Array, out: Any) -> Any:
    """Copy a tensor of the graph to `out` and return that.

    The executor's own functions copy the bytes, whatever element type the caller has for them.
    """
    if not hasattr(out, "__dlpack__"):
        raise TVMTypeError(
            f"out: expected an Array, a NumPy array or an object with __dlpack__, "
            f"got {type(out).__name__}"
        )
    target = from_dlpack(out)
    if target.dtype != entry.dtype:
        raise TVMTypeError(f"out: expected elements of type {entry.dtype}, got {target.dtype}")
    if target.shape != entry.shape:
        raise TVMValueError(f"out: expected the shape {entry.shape}, got {target.shape}")
    entry.copy_to(target)
    return out


def _as_type(value: Any, entry: Array) -> Any:
    """Return `value` as an Array or a writable ndarray, of the element type of `entry`."""
    import numpy

    if hasattr(type(value), "__dlpack__") and not isinstance(value, (Array, numpy.ndarray)):
        try:
            value = from_dlpack(value)  # numpy.asarray() would make an object of it
        except TVMBufferError:
            value = array(value)  # read-only memory cannot be lent to a function
        if value.dtype == entry.dtype:
            return value
    values = numpy.asarray(value)
    wanted = entry.dtype.numpy
    if values.dtype != wanted:
        try:
            values = values.astype(wanted, casting="same_kind")
        except TypeError as error:
            raise TVMTypeError(f"value: {error}") from None
    return values if values.flags.writeable else values.copy()


def _shapes_and_types(info: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    return info["shape"], info["dtype"]
