# SPDX-License-Identifier: Apache-2.0
"""Writes models of MXNet, by Gluon and by its symbols, and what it computes."""

import sys
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from mxnet.gluon import nn, rnn
from mxnet.gluon.model_zoo import vision

RANDOM = np.random.RandomState(0)


class Recurrent(gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 6)
        self.lstm = rnn.LSTM(10)
        self.gru = rnn.GRU(7)
        self.out = nn.Dense(3)

    def hybrid_forward(self, F, x):
        return self.out(self.gru(self.lstm(self.words(x))).transpose((1, 0, 2)))


def sequence(*layers):
    net = nn.HybridSequential()
    net.add(*layers)
    return net


def mlp():
    return sequence(nn.Dense(16, activation="relu"), nn.LayerNorm(), nn.Dropout(0.5), nn.Dense(4))


def cnn():
    return sequence(
        nn.Conv2D(8, 3, 2, 1),
        nn.BatchNorm(),
        nn.LeakyReLU(0.1),
        nn.MaxPool2D(3, 2, ceil_mode=True),
        nn.Conv2D(8, 3, groups=8, padding=1),
        nn.BatchNorm(scale=False),
        nn.PReLU(),
        nn.AvgPool2D(3, 2, 1, count_include_pad=False),
        nn.GlobalAvgPool2D(),
        nn.Flatten(),
        nn.Dense(5),
    )


GLUON = {
    "mlp": (mlp, (4, 8)),
    "cnn": (cnn, (2, 3, 32, 32)),
    "recurrent": (Recurrent, (5, 2)),
    "mobilenet": (lambda: vision.mobilenet_v2_0_25(classes=10), (1, 3, 64, 64)),
}


def by_gluon(folder, name, build, shape):
    net = build()
    net.initialize(mx.init.Xavier())
    net.hybridize()
    draw = RANDOM.randint(0, 50, shape) if name == "recurrent" else RANDOM.randn(*shape)
    x = draw.astype("float32")
    net(nd.array(x))
    for key, value in net.collect_params().items():
        if key.endswith(("running_mean", "running_var")):
            value.set_data(nd.array(RANDOM.uniform(0.5, 1.5, value.shape)))
    result = net(nd.array(x))
    net.export(str(folder / name))
    return x, result


def by_symbols(folder, name):
    """A loss at the end, and a batch normalisation whose factors are there and not used."""
    y = mx.sym.Variable("data")
    y = mx.sym.Convolution(y, kernel=(3, 3), num_filter=6, name="conv")
    y = mx.sym.BatchNorm(y, fix_gamma=True, name="bn")
    y = mx.sym.FullyConnected(mx.sym.Activation(y, act_type="tanh"), num_hidden=3, name="fc")
    module = mx.mod.Module(mx.sym.SoftmaxOutput(y, name="softmax"))
    module.bind([("data", (4, 2, 8, 8))], [("softmax_label", (4,))])
    module.init_params(mx.init.Xavier())
    arguments, states = module.get_params()
    arguments["bn_gamma"][:] = 3.0
    states["bn_moving_var"][:] = 0.7
    module.set_params(arguments, states)
    module.save_checkpoint(str(folder / name), 3)
    x = RANDOM.randn(4, 2, 8, 8).astype("float32")
    module.forward(mx.io.DataBatch([nd.array(x)], [nd.zeros(4)]), is_train=False)
    return x, module.get_outputs()[0]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    mx.random.seed(0)
    made = {name: lambda name=name: by_gluon(folder, name, *GLUON[name]) for name in GLUON}
    made["symbols"] = lambda: by_symbols(folder, "symbols")
    for name, make in made.items():
        x, result = make()
        np.savez(folder / f"{name}-symbol.json.npz", data=x, y0=result.asnumpy())
        print(f"{name}-symbol.json", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
