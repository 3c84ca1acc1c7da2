# SPDX-License-Identifier: Apache-2.0
"""Shapes of a model's inputs, fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import helper

from tvmgo.compiler.errors import FIX_SHAPES, GIVE_SHAPES
from tvmgo.compiler.input_shapes import InputShapes, match_dimensions
from tvmgo.exceptions import ExportError, TVMValueError


def fix_shapes(model: Any, shapes: InputShapes, *, keep_open: bool = False) -> None:
    """Give every input of `model` a fixed shape, and forget what was said of other values' shapes.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed.
    shapes : mapping of str to sequence of int
        For inputs with open dimensions, at least; a dimension with a name has one size everywhere.
    keep_open : bool
        Leave dimensions open whose sizes `shapes` does not tell, each under a name.

    Raises
    ------
    TVMValueError
        If `shapes` does not fit what the model says.
    ExportError
        If a dimension stays open, or an input is no tensor.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    declared = {value.name: dimensions_of(value) for value in inputs}
    sizes = match_dimensions(declared, shapes)
    for value in inputs:
        name = value.name
        fixed = fixed_dimensions(name, declared[name], shapes.get(name), sizes, keep_open)
        set_dimensions(value, fixed)
    for value in model.graph.output:
        if value.type.WhichOneof("value") is not None:  # else inference finds it
            dimensions_of(value)
    # What exporters declare is often wrong.
    forget_shapes(model.graph)
    # Weights that are inputs as well can be set by the caller; here they are what they are.
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    type_what_passes(model.graph)


def type_what_passes(graph: Any) -> None:
    """Give outputs that no node makes, inputs and weights, the types that inference would not."""
    types = {
        tensor.name: helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        for tensor in graph.initializer
    }
    types.update((value.name, value.type) for value in graph.input)
    for value in graph.output:
        if value.name in types:
            value.type.CopyFrom(types[value.name])


def forget_shapes(graph: Any) -> None:
    """Let inference find the shapes of what the graph computes."""
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]


def shapes_with_inputs(model: Any, shapes: InputShapes, inputs: InputShapes) -> InputShapes:
    """Return `shapes` with those of values that were given for inputs, where `shapes` has none.

    Raises
    ------
    TVMValueError
        If a value is none of the model's, or has another shape than it declares.
    """
    declared = {value.name: dimensions_of(value) for value in model.graph.input}
    for name, shape in inputs.items():
        if name not in declared:
            raise TVMValueError(
                f"inputs: the model has no input {name!r}; it has {sorted(declared)}"
            )
        expected = declared[name]
        if expected is not None and (
            len(expected) != len(shape)
            or any(isinstance(e, int) and e != size for e, size in zip(expected, shape))
        ):
            dims = ", ".join("?" if e is None else str(e) for e in expected)
            raise TVMValueError(f"inputs[{name!r}]: expected shape [{dims}], got {list(shape)}")
    return {**inputs, **shapes}


def shapes_of_batch(
    model: Any, shapes: InputShapes, batch: Mapping[str, Any] | None
) -> dict[str, Sequence[int]] | None:
    """Return `shapes` with a size for each first dimension that is open, if no other one is.

    Parameters
    ----------
    model : onnx.ModelProto
    shapes : mapping of str to sequence of int
        Inputs whose shapes are given; their first dimensions are what they are.
    batch : mapping or None
        How many ``rows`` there are, and whether it is ``required`` that the model has such inputs;
        otherwise None stands for one that has not.

    Raises
    ------
    TVMValueError
        If it is required and the model has no open first dimension, or other open ones.
    """
    if batch is None:
        return None
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    every = {value.name: dimensions_of(value) for value in inputs}
    known = match_dimensions(every, shapes)  # names whose sizes other inputs tell
    declared = {
        name: sizes and [known.get(size, size) for size in sizes]
        for name, sizes in every.items()
        if name not in shapes
    }
    unfit = [
        name
        for name, sizes in declared.items()
        if sizes is None or not all(isinstance(size, int) for size in sizes[1:])
    ]
    batched = [name for name, sizes in declared.items() if sizes and not isinstance(sizes[0], int)]
    if unfit or not batched:
        if batch["required"]:
            reason = f"input {unfit[0]!r} has others" if unfit else "no input has an open one"
            raise TVMValueError(
                f"batch: expected a model whose open dimensions come first; {reason}"
            )
        return None
    rows = batch["rows"]
    return {**shapes, **{name: [rows, *(declared[name] or ())[1:]] for name in batched}}


def dimensions_of(value: Any) -> list[int | str | None] | None:
    """Return sizes, names of open dimensions, and None where even the name is missing."""
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise ExportError(f"value `{value.name}`", f"it is of kind {kind}", "pass separate tensors")
    if not value.type.tensor_type.HasField("shape"):
        return None
    return [size_of(dim) for dim in value.type.tensor_type.shape.dim]


def size_of(dim: Any) -> int | str | None:
    """Return the size or name of a dimension; exporters write -1 and ``?`` for unnamed open ones."""
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return int(dim.dim_value)
    return dim.dim_param.strip("?") or None


def fixed_dimensions(
    name: str,
    dimensions: Sequence[Any] | None,
    shape: Sequence[int] | None,
    sizes: Mapping[Any, int],
    keep_open: bool,
) -> list[int | str]:
    """Return the full shape of an input: as given, or as declared with its dimensions' sizes."""
    if shape is not None:
        return list(shape)
    if dimensions is None:
        raise ExportError(f"input `{name}`", "it declares no shape", GIVE_SHAPES)
    fixed = [sizes.get(dim, dim) for dim in dimensions]
    if keep_open:
        return [f"{name}.{axis}" if dim is None else dim for axis, dim in enumerate(fixed)]
    if not all(isinstance(dim, int) for dim in fixed):
        dims = ", ".join("?" if dim is None else str(dim) for dim in fixed)
        raise ExportError(f"input `{name}`", f"its shape [{dims}] has open dimensions", FIX_SHAPES)
    return fixed


def set_dimensions(value: Any, dimensions: Sequence[Any]) -> None:
    """Write sizes, and names of what is left open."""
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    shape.SetInParent()
    for size in dimensions:
        dim = shape.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        else:
            dim.dim_param = size
