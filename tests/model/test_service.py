# SPDX-License-Identifier: Apache-2.0
"""The service of ``examples/``, run by uvicorn and asked over a socket."""

import contextlib
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import service
import uvicorn

from tests.helpers import in_threads
from tests.model import service_load

BODY = '{"inputs": {"x": [[1, 2, 3]]}}'


class Client:
    """One connection for each request."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None):
        """Return status, headers and document of an answer."""
        connection = http.client.HTTPConnection(service_load.HOST, self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            is_json = answer.headers["Content-Type"] == "application/json"
            return answer.status, answer.headers, json.load(answer) if is_json else None

    def predict(self, **inputs):
        status, _, document = self.ask("POST", "/predict", json.dumps({"inputs": inputs}))
        return status, document


@contextlib.contextmanager
def serving(folder, **options):
    """Run the service in a thread; yield a client."""
    port = service_load.free_port()
    app = service.create_app(str(folder), **options)
    server = uvicorn.Server(
        uvicorn.Config(app, host=service_load.HOST, port=port, log_level="critical")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield Client(port)
    finally:
        server.should_exit = True
        thread.join()


def folder_of(kind, request, operator):
    """Write a model of one row, or of a batch."""
    return request.getfixturevalue(kind)(
        operator, **({"shape": (1, 3)} if kind == "write_one" else {})
    )


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_answers_of_many_clients(write_sizes):
    with serving(write_sizes("double")) as client:

        def ask(number):
            rows = [[number, i, -i] for i in range(number % 3 + 1)]
            return client.predict(x=rows), [[2 * n for n in row] for row in rows]

        for (status, answer), expected in in_threads(ask, 24):
            assert (status, answer) == (200, {"outputs": {"y": expected}})
        assert client.ask("GET", "/stats")[2]["failed"] == 0


def test_models_without_a_batch(write_one):
    with serving(write_one("double")) as client:
        assert client.predict(x=[1, 2.5]) == (200, {"outputs": {"y": [2, 5]}})
        assert client.ask("GET", "/stats")[2]["latency"]["p50"] > 0


def test_what_json_has_no_number_for_is_null(write_one):
    with serving(write_one("double")) as client:
        status, _, answer = client.ask("POST", "/predict", '{"inputs": {"x": [NaN, 2]}}')
        assert (status, answer) == (200, {"outputs": {"y": [None, 4]}})


def test_health_tells_what_is_served(write_sizes):
    with serving(write_sizes()) as client:
        assert client.ask("GET", "/health")[::2] == (
            200,
            {"inputs": ["x: float32 [batch, 3]"], "outputs": ["y: float32 [batch, 3]"]},
        )


@pytest.mark.parametrize("kind", ["write_one", "write_sizes"])
def test_what_clients_do_wrong(kind, request):
    folder = folder_of(kind, request, "double")
    with serving(folder) as client:

        def refusal(body):
            status, _, document = client.ask("POST", "/predict", body)
            assert status in (400, 422)
            return str(document["detail"])

        assert "no input 'y'" in refusal('{"inputs": {"y": [[1, 2, 3]]}}')
        assert "none of ['x']" in refusal('{"inputs": {}}')
        assert "input 'x': expected [" in refusal('{"inputs": {"x": [[1, 2]]}}')
        for value in (
            '"text"',
            "null",
            '[["a", 2, 3]]',
            "[[1, 2], [3]]",
            "{}",
            f"[[{10**400}, 2, 3]]",
        ):
            assert "input 'x'" in refusal(f'{{"inputs": {{"x": {value}}}}}'), value
        for body in ("", "{", "[]", '{"inputs": 1}', '{"inputs": ' + "[" * 100_000):
            refusal(body)
        assert client.predict(x=[[1, 2, 3]])[0] == 200


def test_errors_of_the_model_are_the_services(write_sizes):
    with serving(write_sizes("fail")) as client:
        assert client.predict(x=[[1, 2, 3]]) == (500, None)
        assert client.predict(x=[[-1, 2, 3]]) == (200, {"outputs": {"y": [[-1, 2, 3]]}})


@pytest.mark.parametrize("kind", ["write_one", "write_sizes"])
def test_who_waits_too_long_is_told(kind, request, operators):
    operators.gate.set()
    with serving(folder_of(kind, request, "wait"), timeout=0.2) as client:
        operators.gate.clear()
        try:
            assert client.predict(x=[[1, 2, 3]]) == (504, {"detail": "no answer within 0.2 s"})
        finally:
            operators.gate.set()
        assert client.predict(x=[[1, 2, 3]])[0] == 200


def test_while_as_many_wait_as_may_others_are_sent_away(write_sizes, operators):
    operators.gate.set()
    with serving(write_sizes("wait"), capacity=2, timeout=20, concurrency=1) as client:
        running = operators.running
        operators.gate.clear()
        try:
            with ThreadPoolExecutor(3) as pool:

                def ask(number):
                    return pool.submit(client.predict, x=[[number, 0, 0]])

                answers = [ask(0)]
                until(lambda: operators.running > running)
                answers += [ask(1), ask(2)]
                until(lambda: client.ask("GET", "/stats")[2]["queued"] == 2)
                status, headers, _ = client.ask("POST", "/predict", BODY)
                assert (status, headers["Retry-After"]) == (503, "1")
                operators.gate.set()
            for number, answer in enumerate(answers):
                assert answer.result() == (200, {"outputs": {"y": [[number, 0, 0]]}})
        finally:
            operators.gate.set()


@pytest.mark.slow
@pytest.mark.apache_tvm
def test_load_on_an_exported_model():
    assert "2,000 requests on 50 connections, all right" in service_load.load(2000, 50)
