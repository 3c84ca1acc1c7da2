# SPDX-License-Identifier: Apache-2.0
"""What `make test-cluster` needs: an environment with Ray, and with Spark where there is Java; and models."""

import shutil
import tempfile
from pathlib import Path

from onnx import save

from examples.mobilenet import mobilenet_v1
from tests.helpers import CHECKOUT, environment_with
from tests.model import exact
from tests.serving.environment import save_mlp
from tvmgo.compiler import export

CACHE = CHECKOUT / ".cache" / "cluster"
MODELS = CACHE / "models"
REQUIREMENTS = ["ray[data,serve]==2.60.0", "onnxruntime", "pandas", "pytest"]
SPARK = ["pyspark==4.3.0"]
CROWD = 30  # models that many actors have at once


def environment():
    """Return the interpreter of the environment, which is made unless it is there."""
    return environment_with(CACHE / "env", REQUIREMENTS + (SPARK if shutil.which("java") else []))


def models():
    """Export what the cluster runs, unless it is there."""
    MODELS.mkdir(parents=True, exist_ok=True)
    if not (MODELS / "mlp.tvmgo").exists():
        save_mlp(MODELS / "mlp.onnx")
        export(MODELS / "mlp.onnx", MODELS / "mlp.tvmgo", batch=(1, 8, 32))
    if not (MODELS / "mobilenet.tvmgo").exists():
        save(mobilenet_v1(), MODELS / "mobilenet.onnx")
        export(MODELS / "mobilenet.onnx", MODELS / "mobilenet.tvmgo")
    for name, factor in (("exact", 1), ("twice", 2)):
        if not (MODELS / f"{name}.tvmgo").exists():
            exact.save_network(MODELS / f"{name}.onnx", factor=factor)
            export(MODELS / f"{name}.onnx", MODELS / f"{name}.tvmgo", batch=(1, 8, 32))
    for number in range(CROWD):
        # Files of their own: no two models share a page.
        if not (MODELS / f"crowd{number}.tvmgo").exists():
            with tempfile.NamedTemporaryFile(dir=MODELS, delete=False) as file:
                file.write((MODELS / "mobilenet.tvmgo").read_bytes())
            Path(file.name).rename(MODELS / f"crowd{number}.tvmgo")
