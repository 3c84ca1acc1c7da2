# SPDX-License-Identifier: Apache-2.0
"""Nodes of ONNX models as TVM's importers read them, and what these have not read.

TVM converts an operator without reading all that the node says: an attribute that a converter does
not know is as good as absent, and the result silently another. So converters get attributes and
inputs that track which of them are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import onnx

# How the name of a branch begins that cannot run with the shapes of a model; why, comes behind it.
IMPOSSIBLE = "impossible: "


class TrackedAttributes(dict[str, Any]):
    """Attributes of a node, which a converter may change; knows which were read.

    Attributes
    ----------
    given : dict
        What the node says.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.given = dict(values)
        self.read = {"tvm_custom"}  # put there by the importer, not by the model

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:  # without it, `**` would pass by `__getitem__`
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 (this is `get`)

    def pop(self, name: str, *default: Any) -> Any:
        self.read.add(name)
        return super().pop(name, *default)


class TrackedInputs(list[Any]):
    """Inputs of a node, None beyond the last as in TVM's own list; knows which were read."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__(values)
        self.given = list(values)
        self.read: set[int] = set()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            stop = len(self) if index.stop is None else index.stop
            return [self[i] for i in range(stop)[index]]
        self.read.add(index % max(len(self), 1) if index < 0 else index)
        return super().__getitem__(index) if index < len(self) else None

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def unread(
    operator: str,
    opset: int,
    attributes: TrackedAttributes,
    inputs: TrackedInputs,
    harmless: Collection[tuple[str, str]],
    is_absent: Callable[[Any], bool],
) -> Iterator[str]:
    """Name what a converter has not read of a node although it says something.

    An attribute says nothing if it is the operator's default, or with it one of `harmless`.
    """
    for name in attributes.given.keys() - attributes.read:
        value = attributes.given[name]
        if (operator, name) not in harmless and value != default_of(operator, name, opset):
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            yield f"{name}={text}"
    for position, value in enumerate(inputs.given):
        if position not in inputs.read and not is_absent(value):
            yield f"input {position}"


def ignored(what: str) -> str:
    """Return the reason for which a node is refused that has something unread."""
    return f"TVM's importer would ignore {what} and compute something else"


def leaves_out(data: Sequence[Any], indices: Sequence[Any], axis: int) -> bool:
    """Whether indices of ScatterElements, of these shapes, leave out what TVM's kernels count.

    They take the strides of the data for those of the indices; no stride depends on the size of the
    axis itself, of the first one, and of the next one.
    """
    axis %= len(data)
    return any(
        a != b and i not in (0, axis, axis + 1) for i, (a, b) in enumerate(zip(data, indices))
    )


def default_of(operator: str, attribute: str, opset: int) -> Any:
    """Return what the standard takes an attribute for that is not there, as TVM parses it."""
    try:
        default = onnx.defs.get_schema(operator, opset, "").attributes[attribute].default_value
    except (onnx.defs.SchemaError, KeyError):
        return None
    value = onnx.helper.get_attribute_value(default) if default.type else None
    return tuple(value) if isinstance(value, list) else value


def place_of(node: str, operator: str) -> str:
    """Return how errors call a node."""
    return f"node `{node}`, operator {operator}" if node else f"operator {operator}"
