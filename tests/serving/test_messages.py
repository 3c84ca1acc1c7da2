# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests and answers, beside the protocol's description."""

import json

import numpy as np
import pytest

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.serving.messages import read_request, write_answer
from tvmgo.serving.tensors import DATATYPES

X = {"name": "x", "datatype": "FP32", "shape": [2], "data": [1, 2]}


def body(document, tail=b""):
    text = json.dumps(document).encode()
    return text + tail, str(len(text))


def test_request():
    asked = read_request(body({"id": "7", "inputs": [X]})[0], None)
    assert asked.id == "7" and asked.outputs is None and not asked.binary
    (x,) = asked.inputs
    assert (x.name, x.datatype, x.shape, x.data, x.raw) == ("x", "FP32", [2], [1, 2], None)


def test_binary_inputs_follow_one_another():
    inputs = [
        {**X, "data": None, "parameters": {"binary_data_size": 8}},
        {**X, "name": "y"},
        {**X, "name": "z", "parameters": {"binary_data_size": 3}},
    ]
    del inputs[0]["data"], inputs[2]["data"]
    asked = read_request(*body({"inputs": inputs}, b"12345678abc"))
    assert [each.raw and bytes(each.raw) for each in asked.inputs] == [b"12345678", None, b"abc"]


@pytest.mark.parametrize(
    "parameters, outputs, expected",
    [
        ({}, [{"name": "a"}], {"a": False}),
        ({"binary_data_output": True}, [{"name": "a"}], {"a": True}),
        (
            {"binary_data_output": True},
            [{"name": "a", "parameters": {"binary_data": False}}, {"name": "b"}],
            {"a": False, "b": True},
        ),
        ({"binary_data_output": True}, [], None),
    ],
)
def test_outputs_as_bytes(parameters, outputs, expected):
    document = {"inputs": [X], "outputs": outputs, "parameters": parameters}
    asked = read_request(body(document)[0], None)
    assert asked.outputs == expected
    assert asked.binary == parameters.get("binary_data_output", False)


BINARY = {"name": "x", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}}


@pytest.mark.parametrize(
    "document, tail",
    [
        ([], b""),
        (None, b""),
        ({}, b""),
        ({"inputs": {}}, b""),
        ({"inputs": [1]}, b""),
        ({"inputs": [X], "outputs": 1}, b""),
        ({"inputs": [X], "outputs": [1]}, b""),
        ({"inputs": [X], "outputs": [{}]}, b""),
        ({"inputs": [X], "id": 1}, b""),
        ({"inputs": [X], "parameters": []}, b""),
        ({"inputs": [X], "parameters": {"binary_data_output": 1}}, b""),
        ({"inputs": [{**X, "shape": 2}]}, b""),
        ({"inputs": [{**X, "name": None}]}, b""),
        ({"inputs": [{**X, "datatype": 1}]}, b""),
        ({"inputs": [{**X, "data": "12"}]}, b""),
        ({"inputs": [X]}, b"1"),
        ({"inputs": [BINARY]}, b"1234567"),
        ({"inputs": [BINARY]}, b"123456789"),
        ({"inputs": [BINARY, BINARY]}, b"12345678"),
        ({"inputs": [{**X, **BINARY}]}, b"12345678"),
        ({"inputs": [{**BINARY, "parameters": {"binary_data_size": -1}}]}, b"12345678"),
        ({"inputs": [{**BINARY, "parameters": {"binary_data_size": True}}]}, b"1"),
        ({"inputs": [{**BINARY, "parameters": {"binary_data_size": 8.0}}]}, b"12345678"),
        ({"inputs": [{**BINARY, "parameters": 8}]}, b"12345678"),
        ({"inputs": [X], "outputs": [{"name": "y", "parameters": {"classification": 3}}]}, b""),
    ],
)
def test_what_is_no_request_is_refused(document, tail):
    with pytest.raises((TVMValueError, TVMTypeError), match="."):
        read_request(*body(document, tail))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b'{"inputs": [NaN]}'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(TVMValueError, match="not a JSON document"):
        read_request(text, None)


@pytest.mark.parametrize("length", ["", "-1", "x", "1e2", "999", "9" * 5000, "٣"])
def test_length_of_the_document(length):
    with pytest.raises(TVMValueError, match="inference-header-content-length: expected 0 to 20"):
        read_request(bytes(20), length)


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("binary", [True, False])
def test_answers_read_as_they_were_written(datatype, binary):
    array = np.array([[1, 0], [0, 1]], DATATYPES[datatype])
    other = np.float32(7)  # a scalar, in the document
    outputs = [("y", datatype, array.T, binary), ("z", "FP32", np.asarray(other), False)]
    parts, length = write_answer({"model_name": "m"}, outputs)
    whole = b"".join(parts)
    assert (length is not None) == binary
    document = json.loads(whole[:length])
    y, z = document.pop("outputs")
    assert document == {"model_name": "m"}
    assert z == {"name": "z", "datatype": "FP32", "shape": [], "data": [7.0]}
    assert y["shape"] == [2, 2] and y["datatype"] == datatype
    if binary:
        assert y["parameters"] == {"binary_data_size": array.nbytes}
        assert whole[length:] == array.T.tobytes()
    else:
        assert y["data"] == array.T.reshape(-1).tolist()


def test_no_number_is_null():
    values = np.array([np.nan, np.inf, 1], "float32")
    (text,), _ = write_answer({}, [("y", "FP32", values, False)])
    assert json.loads(text)["outputs"][0]["data"] == [None, None, 1.0]


def test_large_outputs_are_not_copied():
    array = np.arange(1000, dtype="<f4")
    parts, _ = write_answer({}, [("y", "FP32", array, True)])
    assert np.may_share_memory(np.frombuffer(parts[1], np.uint8), array)
