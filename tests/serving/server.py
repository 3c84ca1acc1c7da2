# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own, and requests to it over plain sockets."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HOST = "127.0.0.1"
MODELS = Path(__file__).parents[2] / ".cache" / "serving" / "models"
COMMAND = [sys.executable, "-c", "import sys; from tvmgo.cli import main; sys.exit(main())"]


def free_port():
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


class Server:
    """A running server: its ports, its process, and what it has logged."""

    def __init__(self, process, port, grpc_port, log):
        self.process, self.port, self.grpc_port, self._log = process, port, grpc_port, log

    @property
    def url(self):
        return f"{HOST}:{self.port}"

    @property
    def grpc_url(self):
        return f"{HOST}:{self.grpc_port}"

    def logged(self):
        return [json.loads(line) for line in Path(self._log).read_text().splitlines()]

    def cpu_seconds(self):
        """Return what the process has used; without workers."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def workers(self):
        """Return the processes that answer REST, where there are several."""
        children = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        return [int(line.split()[0]) for line in children if "spawn_main" in line]

    def ask(self, method, path, body=None, headers=(), timeout=30):
        """Return status, document and headers of a request on a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def infer(self, model, document, headers=()):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        status, text, _ = self.ask("POST", f"/v2/models/{model}/infer", body, headers)
        return status, json.loads(text)


@contextlib.contextmanager
def serving(tmp_path, *names, options=(), command=COMMAND):
    """Run ``tvmgo serve`` with models of `MODELS`, or with paths; SIGTERM ends it with status 0."""
    port, grpc_port = free_port(), free_port()
    log = Path(tmp_path, f"log{port}")
    paths = [str(MODELS / name) for name in names]
    ports = ["--port", str(port), "--grpc-port", str(grpc_port)]
    with log.open("w") as file:
        process = subprocess.Popen([*command, "serve", *paths, *ports, *options], stderr=file)
    server = Server(process, port, grpc_port, log)
    try:
        end = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            with contextlib.suppress(OSError):
                for each in (port, grpc_port):
                    socket.create_connection((HOST, each)).close()
                break
            time.sleep(0.1)
        yield server
    except BaseException:
        print(log.read_text()[-4000:])
        raise
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
        try:
            status = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert status == 0, log.read_text()
