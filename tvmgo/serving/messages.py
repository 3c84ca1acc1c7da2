# SPDX-License-Identifier: Apache-2.0
"""Bodies of REST requests and answers: a JSON document, and after it the bytes of binary tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from tvmgo.exceptions import TVMTypeError, TVMValueError

# Says how long the document is, where bytes follow.
LENGTH_HEADER = "inference-header-content-length"


@dataclass(frozen=True)
class InputMessage:
    """An input as it came; `raw` is a part of the body, or None."""

    name: str
    datatype: str
    shape: list[int]
    data: Any
    raw: memoryview | None


@dataclass(frozen=True)
class RequestMessage:
    """A request as it came. `outputs` are those that are asked for, with whether as bytes; or None."""

    id: str | None
    inputs: list[InputMessage]
    outputs: dict[str, bool] | None
    binary: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)


def read_request(body: bytes, document_length: str | None) -> RequestMessage:
    """Return what a body says.

    Parameters
    ----------
    body : bytes
    document_length : str or None
        What the header `LENGTH_HEADER` says; without it all of the body is the document.

    Raises
    ------
    ValueError, TypeError
        If it is no request: not JSON, entries missing or of another type, bytes missing or left over.
    """
    length = _length(document_length, len(body))
    memory = memoryview(body)
    try:
        document = orjson.loads(memory[:length])
    except orjson.JSONDecodeError as error:
        raise TVMValueError(f"not a JSON document: {error}") from None
    _expect("the document", document, dict)
    inputs = []
    place = length
    for each in _entry("", document, "inputs", list):
        message, place = _read_input(each, memory, place)
        inputs.append(message)
    if place != len(body):
        raise TVMValueError(f"expected {place} bytes, got {len(body)}")
    parameters = _entry("", document, "parameters", dict, {})
    binary = _entry("parameters: ", parameters, "binary_data_output", bool, False)
    outputs = None
    asked = _entry("", document, "outputs", list, None)
    if asked:
        outputs = dict(_read_output(each, binary) for each in asked)
    return RequestMessage(
        _entry("", document, "id", str, None), inputs, outputs, binary, parameters
    )


def _read_input(each: Any, memory: memoryview, place: int) -> tuple[InputMessage, int]:
    _expect("inputs", each, dict)
    name = _entry("inputs: ", each, "name", str)
    where = f"input {name!r}: "
    datatype = _entry(where, each, "datatype", str)
    shape = _entry(where, each, "shape", list)
    parameters = _entry(where, each, "parameters", dict, {})
    size = _entry(where + "parameters: ", parameters, "binary_data_size", int, None)
    if size is None:
        return InputMessage(name, datatype, shape, _entry(where, each, "data", list), None), place
    if "data" in each:
        raise TVMValueError(f"{where}expected data or binary_data_size, got both")
    if not 0 <= size <= len(memory) - place:
        raise TVMValueError(f"{where}expected {size} bytes, got {len(memory) - place}")
    return InputMessage(name, datatype, shape, None, memory[place : place + size]), place + size


def _read_output(each: Any, binary: bool) -> tuple[str, bool]:
    _expect("outputs", each, dict)
    name = _entry("outputs: ", each, "name", str)
    where = f"output {name!r}: "
    parameters = _entry(where, each, "parameters", dict, {})
    if parameters.get("classification"):
        raise TVMValueError(f"{where}classification is not supported")
    return name, _entry(where + "parameters: ", parameters, "binary_data", bool, binary)


_REQUIRED: Any = object()


def _entry(where: str, document: Any, name: str, kind: type, default: Any = _REQUIRED) -> Any:
    value = document.get(name)
    if value is None and default is not _REQUIRED:
        return default
    _expect(where + name, value, kind)
    return value


def _expect(where: str, value: Any, kind: type) -> None:
    if type(value) is not kind:
        got = "none" if value is None else type(value).__name__
        raise TVMTypeError(f"{where}: expected {_JSON_NAMES[kind]}, got {got}")


_JSON_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    bool: "true or false",
}


def _length(text: str | None, whole: int) -> int:
    if text is None:
        return whole
    if not (text.isascii() and text.isdigit()) or not int(text[:20]) <= whole or len(text) > 20:
        raise TVMValueError(f"{LENGTH_HEADER}: expected 0 to {whole}, got {text[:40]!r}")
    return int(text)


def write_answer(
    head: Mapping[str, Any],
    outputs: Sequence[tuple[str, str, np.ndarray[Any, Any], bool]],
) -> tuple[list[bytes | memoryview], int | None]:
    """Return the parts of a body, and how long the document is if bytes follow.

    Parameters
    ----------
    head : mapping
        What the document has beside the outputs.
    outputs : sequence of (name, datatype, array, binary)

    Notes
    -----
    What JSON has no number for is null.
    """
    parts: list[bytes | memoryview] = []
    documents = []
    for name, datatype, array, binary in outputs:
        document: dict[str, Any] = {
            "name": name,
            "datatype": datatype,
            "shape": list(array.shape),
        }
        array = np.ascontiguousarray(array)
        if binary:
            document["parameters"] = {"binary_data_size": array.nbytes}
            if array.nbytes:
                parts.append(array.reshape(-1).view(np.uint8).data)
        else:
            document["data"] = array.reshape(-1)
        documents.append(document)
    text = orjson.dumps({**head, "outputs": documents}, option=orjson.OPT_SERIALIZE_NUMPY)
    binary_answer = any(binary for *_, binary in outputs)
    return [text, *parts], len(text) if binary_answer else None
