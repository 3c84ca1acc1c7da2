# SPDX-License-Identifier: Apache-2.0
"""``python -m release.wheels MODEL``: the source distribution and the wheels of all CPythons of this machine, in
dist/, each tried where nothing else is installed.

MODEL is a folder with an exported model and the ``mobilenet.onnx`` that it was made from. The wheels are those of `release.wheel`, whose
command runs all tests against one of them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from release import smoke
from release.command import run
from release.pythons import find_pythons
from release.source import copy_checkout
from release.wheel import begin, build, check, tag


def write_expectation(model: Path, onnx: Path, target: Path) -> Path:
    """Copy an exported model, with an input and what ONNX Runtime answers to it."""
    target.mkdir()
    for name in ("deploy.so", "deploy.json", "deploy.params", "model.json"):
        if (model / name).exists():
            shutil.copy(model / name, target)
    session = onnxruntime.InferenceSession(onnx)
    [declared] = session.get_inputs()
    x = np.random.default_rng(0).random(declared.shape, dtype="float32")
    np.save(target / "input.npy", x)
    np.save(target / "expected.npy", session.run(None, {declared.name: x})[0])
    return target


def try_wheel(python: Path, wheel: Path, deployed: Path, environment: Path) -> str:
    """Install a wheel into an empty environment, and use it there. Return what was tried."""
    run(python, "-m", "venv", environment)
    installed = environment / "bin" / "python"
    run(installed, "-m", "pip", "install", "--quiet", wheel)
    said = run(installed, "-I", smoke.__file__, deployed)
    shutil.rmtree(environment)
    return said.strip().splitlines()[-1]


def main(model: str) -> None:
    rows = []
    with tempfile.TemporaryDirectory(prefix="tvmgo-wheels-") as folder:
        work = Path(folder)
        deployed = write_expectation(Path(model), Path(model, "mobilenet.onnx"), work / "deployed")
        sdist = begin(copy_checkout(work / "checkout"))
        for version, python in find_pythons().items():
            start = time.perf_counter()
            name = "cp{}{}".format(*version)
            wheel = tag(build(python, sdist, work / name))
            check(wheel)
            tried = try_wheel(python, wheel, deployed, work / "environment")
            shutil.rmtree(work / name)
            seconds = time.perf_counter() - start
            rows.append(f"{wheel.name}  {wheel.stat().st_size:,} bytes  {seconds:.0f} s  {tried}")
            print(rows[-1], flush=True)
    print("\n".join(["", *rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
