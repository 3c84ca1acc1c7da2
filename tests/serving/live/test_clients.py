# SPDX-License-Identifier: Apache-2.0
"""What Triton's clients get, over REST and gRPC, as JSON and as bytes."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.grpc.service_pb2 import ModelInferRequest
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
from tritonclient.utils import InferenceServerException

from tests.model import exact
from tests.serving.environment import TYPES, sample

KINDS = ["json", "binary", "grpc"]


def connect(server, kind):
    if kind == "grpc":
        return tritonclient.grpc.InferenceServerClient(server.grpc_url)
    return tritonclient.http.InferenceServerClient(server.url, concurrency=4)


def infer(client, kind, model, inputs, outputs):
    module = tritonclient.grpc if kind == "grpc" else tritonclient.http
    tensors = []
    for name, (datatype, array) in inputs.items():
        tensors.append(tensor := module.InferInput(name, list(array.shape), datatype))
        tensor.set_data_from_numpy(
            array, **({} if kind == "grpc" else {"binary_data": kind == "binary"})
        )
    asked = [
        module.InferRequestedOutput(
            name, **({} if kind == "grpc" else {"binary_data": kind == "binary"})
        )
        for name in outputs
    ]
    answer = client.infer(model, tensors, outputs=asked, request_id="7")
    return {name: answer.as_numpy(name) for name in outputs}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3, 8, 33])
def test_answers_are_exact(server, kind, count):
    x = exact.rows(count * 1000, count)
    inputs = {"x": ("FP32", x.astype("float32"))}
    answer = infer(connect(server, kind), kind, "exact", inputs, ["y"])
    assert (answer["y"] == exact.answers(x)).all()


@pytest.mark.parametrize("kind", ["binary", "grpc"])
def test_every_type_goes_in_and_comes_out(server, kind):
    inputs = {name: (name, sample(name)) for name in TYPES}
    outputs = [f"{name}_t" for name in TYPES]
    answer = infer(connect(server, kind), kind, "types", inputs, outputs)
    for name in TYPES:
        assert answer[f"{name}_t"].dtype == sample(name).dtype
        assert (answer[f"{name}_t"] == sample(name).T).all(), name


def test_every_type_as_json(server):
    inputs = [
        {"name": name, "datatype": name, "shape": [2, 3], "data": sample(name).tolist()}
        for name in TYPES
    ]
    status, answer = server.infer("types", {"inputs": inputs})
    assert status == 200
    for name, output in zip(TYPES, answer["outputs"]):
        assert (output["name"], output["datatype"]) == (f"{name}_t", name)
        assert output["shape"] == [3, 2]
        assert output["data"] == sample(name).T.reshape(-1).tolist()


@pytest.mark.parametrize("kind", ["binary", "grpc"])
def test_what_is_told_of_server_and_models(server, kind):
    client = connect(server, kind)
    arguments = {"as_json": True} if kind == "grpc" else {}
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("exact")
    assert client.get_server_metadata(**arguments)["name"] == "tvmgo"
    metadata = client.get_model_metadata("exact", **arguments)
    assert (metadata["name"], metadata["platform"]) == ("exact", "tvmgo")
    (x,), (y,) = metadata["inputs"], metadata["outputs"]
    assert (x["name"], x["datatype"], list(map(int, x["shape"]))) == ("x", "FP32", [-1, 16])
    assert (y["name"], y["datatype"], list(map(int, y["shape"]))) == ("y", "FP32", [-1, 4])


def test_index(server):
    index = connect(server, "json").get_model_repository_index()
    assert {each["name"]: each["state"] for each in index} == dict.fromkeys(
        ["exact", "types", "slow"], "READY"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_who_asks_at_the_same_time_gets_answers_of_its_own(server, kind):
    clients = [connect(server, kind) for _ in range(8)]

    def ask(number):
        x = exact.rows(number)
        inputs = {"x": ("FP32", x.astype("float32"))}
        return infer(clients[number % 8], kind, "exact", inputs, ["y"])["y"], exact.answers(x)

    if kind == "grpc":
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(400)))
    else:  # these clients are for one greenlet each
        answers = [ask(number) for number in range(100)]
    for answer, expected in answers:
        assert (answer == expected).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "model, name, datatype, shape, outputs, message",
    [
        ("none", "x", "FP32", [1, 16], ["y"], "none does not exist"),
        ("exact", "z", "FP32", [1, 16], ["y"], "no input 'z'"),
        ("exact", "x", "FP64", [1, 16], ["y"], "expected FP32, got FP64"),
        ("exact", "x", "FP32", [1, 15], ["y"], r"expected \['batch', 16\], got \[1, 15\]"),
        ("exact", "x", "FP32", [16], ["y"], "input 'x': expected"),
        ("exact", "x", "FP32", [1, 16], ["q"], "no output 'q'"),
        ("types", "BOOL", "BOOL", [2, 3], ["BOOL_t"], "expected values of all inputs"),
    ],
)
def test_wrong_requests(server, kind, model, name, datatype, shape, outputs, message):
    array = np.ones(shape, {"FP32": "f4", "FP64": "f8", "BOOL": "?"}[datatype])
    with pytest.raises(InferenceServerException, match=message) as caught:
        infer(connect(server, kind), kind, model, {name: (datatype, array)}, outputs)
    not_found = model == "none"
    if kind == "grpc":
        expected = "StatusCode.NOT_FOUND" if not_found else "StatusCode.INVALID_ARGUMENT"
    else:
        expected = "404" if not_found else "400"
    assert caught.value.status() == expected


def test_grpc_messages_by_fields(server):
    """Numbers in typed fields, which Triton's client does not send."""

    x = exact.rows(7)

    def request(**changes):
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 16]}
        tensor["contents"] = {"fp32_contents": x.reshape(-1).tolist()}
        return ModelInferRequest(model_name="exact", inputs=[tensor], **changes)

    with grpc.insecure_channel(server.grpc_url) as channel:
        stub = GRPCInferenceServiceStub(channel)
        raw = stub.ModelInfer(request()).raw_output_contents[0]
        assert np.frombuffer(raw, "<f4").tolist() == exact.answers(x)[0].tolist()
        for wrong, code in (
            (request(model_version="3"), grpc.StatusCode.NOT_FOUND),
            (request(raw_input_contents=[b"1234"]), grpc.StatusCode.INVALID_ARGUMENT),
            (request(raw_input_contents=[b"1", b"2"]), grpc.StatusCode.INVALID_ARGUMENT),
            (request(outputs=[{"name": "q"}]), grpc.StatusCode.INVALID_ARGUMENT),
            (ModelInferRequest(model_name="exact"), grpc.StatusCode.INVALID_ARGUMENT),
            (ModelInferRequest(), grpc.StatusCode.NOT_FOUND),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                stub.ModelInfer(wrong)
            assert caught.value.code() == code, caught.value.details()
        too_long = request(raw_input_contents=[bytes(2 << 20)])
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(too_long)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_bytes_that_are_no_message(server):
    with grpc.insecure_channel(server.grpc_url) as channel:
        for method, code in (
            ("/inference.GRPCInferenceService/ModelInfer", grpc.StatusCode.INVALID_ARGUMENT),
            ("/inference.GRPCInferenceService/Nothing", grpc.StatusCode.UNIMPLEMENTED),
        ):
            call = channel.unary_unary(method, lambda each: each, lambda each: each)
            with pytest.raises(grpc.RpcError) as caught:
                call(b"\xff\xff\xff")
            assert caught.value.code() == code
    assert connect(server, "grpc").is_server_live()
