# SPDX-License-Identifier: Apache-2.0
"""Cross-compilation end to end: MobileNet is compiled here for AArch64, uploaded to a server that runs under
QEMU, and run and timed there.

The server is the wheel that `make wheel-aarch64` has made, in an environment of Debian's Python for AArch64.
"""

import os
import subprocess
import tempfile
import textwrap
from pathlib import Path

import numpy as np

import tvmgo
from examples.mobilenet import mobilenet_v1
from release.aarch64 import Environment
from tests.helpers import CHECKOUT
from tests.rpc.peers import TVMGO_SERVER, Peer
from tvmgo import graph_executor
from tvmgo.compiler import export
from tvmgo.rpc import connect

PYTHON = (3, 11)
ALONE = {"PYTHONPATH": ""}  # nothing of this machine

LOCALLY = """
import sys, numpy as np, tvmgo
from tvmgo import graph_executor
folder = sys.argv[1]
module = graph_executor.create(
    open(f"{folder}/deploy.json").read(), tvmgo.load_module(f"{folder}/deploy.so"), tvmgo.cpu())
module.load_params(open(f"{folder}/deploy.params", "rb").read())
module.run(input=np.load(f"{folder}/input.npy"))
np.save(f"{folder}/output.npy", module.get_output(0).numpy())
"""


def compute(files, library, device, image):
    """Return what a graph answers on a device, and the executor."""
    module = graph_executor.create(files.graph.read_text(), library, device)
    module.load_params(files.params.read_bytes())
    module.run(input=image)
    return module.get_output(0).numpy(), module


def measure():
    """Return what was found, by name."""
    [wheel] = CHECKOUT.glob("dist/*-cp{}{}-*aarch64.whl".format(*PYTHON))
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(PYTHON, Path(folder, "environment"), wheel)
        return measure_in(environment, Path(folder))


def measure_in(environment, work):
    model = mobilenet_v1()
    there = export(model, work / "aarch64", target="aarch64", format="graph")
    here = export(model, work / "here", format="graph")
    image = np.random.default_rng(0).random((1, 224, 224, 3), "float32")
    np.save(work / "aarch64" / "input.npy", image)
    locally = [*environment.python, "-c", textwrap.dedent(LOCALLY), str(work / "aarch64")]
    subprocess.run(locally, env={**os.environ, **ALONE}, cwd=work, check=True)
    server = Peer(
        [TVMGO_SERVER, "rpc", "server", "--port", "0", "--json"],
        python=environment.python,
        env=ALONE,
    )
    try:
        with connect(*server.address, timeout=600) as session:
            machine = session.machine["machine"]
            try:
                session.upload(here.library)
            except tvmgo.TVMValueError as error:
                refusal = str(error).partition("' is ")[2].replace(f":{server.address[1]}", "")
            else:
                raise SystemExit("a library for x86-64 was sent")
            session.upload(there.library)
            library = session.load_module(there.library.name)
            remote, module = compute(there, library, session.cpu(), image)
            seconds = module.benchmark(session.cpu(), number=1, repeat=1, input=image).mean
    finally:
        server.close()
    own, _ = compute(here, tvmgo.load_module(here.library), tvmgo.cpu(), image)
    apart = np.abs(own - remote).max()
    if remote.tobytes() != np.load(work / "aarch64" / "output.npy").tobytes() or apart >= 1e-5:
        raise SystemExit(f"wrong: {apart} from this machine")
    return {
        "machine": machine,
        "qemu": output("qemu-aarch64", "--version").split()[2],
        "python": output(*environment.python, "--version").split()[1],
        "refusal": refusal,
        "apart": float(apart),
        "seconds": seconds,
    }


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
