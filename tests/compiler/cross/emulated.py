# SPDX-License-Identifier: Apache-2.0
"""Runs exports for AArch64 by QEMU, with a small C program in the place of a runtime."""

import shutil
import subprocess
from pathlib import Path

import numpy as np

import tvmgo
from tests.compiler.models import read_graph
from tvmgo.compiler.graph.element_types import ELEMENT_TYPES

DRIVER = Path(__file__).with_name("driver.c")
COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
PACKAGES = "qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"


def missing():
    """Return why nothing can be run; nothing if it can."""
    absent = [tool for tool in (COMPILER, EMULATOR[0]) if shutil.which(tool) is None]
    return f"no {' and no '.join(absent)}: apt-get install {PACKAGES}" if absent else ""


def compile_driver(folder):
    path = folder / "driver"
    subprocess.run([COMPILER, "-O1", "-o", path, DRIVER, "-ldl", "-lm"], check=True)
    return path


def run_emulated(driver, artifacts, inputs):
    """Return the outputs of an export for given inputs."""
    graph = read_graph(artifacts)
    attributes = {name: values for name, (_, values) in graph["attrs"].items()}
    specs = list(zip(attributes["shape"], attributes["dltype"], attributes["storage_id"]))
    place = [graph["node_row_ptr"][node] for node in range(len(graph["nodes"]))]
    params = tvmgo.runtime.load_param_dict(artifacts.params.read_bytes())
    values = {**{name: value.numpy() for name, value in params.items()}, **inputs}
    given = {place[i]: graph["nodes"][i]["name"] for i in graph["arg_nodes"]}
    heads = [place[node] + index for node, index, _ in graph["heads"]]

    folder = artifacts.library.parent
    files = [folder / name for name in ("plan.txt", "values.bin", "results.bin")]
    files[0].write_text(plan_of(graph, specs, place, given, heads))
    files[1].write_bytes(b"".join(values[name].tobytes() for name in given.values()))
    subprocess.run([*EMULATOR, driver, artifacts.library, *files], check=True, timeout=600)

    data, at, results = files[2].read_bytes(), 0, []
    for head in heads:
        shape, dtype, _ = specs[head]
        results.append(np.frombuffer(data, dtype, int(np.prod(shape)), at).reshape(shape))
        at += results[-1].nbytes
    assert at == len(data)
    return results


def plan_of(graph, specs, place, given, heads):
    sizes = {}
    for shape, dtype, pool in specs:
        nbytes = int(np.prod(shape)) * ELEMENT_TYPES[dtype].nbytes
        sizes[pool] = max(sizes.get(pool, 0), nbytes)
    lines = [counted(sizes[pool] for pool in range(len(sizes))), str(len(specs))]
    for shape, dtype, pool in specs:
        code, nbytes = ELEMENT_TYPES[dtype]
        code, bits = (1, 1) if dtype == "bool" else (code, 8 * nbytes)
        lines.append(f"{pool} {code} {bits} {counted(shape)}")
    lines.append(counted(given))
    calls = [(i, node) for i, node in enumerate(graph["nodes"]) if node["op"] == "tvm_op"]
    lines.append(str(len(calls)))
    for i, node in calls:
        inputs = [place[source] + index for source, index, _ in node["inputs"]]
        outputs = range(place[i], graph["node_row_ptr"][i + 1])
        lines.append(f"{node['attrs']['func_name']} {counted([*inputs, *outputs])}")
    return "\n".join([*lines, counted(heads)]) + "\n"


def counted(numbers):
    numbers = list(numbers)
    return " ".join(map(str, [len(numbers), *numbers]))
