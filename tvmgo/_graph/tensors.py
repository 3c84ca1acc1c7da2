# SPDX-License-Identifier: Apache-2.0
"""The tensors of a graph: its inputs and outputs, set, lent and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from tvmgo._core.array import Array
from tvmgo._core.dtype import DType
from tvmgo._core.module import Module
from tvmgo._graph.host_values import as_type, copy_out, is_key, lendable
from tvmgo.exceptions import TVMTypeError, TVMValueError

_Target = TypeVar("_Target")


class GraphTensors:
    """The part of `GraphModule` that is about inputs and outputs.

    The functions of the executor's module named ``strict.*`` have the rules; here values are only
    converted.
    """

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise TVMTypeError(f"module: expected a Module, got {type(module).__name__}")
        if module.kind == "GraphExecutorFactory":
            raise TVMTypeError(
                "module: expected a graph executor, got a factory of them; "
                "factory['default'](device) makes one"
            )
        if "strict.set_input" not in module:
            raise TVMTypeError(
                f"module: expected a graph executor, got a module of kind {module.kind}"
            )
        self.module = module
        self._input_types: dict[str, DType] = {}  # as far as they were asked for; they never change
        self._copy: str | None = None
        self._get_input_type = module["strict.get_input_type"]
        self._set_input = module["strict.set_input"]
        self._get_input = module["get_input"]
        self._get_output = module["get_output"]

    def set_input(self, key: int | str | None = None, value: Any = None, **params: Any) -> None:
        """Copy values into inputs of the graph.

        Parameters
        ----------
        key : int or str, optional
            Index or name of one input.
        value : Array, NumPy array, object with ``__dlpack__`` or what ``numpy.asarray`` takes
            In the input's shape; converted to its element type if NumPy calls that a cast of
            the same kind (float64 to float32 is one, float to int is not), and from integers to
            integers.
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
        OverflowError
            If an integer does not fit the input's element type.
        TypeError
            If there is no value, or its elements cannot be converted.

        Notes
        -----
        All inputs are set or none. The bytes are copied: `value` may change or go afterwards.
        Restores the executor's own buffer after `set_input_zero_copy`. What is passed by keyword to inputs that are named
        "key" and "value" reaches them, unless `key` is an int or str.
        Source: executor function ``set_input``.
        """
        first: dict[Any, Any] = {}
        if is_key(key):
            first = {key: value}
        else:
            self._add_own_names(params, key, value)
        self._set_input(*self._converted(first), *self._converted(self._known(params)))

    def _add_own_names(self, params: dict[str, Any], key: Any, value: Any) -> None:
        """Add what was meant for inputs named as the parameters of `set_input` are."""
        for name, given in (("key", key), ("value", value)):
            if given is None:
                continue
            if self.get_input_index(name) < 0:
                raise TVMTypeError(
                    f"key: expected the index or name of an input, got {type(key).__name__}"
                )
            params[name] = given

    def _known(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what is for names the graph does not have."""
        return {name: value for name, value in params.items() if self.get_input_index(name) >= 0}

    def _converted(self, values: Mapping[Any, Any]) -> list[Any]:
        """Return key, tensor, key, tensor, ... as executor functions take inputs."""
        arguments: list[Any] = []
        for key, value in values.items():
            arguments += (key, self._tensor(key, value))
        return arguments

    def _tensor(self, key: Any, value: Any) -> Any:
        dtype = self._input_types.get(key) if type(key) is str else None
        if dtype is None:
            dtype = self._get_input_type(key)
            if dtype is None:
                return None  # the function that gets it says that there is no such input
            if type(key) is str:
                self._input_types[key] = dtype
        if isinstance(value, Array) and value.dtype == dtype:
            return value
        if value is None:
            raise TVMTypeError(f"value: expected an array for input '{key}', got None")
        return as_type(value, dtype, key)

    def set_input_zero_copy(
        self, key: int | str | None = None, value: Any = None, **params: Any
    ) -> None:
        """Let the graph read inputs straight from the caller's memory.

        Parameters
        ----------
        key : int or str, optional
            Index or name of one input.
        value : Array, NumPy array or object with ``__dlpack__``
            Contiguous, of the input's exact shape, type and device, its data aligned to 64 bytes
            (`tvmgo.empty` and `tvmgo.array` are; most small NumPy arrays are not). Kept alive by
            the executor. It may be read-only, or a buffer: no operator writes to an input, and
            `get_input` gives a copy then.
        **params : arrays by name
            More inputs; names the graph does not have are skipped.

        Raises
        ------
        KeyError, IndexError
            If the graph has no input `key`.
        ValueError, TypeError
            If a requirement above does not hold; no input is redirected then.

        Notes
        -----
        Nothing is ever copied, unless `copy` is "auto". Inputs named "key" and "value": as for
        `set_input`. Source: executor function ``set_input_zero_copy``.
        """
        first: list[tuple[Any, Any]] = []
        if is_key(key):
            first = [(key, value)]
        else:
            self._add_own_names(params, key, value)
        loans: list[Any] = []
        for name, given in (*first, *self._known(params).items()):
            loans += (name, *lendable(given), self._copy == "auto")
        self.module["strict.set_input_zero_copy"](*loans)

    @property
    def copy(self) -> str | None:
        """What `set_input_zero_copy` does with memory that operators cannot read where it lies.

        None, the default: it raises an error. ``"auto"``: the executor copies the elements at the
        start of every run, so that what is written there counts as well; `get_input` shows the
        copy. That is for memory that is not aligned, not contiguous or on another device; another
        shape or element type stays an error. Outputs are never copied so: `get_output` has `out`.
        """
        return self._copy

    @copy.setter
    def copy(self, value: str | None) -> None:
        if value is not None and value != "auto":
            raise TVMValueError(f"copy: expected None or 'auto', got {value!r}")
        self._copy = value

    @property
    def copies(self) -> int:
        """How many copies the executor has made so far because `copy` allowed it."""
        number: int = self.module["strict.get_num_copies"]()
        return number

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
        self.module["strict.set_output_zero_copy"](key, value)

    def get_num_outputs(self) -> int:
        """Return the number of outputs."""
        number: int = self.module["get_num_outputs"]()
        return number

    def get_num_inputs(self) -> int:
        """Return the number of inputs, parameters included."""
        number: int = self.module["get_num_inputs"]()
        return number

    @overload
    def get_input(self, index: int | str, out: None = None) -> Array | None: ...
    @overload
    def get_input(self, index: int | str, out: _Target) -> _Target | None: ...
    def get_input(self, index: int | str, out: Any = None) -> Any:
        """Return an input.

        Parameters
        ----------
        index : int or str
            Index or name.
        out : Array or NumPy array, optional
            Copy the input there, of equal shape and element type, and return it.

        Returns
        -------
        Array or None
            The live input, not a copy; None if there is no input of that name.
        """
        if out is None:
            return self._get_input(index)
        if isinstance(index, str) and self.get_input_index(index) < 0:
            return None
        return copy_out(self.module["strict.get_input"], index, out)

    @overload
    def get_output(self, index: int | str, out: None = None) -> Array: ...
    @overload
    def get_output(self, index: int | str, out: _Target) -> _Target: ...
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
        if out is None:
            return self._get_output(index)
        return copy_out(self.module["strict.get_output"], index, out)

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


def _shapes_and_types(info: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    return info["shape"], info["dtype"]
