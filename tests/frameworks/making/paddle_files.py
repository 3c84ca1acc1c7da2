# SPDX-License-Identifier: Apache-2.0
"""Writes models of PaddlePaddle: by itself, and as objects that `export` has it save; and what it computes."""

import sys
from pathlib import Path

import numpy as np
import paddle
from paddle import nn
from paddle.static import InputSpec
from saving import save

RANDOM = np.random.RandomState(0)


class Recurrent(nn.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 10, num_layers=2, direction="bidirect")
        self.gru = nn.GRU(20, 7)
        self.out = nn.Linear(7, 3)

    def forward(self, steps):
        y, _ = self.lstm(steps)
        z, _ = self.gru(y)
        return self.out(z[:, -1]), y


class Attention(nn.Layer):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 16)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32), 2)
        self.out = nn.Linear(16, 2)

    def forward(self, words):
        return self.out(self.encoder(self.words(words)).mean(axis=1))


def mlp():
    layers = nn.Linear(8, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 4), nn.Softmax()
    return nn.Sequential(*layers)


def cnn():
    return nn.Sequential(
        nn.Conv2D(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2D(8),
        nn.Hardswish(),
        nn.MaxPool2D(2),
        nn.Conv2D(8, 8, 3, groups=8, padding="SAME"),
        nn.AvgPool2D(3, 2, 1),
        nn.AdaptiveAvgPool2D(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


MODELS = {
    "mlp": (mlp, "input", (8,), "float32"),
    "cnn": (cnn, "input", (3, 32, 32), "float32"),
    "recurrent": (Recurrent, "steps", (5, 6), "float32"),
    "attention": (Attention, "words", (7,), "int64"),
}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    paddle.seed(0)
    for name, (build, given, shape, dtype) in MODELS.items():
        model = build()
        model.eval()
        for key, value in model.named_buffers():
            if key.endswith(("_mean", "_variance")):
                value.set_value(
                    paddle.to_tensor(RANDOM.uniform(0.5, 1.5, value.shape).astype("float32"))
                )
        draw = RANDOM.randn(2, *shape) if dtype == "float32" else RANDOM.randint(0, 50, (2, *shape))
        x = draw.astype(dtype)
        results = model(paddle.to_tensor(x))
        results = results if isinstance(results, tuple) else (results,)
        values = {f"y{i}": value.numpy() for i, value in enumerate(results)}
        specs = [InputSpec([None, *shape], dtype, given)]
        paddle.jit.save(model, str(folder / name), specs)
        paths = [folder / f"{name}.json", save(model, folder / f"{name}.object", {given: x}, True)]
        if name == "mlp":
            static = paddle.jit.to_static(model, input_spec=specs)
            paths.append(save(static, folder / f"{name}.static"))
        for path in paths:
            np.savez(folder / f"{path.name}.npz", **{given: x}, **values)
            print(path.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
