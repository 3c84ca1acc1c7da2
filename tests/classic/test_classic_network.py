# SPDX-License-Identifier: Apache-2.0
"""A graph over a classic library gives NumPy's result, bit for bit."""

import gc
import json
import shutil
import sys
import threading

import numpy as np
import pytest

import tvmgo
from tests.classic.loading import load
from tests.graphs import device_index, document, op, var

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


def network_graph():
    nodes = [
        var("image", (1, 12, 10, 3), sid=0),
        var("w", (101, 3), sid=1),
        var("b", (101,), sid=2),
        op("mean_of_channels", ["image"], (1, 1, 1, 3), sid=3, name="pool", prefix=""),
        op("__nop", ["pool"], (1, 3), sid=3, name="flat"),
        op("weigh", ["flat", "w", "b"], (1, 101), sid=4, name="dense", prefix=""),
        op("normalise_squares", ["dense"], (1, 101), sid=5, name="head", prefix=""),
    ]
    return json.dumps(document(nodes, ["head"], **device_index(*[1] * 7)))


def network_result(image, w, b):
    """The same in NumPy, single precision, in the same order."""
    f = np.float32
    pixels = image.reshape(-1, 3)
    mean = np.zeros(3, f)
    for row in pixels:
        mean = mean + row
    mean = mean / f(len(pixels))
    y = b.copy()
    for k in range(3):
        y = y + mean[k] * w[:, k]
    total = f(0)
    for value in y:
        total = total + value * value
    return y * y / total


def test_network_bit_for_bit(compiled, tmp_path):
    module = load(shutil.copy2(compiled("network.c", "-O2", "-ffp-contract=off"), tmp_path))
    assert module.kind == "classic_library"
    numbers = np.random.default_rng(3)
    image = numbers.random((1, 12, 10, 3), "float32")
    w = numbers.random((101, 3), "float32") - np.float32(0.5)
    b = numbers.random(101, "float32")
    executor = tvmgo.get_global_function("tvm.graph_executor.create")(network_graph(), module, 1, 0)
    for name, value in (("image", image), ("w", w), ("b", b)):
        executor["set_input"](name, tvmgo.array(value))
    executor["run"]()
    result = np.asarray(executor["get_output"](0)).reshape(-1)
    assert result.tobytes() == network_result(image, w, b).tobytes()


def test_one_executor_per_thread(compiled, tmp_path):
    module = load(shutil.copy2(compiled("network.c", "-O2", "-ffp-contract=off"), tmp_path))
    create = tvmgo.get_global_function("tvm.graph_executor.create")
    problems = []

    def work(seed):
        numbers = np.random.default_rng(seed)
        inputs = [numbers.random(shape, "float32") for shape in ((1, 12, 10, 3), (101, 3), (101,))]
        expected = network_result(*inputs).tobytes()
        executor = create(network_graph(), module, 1, 0)
        for index, value in enumerate(inputs):
            executor["set_input"](index, tvmgo.array(value))
        for _ in range(50):
            executor["run"]()
            if np.asarray(executor["get_output"](0)).tobytes() != expected:
                problems.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    gc.collect()
