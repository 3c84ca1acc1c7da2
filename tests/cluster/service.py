# SPDX-License-Identifier: Apache-2.0
"""A service on Ray Serve: every answer is compared, while models are exchanged in its replicas and replicas themselves."""

import collections
import http.client
import json
import shutil
import threading
import time

import numpy as np
from ray import serve

from tests.cluster.environment import MODELS
from tests.cluster.nodes import cluster, free_ports
from tests.model import exact
from tvmgo.serving import ray_application

CLIENTS = 8


class Client(threading.Thread):
    """Asks one question after the other by HTTP; each answer must be that of the first model or of the second."""

    def __init__(self, port, first):
        super().__init__()
        self.port, self.number = port, first
        self.outcomes, self.seconds, self.ended = collections.Counter(), [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.ended.is_set():
            x = exact.rows(self.number)
            self.number += CLIENTS
            begin = time.monotonic()
            try:
                status, document = ask(connection, {"x": x.tolist()})
            except OSError as error:  # a connection that is cut off is an error as well
                status, document = repr(error), None
                connection.close()
            self.seconds.append(time.monotonic() - begin)
            if status != 200:
                self.outcomes[str(status)] += 1
                continue
            y, truth = np.array(document["outputs"]["y"]), exact.answers(x)
            kinds = {"first": (y == truth).all(), "second": (y == 2 * truth).all()}
            self.outcomes[next((name for name, holds in kinds.items() if holds), "wrong")] += 1
        connection.close()


def ask(connection, inputs):
    body = json.dumps({"inputs": inputs})
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def asked(port, seconds, meanwhile):
    """Ask over several connections until `meanwhile` has returned and so many seconds are over."""
    clients = [
        Client(port, 1 + number) for number in range(CLIENTS)
    ]  # 0 is both models' answer to 0
    for client in clients:
        client.start()
    end = time.monotonic() + seconds
    try:
        meanwhile()
        time.sleep(max(0, end - time.monotonic()))
    finally:
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join()
    outcomes = sum((client.outcomes for client in clients), collections.Counter())
    return outcomes, np.concatenate([client.seconds for client in clients])


def run(seconds=20):
    """Return the lines of the page."""
    first, second = (str(MODELS / f"{name}.tvmgo") for name in ("exact", "twice"))
    current = MODELS / "current.tvmgo"
    lines = []
    with cluster(2, 2):
        (port,) = map(int, free_ports(1))
        serve.start(http_options={"host": "127.0.0.1", "port": port})

        def deploy(path, version=0, **options):
            share = {"num_replicas": 2, "num_cpus": 0.5, **options}
            serve.run(ray_application(path, user_config={"version": version}, **share))

        def line(what, meanwhile):
            outcomes, took = asked(port, seconds, meanwhile)
            wrong = set(outcomes) - {"first", "second"}
            assert not wrong, outcomes
            lines.append(
                {
                    "what": what,
                    "requests": sum(outcomes.values()),
                    "errors": 0,
                    "first": outcomes["first"],
                    "second": outcomes["second"],
                    "p50_ms": float(np.median(took)) * 1e3,
                    "most_ms": float(took.max()) * 1e3,
                }
            )
            print(lines[-1], flush=True)

        deploy(first)
        line("the path", lambda: deploy(second))
        assert lines[-1]["first"] and lines[-1]["second"]

        shutil.copyfile(first, current)
        deploy(current)

        def replace():
            shutil.copyfile(second, f"{current}.new")
            (current.parent / f"{current.name}.new").rename(current)
            deploy(current, version=1)

        line("the file, and a number in `user_config`", replace)
        assert lines[-1]["first"] and lines[-1]["second"]
        line("replicas, by others with other options", lambda: deploy(current, 2, num_cpus=0.25))
        assert lines[-1]["first"] == 0
        automatic = {"autoscaling_config": {"min_replicas": 1, "max_replicas": 3, "target_ongoing_requests": 1,
                                            "upscale_delay_s": 1}, "num_replicas": "auto"}  # fmt: skip
        most = []

        def scaled():
            deploy(current, 3, **automatic)
            end = time.monotonic() + seconds
            while time.monotonic() < end and max(most, default=0) < 2:
                most.append(replicas())
                time.sleep(0.5)

        line("one replica, then as many as load asks for", scaled)
        assert max(most) >= 2, most
        lines[-1]["what"] += f": {max(most)}"
        wrongs(port)
        by_handle()
        serve.shutdown()
    return lines


def replicas():
    deployment = serve.status().applications["default"].deployments["tvmgo"]
    return sum(deployment.replica_states.values())


def wrongs(port):
    """See that what is wrong is said to who asks, and that nothing else happens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for inputs, code, message in (
        ({"z": [[1]]}, 422, "no input 'z'"),
        ({"x": [[1, 2]]}, 422, "input 'x': expected"),
        ({"x": "a"}, 422, "input 'x': expected"),
        ({}, 422, "none of ['x']"),
    ):
        status, document = ask(connection, inputs)
        assert (status, message in document["detail"]) == (code, True), document
    connection.request("POST", "/", "[")
    assert connection.getresponse().status == 400


def by_handle():
    x = exact.rows(7, 5)
    answer = serve.get_app_handle("default").predict.remote({"x": x.astype("float32")}).result()
    assert (answer["y"] == 2 * exact.answers(x)).all()
