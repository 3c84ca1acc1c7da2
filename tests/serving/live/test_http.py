# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP: what is no request, too long, too slow or broken off harms nobody else."""

import json
import socket
import struct
import time

import numpy as np
import pytest

from tests.model import exact
from tests.serving.server import HOST
from tvmgo.serving.messages import LENGTH_HEADER

X = exact.rows(7)
INPUT = {"name": "x", "datatype": "FP32", "shape": [1, 16], "data": X.tolist()}
GOOD = {"inputs": [INPUT]}
INFER = "/v2/models/exact/infer"


def is_well(server):
    status, answer = server.infer("exact", GOOD)
    assert status == 200
    assert answer["outputs"][0]["data"] == exact.answers(X)[0].tolist()
    return True


def test_nested_and_flat_data_are_the_same(server):
    flat = {**INPUT, "data": X.reshape(-1).tolist()}
    assert server.infer("exact", {"inputs": [flat]}) == server.infer("exact", GOOD)
    assert is_well(server)


def test_id_comes_back(server):
    assert server.infer("exact", {**GOOD, "id": "seven"})[1]["id"] == "seven"
    assert "id" not in server.infer("exact", GOOD)[1]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/octet-stream", "text/plain", "x", None]
)
def test_content_type_does_not_matter(server, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert server.infer("exact", GOOD, headers)[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"data": [1] * 15},
        {"data": [1] * 17},
        {"data": [[1] * 8, [1] * 7]},
        {"data": ["1"] * 16},
        {"data": [None] * 16},
        {"data": [1e39] * 16},
        {"data": {}},
        {"data": None},
        {"shape": [1, -16]},
        {"shape": [1, 1, 16]},
        {"shape": [2**62, 2**62]},
        {"shape": "1"},
        {"datatype": "FP64"},
        {"datatype": "BYTES"},
        {"datatype": ""},
        {"name": "z"},
        {"name": 1},
        {"parameters": {"binary_data_size": 64}},
        {"parameters": 1},
    ],
    ids=str,
)
def test_wrong_inputs(server, change):
    status, answer = server.infer("exact", {"inputs": [{**INPUT, **change}]})
    assert status == 400 and list(answer) == ["error"] and answer["error"]
    assert is_well(server)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"\x00" * 100,
        b'{"inputs": [' + b"[" * 50_000,
        json.dumps({"inputs": [INPUT, INPUT]}).encode(),
        json.dumps({"inputs": []}).encode(),
        json.dumps({"instances": [1]}).encode(),
        json.dumps({**GOOD, "outputs": [{"name": "q"}]}).encode(),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_request(server, body):
    status, answer = server.infer("exact", body)
    assert status == 400 and answer["error"]


@pytest.mark.parametrize("length", ["-1", "x", "99999", "", "0"])
def test_wrong_length_of_the_document(server, length):
    status, answer = server.infer("exact", GOOD, {LENGTH_HEADER: length})
    assert status == 400 and answer["error"]


@pytest.mark.parametrize("cut", [1, 63, 64])
def test_missing_bytes(server, cut):
    tensor = {**INPUT, "parameters": {"binary_data_size": 64}}
    del tensor["data"]
    text = json.dumps({"inputs": [tensor]}).encode()
    body = text + np.float32(X).tobytes()
    headers = {LENGTH_HEADER: str(len(text))}
    assert server.infer("exact", body, headers)[0] == 200
    assert server.infer("exact", body[:-cut], headers)[0] == 400
    assert server.infer("exact", body + bytes(cut), headers)[0] == 400


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/nothing", 404),
        ("GET", INFER, 405),
        ("GET", "/v2/models/none", 404),
        ("GET", "/v2/models/none/ready", 404),
        ("GET", "/v2/models/exact/versions/1", 404),
        ("GET", "/v2/models/exact/versions/1/ready", 404),
        ("POST", "/v2/models/exact/versions/1/infer", 404),
        ("POST", "/v2/models/none/infer", 404),
        ("POST", "/v2/repository/models/none/load", 404),
        ("POST", "/v2/repository/models/none/unload", 404),
        ("POST", "/v1/models/exact:predict", 400),
        ("POST", "/v1/models/exact:explain", 400),
    ],
)
def test_wrong_paths(server, method, path, status):
    got, text, _ = server.ask(method, path, json.dumps(GOOD) if method == "POST" else None)
    assert got == status and json.loads(text)["error"]


def test_compressed_bodies_are_refused(server):
    status, answer = server.infer("exact", GOOD, {"Content-Encoding": "gzip"})
    assert status == 415 and "not compressed" in answer["error"]


# ---------------------------------------------------------------- too much, too slow, gone


def connect(server):
    return socket.create_connection((HOST, server.port), timeout=20)


def head(length=None, chunked=False):
    lines = [f"POST {INFER} HTTP/1.1", "Host: x"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    lines += ["Transfer-Encoding: chunked"] if chunked else []
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(connection):
    text = b""
    while b"\r\n" not in text and (more := connection.recv(4096)):
        text += more
    return int(text.split()[1])


def test_too_long_a_body_is_refused_before_it_is_read(server):
    with connect(server) as connection:
        connection.sendall(head(length=1 << 40))
        assert status_of(connection) == 413
    assert is_well(server)


def test_chunks_that_become_too_long(server):
    with connect(server) as connection:
        connection.sendall(head(chunked=True))
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        try:
            for _ in range(40):
                connection.sendall(chunk)
        except OSError:  # it has closed already
            pass
        try:
            assert status_of(connection) == 413
        except OSError:  # what it said was lost with the connection
            pass
    assert is_well(server)


def test_slow_body(server):
    with connect(server) as slow:
        slow.sendall(head(length=1000) + b"{")
        start = time.monotonic()
        assert is_well(server)
        assert status_of(slow) == 408
        assert time.monotonic() - start > 1


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /v2",
        head(1000)[:-2],
        head(1000),
        head(1000) + b"{" * 500,
        head(chunked=True) + b"5\r\nab",
    ],
    ids=len,
)
@pytest.mark.parametrize("reset", [False, True])
def test_clients_that_go(server, sent, reset):
    for _ in range(5):
        with connect(server) as connection:
            connection.sendall(sent)
            if reset:  # closing sends RST
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert is_well(server)


def test_clients_that_do_not_wait_for_answers(server):
    body = json.dumps(GOOD).encode()
    for _ in range(50):
        with connect(server) as connection:
            connection.sendall(head(len(body)) + body)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert is_well(server)


@pytest.mark.parametrize(
    "text",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100, b"X" * 100_000],
)
def test_what_is_not_http(server, text):
    with connect(server) as connection:
        try:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        except OSError:
            answer = b""
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    assert is_well(server)


def test_metrics(server):
    assert is_well(server)
    time.sleep(0.5)
    _, text, _ = server.ask("GET", "/metrics")
    lines = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#")
    answered = 'tvmgo_requests_total{model_name="exact",outcome="answered"}'
    assert float(lines[answered]) >= 1
    assert float(lines['tvmgo_model_runs{model_name="exact"}']) >= 1
    assert float(lines['tvmgo_model_bytes{model_name="exact"}']) > 0
    assert float(lines['request_predict_seconds_count{model_name="exact"}']) >= 1
    assert is_well(server)
    _, text, _ = server.ask("GET", "/metrics")
    again = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#")
    assert float(again[answered]) == float(lines[answered]) + 1
