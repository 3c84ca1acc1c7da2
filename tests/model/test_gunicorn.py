# SPDX-License-Identifier: Apache-2.0
"""A model that gunicorn loads before it forks its workers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.helpers import in_threads, search_path
from tests.model.kinds import request
from tests.model.service_load import HOST, free_port
from tests.model.test_process_life import EVERY_KIND

pytest.importorskip("gunicorn")

APPLICATION = """
import json, os
from tests.model.kinds import request
from tvmgo import Batcher, Model

KIND = os.environ["KIND"]
model = Model.load(os.environ["MODEL"], concurrency=2, threads=2)
ask = Batcher(model).submit if KIND == "batched" else model.submit
x, y = request(KIND, 1)
ask({"x": x}).result(20)  # there are threads before the fork
late = ask({"x": x})

def application(environ, respond):
    number = int(environ["QUERY_STRING"])
    x, y = request(KIND, number)
    [submitted] = ask({"x": x}).result(20).values()
    answer = {"process": os.getpid(), "y": model(x).tolist(), "submitted": submitted.tolist()}
    respond("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
"""


@contextlib.contextmanager
def gunicorn(kind, folder, place):
    """Run it with two workers of two threads; yield its port and process."""
    (place / "preloaded.py").write_text(APPLICATION)
    port = free_port()
    options = f"--preload --workers 2 --threads 2 --bind {HOST}:{port} --log-level error"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options.split(), "preloaded:application"],
        cwd=place,
        env={
            **os.environ,
            "KIND": kind,
            "MODEL": str(folder),
            "PYTHONPATH": search_path(place),
            "TVM_NUM_THREADS": "2",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def ask(kind, port, number):
    """Return which process has answered; the answer must be right."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/?{number}", timeout=20) as response:
        answer = json.loads(response.read())
    expected = request(kind, number)[1].tolist()
    assert answer["y"] == answer["submitted"] == expected
    return answer["process"]


def ask_until(kind, port, process, satisfied):
    """Ask until the set of processes that have answered is as it shall be; return it."""
    seen = set()
    end = time.monotonic() + 60
    while not satisfied(seen):
        assert process.poll() is None and time.monotonic() < end, seen
        try:
            seen.add(ask(kind, port, len(seen)))
        except (urllib.error.URLError, OSError):  # before it listens, or of who was killed
            time.sleep(0.05)
    return seen


@EVERY_KIND
def test_preloaded_models_work_in_every_worker(kind, folder_of, tmp_path):
    with gunicorn(kind, folder_of(kind), tmp_path) as (port, process):
        workers = ask_until(kind, port, process, lambda seen: len(seen) == 2)
        assert process.pid not in workers

        def work(number):
            for i in range(15):
                assert ask(kind, port, 100 * number + i) in workers

        in_threads(work, 4)
        killed = min(workers)
        os.kill(killed, signal.SIGKILL)
        others = ask_until(kind, port, process, lambda seen: len(seen - workers) == 1)
        assert killed not in others - workers
        process.send_signal(signal.SIGHUP)  # new workers, of the model that is there
        ask_until(kind, port, process, lambda seen: len(seen - workers - others) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
