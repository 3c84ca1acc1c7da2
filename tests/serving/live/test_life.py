# SPDX-License-Identifier: Apache-2.0
"""What a server lives through: signals, reloads and ended workers while it is asked, queues that are full."""

import json
import os
import shutil
import signal
import threading
import time

import grpc
import numpy as np
import pytest
from tritonclient.grpc.service_pb2 import ModelInferRequest
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from tests.model import exact
from tests.serving.server import MODELS, serving

SLOW = {
    "inputs": [
        {
            "name": "x",
            "datatype": "FP32",
            "shape": [512, 512],
            "parameters": {"binary_data_size": 1 << 20},
        }
    ]
}


def slow_request():
    text = json.dumps(SLOW).encode()
    return text + np.zeros((512, 512), "float32").tobytes(), {
        "Inference-Header-Content-Length": str(len(text))
    }


class Asking:
    """Threads that ask by REST and gRPC without a pause, and what came of that."""

    def __init__(self, server, threads=4, factors=(1,)):
        self.answered, self.errors = 0, []
        self._server, self._factors = server, factors
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(each % 2 == 0, each))
            for each in range(threads)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, rest, number):
        with grpc.insecure_channel(self._server.grpc_url) as channel:
            stub = GRPCInferenceServiceStub(channel)
            while not self._end.is_set():
                number += 100
                x = exact.rows(number)
                try:
                    y = self._by_rest(x) if rest else self._by_grpc(stub, x)
                    expected = [
                        (exact.answers(x) * factor).reshape(-1).tolist() for factor in self._factors
                    ]
                    assert y in expected, (y, expected)
                    self.answered += 1
                except Exception as error:
                    self.errors.append(error)

    def _by_rest(self, x):
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 16], "data": x.tolist()}
        status, answer = self._server.infer("exact", {"inputs": [tensor]})
        assert status == 200, answer
        return answer["outputs"][0]["data"]

    def _by_grpc(self, stub, x):
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 16]}
        raw = [x.astype("<f4").tobytes()]
        request = ModelInferRequest(model_name="exact", inputs=[tensor], raw_input_contents=raw)
        return np.frombuffer(stub.ModelInfer(request).raw_output_contents[0], "<f4").tolist()


def test_requests_that_are_here_are_answered_after_sigterm(tmp_path):
    with serving(tmp_path, "slow") as server:
        body, headers = slow_request()
        answers = []

        def ask():
            answers.append(server.ask("POST", "/v2/models/slow/infer", body, headers)[0])

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert answers == [200] * 12
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_reload_under_load_costs_no_request(tmp_path, workers):
    shutil.copytree(MODELS / "exact", tmp_path / "one")
    shutil.copytree(MODELS / "twice", tmp_path / "two")
    link = tmp_path / "exact"
    link.symlink_to("one")
    with serving(tmp_path, link, options=("--workers", str(workers))) as server:
        with Asking(server, factors=(1, 2)) as asking:
            for number in range(6):
                new = tmp_path / "new"
                new.symlink_to(("two", "one")[number % 2])
                os.replace(new, link)
                status, text, _ = server.ask("POST", "/v2/repository/models/exact/load")
                assert status == 200, text
                time.sleep(0.5)
        assert asking.errors == [] and asking.answered > 50
        # All processes have the last one.
        time.sleep(1)
        with Asking(server, factors=(1,)) as asking:
            time.sleep(0.5)
        assert asking.errors == []


def test_files_that_cannot_be_loaded_change_nothing(tmp_path):
    shutil.copytree(MODELS / "exact", tmp_path / "exact")
    with serving(tmp_path, tmp_path / "exact") as server:
        (tmp_path / "exact" / "model.json").rename(tmp_path / "exact" / "gone")
        (tmp_path / "exact" / "deploy.so").rename(tmp_path / "exact" / "deploy.gone")
        status, text, _ = server.ask("POST", "/v2/repository/models/exact/load")
        assert status == 503 and "library" in json.loads(text)["error"]
        with Asking(server) as asking:
            time.sleep(0.3)
        assert asking.errors == [] and asking.answered


@pytest.mark.parametrize("workers", [1, 2])
def test_unloading_and_loading_again(tmp_path, workers):
    with serving(tmp_path, "exact", options=("--workers", str(workers))) as server:
        assert server.ask("POST", "/v2/repository/models/exact/unload")[0] == 200
        time.sleep(1)  # until all processes have seen it
        for _ in range(8):
            assert server.ask("POST", "/v2/models/exact/infer", "{}")[0] in (400, 404)
            assert server.ask("GET", "/v2/models/exact/ready")[0] == 404
        with grpc.insecure_channel(server.grpc_url) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                GRPCInferenceServiceStub(channel).ModelInfer(ModelInferRequest(model_name="exact"))
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        assert server.ask("GET", "/v2/health/ready")[0] == 200
        index = json.loads(server.ask("POST", "/v2/repository/index")[1])
        assert index == [{"name": "exact", "version": "", "state": "UNAVAILABLE"}]
        assert json.loads(server.ask("POST", "/v2/repository/index", '{"ready": true}')[1]) == []
        assert server.ask("POST", "/v2/repository/models/exact/load")[0] == 200
        time.sleep(1)
        with Asking(server) as asking:
            time.sleep(0.5)
        assert asking.errors == [] and asking.answered


def test_an_ended_worker_costs_its_requests_only(tmp_path):
    with serving(tmp_path, "exact", options=("--workers", "2")) as server:
        end = time.monotonic() + 60
        assert json.loads(server.ask("GET", "/v2/models")[1]) == {"models": ["exact"]}
        before = server.workers()
        assert len(before) == 2
        with Asking(server) as asking:
            time.sleep(1)
            os.kill(before[0], signal.SIGKILL)
            time.sleep(0.5)
            while len(set(server.workers()) - set(before)) < 1:
                assert time.monotonic() < end
                time.sleep(0.2)
            time.sleep(4)  # the new one loads
        # Two threads ask by REST; each can have had one request there.
        assert len(asking.errors) <= 2, asking.errors
        assert all(
            isinstance(error, OSError | EOFError) or "Remote" in repr(error)
            for error in asking.errors
        )
        with Asking(server, threads=8) as asking:
            time.sleep(1)
        assert asking.errors == [] and asking.answered
        _, text, _ = server.ask("GET", "/metrics")
        answered = 'tvmgo_requests_total{model_name="exact",outcome="answered"}'
        assert answered in text.decode()


def test_too_late(tmp_path):
    options = ("--timeout", "0.4", "--max-mb", "2")
    with serving(tmp_path, "slow", options=options) as server:
        body, headers = slow_request()
        statuses = []

        def ask():
            statuses.append(server.ask("POST", "/v2/models/slow/infer", body, headers)[0])

        threads = [threading.Thread(target=ask) for _ in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 408, 504} and {200, 504} <= set(statuses)
        time.sleep(1)  # those that were late do not run on
        assert server.ask("POST", "/v2/models/slow/infer", body, headers)[0] == 200


def test_a_port_that_is_taken(tmp_path):
    with serving(tmp_path, "exact") as server:
        taken = ("--grpc-port", str(server.grpc_port))
        with (
            pytest.raises(AssertionError, match="grpc_port"),
            serving(tmp_path, "exact", options=taken),
        ):
            pass
