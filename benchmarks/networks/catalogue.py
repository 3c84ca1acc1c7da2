# SPDX-License-Identifier: Apache-2.0
"""Which networks are measured, and what they should take beside ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx
from onnx import ModelProto

from benchmarks import BUILD
from benchmarks.networks import built
from tests.real_models.catalogue import MODELS
from tests.real_models.collect import collect, path_of

ROOT = Path(__file__).parents[2]
COLLECTED = {model.name: model for model in MODELS}
# Parts of the largest result by which others may be off: enough to tell a network from another one, since
# `make models` says how exact they are. In a quantised one a step of rounding moves others.
QUANTISED, EXACT = 0.1, 1e-3


@dataclass(frozen=True)
class Network:
    """A network; `limits` are the ratios to ONNX Runtime with one thread and with two."""

    name: str
    limits: tuple[float, float]
    write: Callable[[Path], object] | None = None  # else it is one of those collected
    collected: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tolerance: float = EXACT

    def path(self) -> Path:
        """Return its file, made or collected if it is not there yet."""
        if self.write is None:
            model = COLLECTED[self.collected or self.name]
            collect([model])
            return path_of(model)
        path = BUILD / "networks" / f"{self.name}.onnx"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.write(path)
        return path


def writing(make: Callable[..., ModelProto], *arguments: int) -> Callable[[Path], None]:
    return lambda path: onnx.save(make(*arguments), path)


def mobilenet_v1(path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "examples" / "mobilenet.py", path], check=True)


def collected(name: str, limit: float, more: float = 0.05, source: str = "") -> Network:
    """One of those that `make models` collects; two threads may take `more`."""
    source = source or name
    model = COLLECTED[source]
    shapes = {**{name: value.shape for name, value in model.given.items()}, **model.shapes}
    tolerance = QUANTISED if "int8" in source else EXACT
    return Network(name, (limit, round(limit + more, 2)), None, source, shapes, tolerance)


NETWORKS = (
    Network("MobileNet v1", (1.0, 1.05), mobilenet_v1),
    collected("MobileNet v2", 1.0, source="MobileNet v2, dynamo"),
    collected("ResNet18", 0.95, source="ResNet18, dynamo"),
    collected("ResNet50", 0.95),
    collected("VGG19", 0.75),
    collected("SqueezeNet", 0.95),
    collected("ShuffleNet", 1.0),
    collected("Inception v2", 1.0),
    collected("DenseNet121", 0.9),
    Network("MiniLM, 32 tokens", (0.9, 0.95), writing(built.mini_lm, 32)),
    Network("MiniLM, 128 tokens", (0.9, 0.95), writing(built.mini_lm, 128)),
    collected("ViT tiny", 0.9, source="ViT tiny, dynamo"),
    collected("encoder", 0.9, source="encoder, dynamo"),
    collected("GPT step with cache", 0.9, source="GPT step with cache, dynamo"),
    collected("PP-OCR detector", 1.0),
    collected("PP-OCR recogniser", 1.0),
    collected("PP-OCR classifier", 1.0),
    collected("ddddocr text", 1.0),
    collected("ddddocr old text", 1.0),
    collected("ddddocr detector", 1.0),
    collected("U-Net", 1.0, source="U-Net, dynamo"),
    collected("YOLOv8 detector", 1.0),
    collected("LSTM", 0.9, 0.1, source="LSTM, dynamo"),
    collected("GRU", 0.9, 0.1, source="GRU, dynamo"),
    collected("BiLSTM tagger", 0.9, 0.1, source="BiLSTM tagger, dynamo"),
    Network("CNN and LSTM", (0.9, 1.0), writing(built.reader)),
    Network("MLP, batch 1", (0.5, 0.5), writing(built.mlp, 1)),
    Network("MLP, batch 64", (1.0, 1.0), writing(built.mlp, 64)),
    collected("ResNet18, QDQ", 1.0, source="ResNet18, int8"),
    collected("MobileNet v2, QDQ", 1.0, source="MobileNet v2, int8"),
)
BY_NAME = {network.name: network for network in NETWORKS}
