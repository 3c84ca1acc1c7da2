# SPDX-License-Identifier: Apache-2.0
"""The networks that people export from PyTorch most, in plain torch.nn, with seeded weights."""

import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, kernel, stride=1, groups=1, activation=nn.ReLU):
    """Make a convolution with normalisation and activation, as nearly all CNNs have it."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        activation() if activation else nn.Identity(),
    )


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv(inputs, outputs, 3, stride)
        self.second = conv(outputs, outputs, 3, activation=None)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv(inputs, outputs, 1, stride, activation=None)

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet18(nn.Sequential):
    def __init__(self):
        blocks = []
        for inputs, outputs, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
            blocks += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        super().__init__(
            conv(3, 64, 7, 2),
            nn.MaxPool2d(3, 2, 1),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(512, 1000),
        )


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.residual = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            *([conv(inputs, hidden, 1, activation=nn.ReLU6)] if expand > 1 else []),
            conv(hidden, hidden, 3, stride, groups=hidden, activation=nn.ReLU6),
            conv(hidden, outputs, 1, activation=None),
        )

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV2(nn.Sequential):
    def __init__(self):
        layers, inputs = [conv(3, 32, 3, 2, activation=nn.ReLU6)], 32
        for expand, outputs, count, stride in (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ):
            for index in range(count):
                layers.append(InvertedResidual(inputs, outputs, 1 if index else stride, expand))
                inputs = outputs
        layers += [conv(320, 1280, 1, activation=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        super().__init__(*layers, nn.Dropout(0.2), nn.Linear(1280, 1000))


class UNet(nn.Module):
    """Convolutions down, transposed convolutions and bilinear resizing up, joined by skips."""

    def __init__(self, width=16):
        super().__init__()
        sizes = [width, 2 * width, 4 * width]
        self.down = nn.ModuleList(self.double(i, o) for i, o in zip([3, *sizes], sizes))
        self.bottom = self.double(sizes[-1], 8 * width)
        self.up = nn.ConvTranspose2d(8 * width, sizes[2], 2, 2)
        self.join = nn.ModuleList(
            [
                self.double(2 * sizes[2], sizes[1]),
                self.double(2 * sizes[1], sizes[0]),
                self.double(2 * sizes[0], width),
            ]
        )
        self.head = nn.Conv2d(width, 2, 1)

    @staticmethod
    def double(inputs, outputs):
        return nn.Sequential(conv(inputs, outputs, 3), conv(outputs, outputs, 3))

    def forward(self, x):
        skips = []
        for down in self.down:
            skips.append(down(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.up(self.bottom(x))
        for index, join in enumerate(self.join):
            if index:
                x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = join(torch.cat([skips.pop(), x], 1))
        return torch.sigmoid(self.head(x))


class Block(nn.Module):
    """One block of a transformer: attention and two linear layers, each after a normalisation."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x, mask=None, past=None):
        batch, length, width = x.shape
        q, k, v = (
            part.reshape(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).chunk(3, -1)
        )
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x)), (k, v)


class ViT(nn.Module):
    def __init__(self, width=192, heads=3, depth=12):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.token = nn.Parameter(torch.randn(1, 1, width) / 8)
        self.positions = nn.Parameter(torch.randn(1, 197, width) / 8)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x, _ = block(x)
        return self.head(self.norm(x)[:, 0])


class Encoder(nn.Module):
    """BERT's: token ids and a mask in, a vector for each token out."""

    def __init__(self, width=256, heads=4, depth=4):
        super().__init__()
        self.words, self.positions = nn.Embedding(5000, width), nn.Embedding(128, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, activation="gelu", batch_first=True
        )
        self.layers = nn.ModuleList(
            layer
            if not i
            else type(layer)(width, heads, 4 * width, activation="gelu", batch_first=True)
            for i in range(depth)
        )

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids) + self.positions.weight[: input_ids.shape[1]]
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=attention_mask == 0)
        return x


class GPTStep(nn.Module):
    """One token of a decoder, with the keys and values of those before it."""

    def __init__(self, width=256, heads=4, depth=4):
        super().__init__()
        self.words, self.positions = nn.Embedding(5000, width), nn.Embedding(128, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, token, position, keys, values):
        x = self.words(token) + self.positions(position)
        new_keys, new_values = [], []
        for index, block in enumerate(self.blocks):
            x, (k, v) = block(x, past=(keys[index], values[index]))
            new_keys.append(k)
            new_values.append(v)
        logits = self.norm(x) @ self.words.weight.T
        return logits, torch.stack(new_keys), torch.stack(new_values)


class Recurrent(nn.Module):
    """Two layers of LSTM or GRU over a sequence of vectors."""

    def __init__(self, kind):
        super().__init__()
        self.cells, self.head = kind(40, 64, num_layers=2, batch_first=True), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.cells(x)[0])


class BiLSTMTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(2000, 64)
        self.cells = nn.LSTM(64, 64, batch_first=True, bidirectional=True)
        self.head = nn.Linear(128, 12)

    def forward(self, tokens):
        scores = self.head(self.cells(self.words(tokens))[0])
        return scores, scores.argmax(-1)


def image(size):
    return {"image": torch.randn(1, 3, size, size)}


def tokens(length, count):
    return torch.randint(0, count, (1, length))


# By name: the network and one set of inputs, which fixes all shapes.
NETS = {
    "resnet18": (ResNet18, lambda: image(224)),
    "mobilenet_v2": (MobileNetV2, lambda: image(224)),
    "unet": (UNet, lambda: image(128)),
    "vit_tiny": (ViT, lambda: image(224)),
    "encoder": (
        Encoder,
        lambda: {
            "input_ids": tokens(32, 5000),
            "attention_mask": torch.ones(1, 32, dtype=torch.long),
        },
    ),
    "gpt_step": (
        GPTStep,
        lambda: {
            "token": tokens(1, 5000),
            "position": torch.tensor([[16]]),
            "keys": torch.randn(4, 1, 4, 16, 64),
            "values": torch.randn(4, 1, 4, 16, 64),
        },
    ),
    "lstm": (lambda: Recurrent(nn.LSTM), lambda: {"x": torch.randn(1, 16, 40)}),
    "gru": (lambda: Recurrent(nn.GRU), lambda: {"x": torch.randn(1, 16, 40)}),
    "bilstm_tagger": (BiLSTMTagger, lambda: {"tokens": tokens(16, 2000)}),
}


def settle(net):
    """Give normalisations the statistics that trained ones have: not 0 and 1."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return net.eval()
