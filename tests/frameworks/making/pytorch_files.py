# SPDX-License-Identifier: Apache-2.0
"""Writes models of PyTorch: as ExportedPrograms, with a batch of any size, and as TorchScript."""

import sys
from pathlib import Path

import numpy as np
import torch
from saving import save
from torch import nn
from torch.export import Dim

ROWS, STEPS, WORDS = 2, 12, 50


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU6(),
            nn.Conv2d(8, 8, 3, padding="same", groups=8),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(8, 8, 3, padding=2, dilation=2),
            nn.SiLU(),
            nn.AvgPool2d(2, padding=1, count_include_pad=False),
            nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(4, 5)

    def forward(self, image):
        return self.head(self.body(image))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer = kind(6, 8, num_layers=2, bidirectional=True, batch_first=True)

    def forward(self, steps):
        return self.layer(steps)[0][:, -1]


class Attention(nn.Module):
    """Words, their attention to each other, and two results."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.score, self.topics = nn.Linear(16, 1), nn.Linear(16, 4)

    def forward(self, words):
        y = self.words(words)
        y = self.norm(y + self.attention(y, y, y, need_weights=False)[0]).mean(1)
        return {"score": self.score(y), "topics": self.topics(y)}


def normal(*shape):
    return torch.randn(ROWS, *shape)


MODELS = {
    "mlp": (
        lambda: nn.Sequential(
            nn.Linear(10, 32), nn.ReLU(), nn.LayerNorm(32), nn.Linear(32, 3), nn.Softmax(-1)
        ),
        lambda: {"input": normal(10)},
    ),
    "cnn": (Cnn, lambda: {"image": normal(3, 33, 31)}),
    "lstm": (lambda: Recurrent(nn.LSTM), lambda: {"steps": normal(STEPS, 6)}),
    "gru": (lambda: Recurrent(nn.GRU), lambda: {"steps": normal(STEPS, 6)}),
    "attention": (Attention, lambda: {"words": torch.randint(WORDS, (ROWS, STEPS))}),
}


def settled(model):
    """Give batch normalisation statistics that are not those that every model begins with."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return model.eval()


def program(model, inputs, path):
    dynamic = tuple({0: Dim("batch", max=1024)} for _ in inputs)
    exported = torch.export.export(model, tuple(inputs.values()), dynamic_shapes=dynamic)
    torch.export.save(exported, path)


def script(model, inputs, path):
    torch.jit.trace(model, tuple(inputs.values()), strict=False, check_trace=False).save(path)


def module(model, inputs, path):
    save(model, path.with_suffix(""), {name: each.numpy() for name, each in inputs.items()})


FORMS = {".pt2": program, ".pt": script, ".module.pt2": module}


def main(folder):
    for name, (make, values) in MODELS.items():
        torch.manual_seed(0)
        model, inputs = settled(make()), values()
        results = model(*inputs.values())
        results = list(results.values()) if isinstance(results, dict) else [results]
        said = {f"y{i}": each.detach().numpy() for i, each in enumerate(results)}
        for suffix, write in FORMS.items():
            path = folder / f"{name}{suffix}"
            try:
                write(model, inputs, path)
            except Exception as error:
                print(f"{path.name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                continue
            np.savez(f"{path}.npz", **{key: each.numpy() for key, each in inputs.items()}, **said)
            print(path.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
