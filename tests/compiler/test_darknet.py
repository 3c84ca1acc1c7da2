# SPDX-License-Identifier: Apache-2.0
"""Darknet's files, written here to the format, beside what Darknet's own code computes, in NumPy."""

import struct

import numpy as np
import onnxruntime
import pytest

from tvmgo.compiler import ExportError
from tvmgo.compiler.convert.darknet import compute, convert
from tvmgo.compiler.convert.request import Request

CONVOLUTION = "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=1\nactivation=leaky\n"
RANDOM = np.random.default_rng(0)


def files(folder, layers, *numbers, net="width=4\nheight=4\nchannels=2", version=(0, 2)):
    path = folder / "net.cfg"
    path.write_text(f"[net]\n{net}\n{layers}")
    seen = "<q" if version >= (0, 2) else "<i"
    blob = struct.pack("<iii", *version, 0) + struct.pack(seen, 7)
    blob += b"".join(np.asarray(each, "<f4").tobytes() for each in numbers)
    path.with_suffix(".weights").write_bytes(blob)
    return path


def run(path, x, rows=None):
    made = path.with_suffix(".onnx")
    convert(Request("Darknet", path, {}, {}, rows), made)
    return onnxruntime.InferenceSession(made).run(None, {"data": x})


def picture(rows=1, channels=2, side=4):
    return RANDOM.standard_normal((rows, channels, side, side), dtype=np.float32)


def normalised(count):
    """Return biases, scales, means and variances, in the order of the file."""
    return [RANDOM.uniform(0.5, 1.5, count).astype("f4") for _ in range(4)]


@pytest.mark.parametrize("version", [(0, 1), (0, 2)])
def test_convolution_with_statistics(version, tmp_path):
    """The small number is added to the deviation; the head is longer since version 0.2."""
    biases, scales, mean, variance = normalised(4)
    variance[0] = 1e-8
    weights = RANDOM.standard_normal((4, 2), dtype=np.float32)
    path = files(tmp_path, CONVOLUTION, biases, scales, mean, variance, weights, version=version)
    x = picture(rows=3)
    y = np.einsum("oc,nchw->nohw", weights, x)
    column = lambda v: v[:, None, None]  # noqa: E731
    y = column(scales) * (y - column(mean)) / (column(np.sqrt(variance)) + 1e-6) + column(biases)
    [got] = run(path, x)
    np.testing.assert_allclose(got, np.where(y > 0, y, 0.1 * y), rtol=1e-3, atol=1e-4)


def test_pool_pads_at_the_end(tmp_path):
    x = picture()
    [got] = run(files(tmp_path, "[maxpool]\nsize=2\nstride=1\n"), x)
    wide = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
    windows = [wide[:, :, i : i + 4, j : j + 4] for i in (0, 1) for j in (0, 1)]
    np.testing.assert_array_equal(got, np.max(windows, axis=0))


def test_reorg_as_the_loops_of_darknet(tmp_path):
    x = picture(channels=8)
    out = np.empty(x.size, "f4")
    flat, fewer = x.ravel(), 2
    for k in range(8):
        for j in range(4):
            for i in range(4):
                c2, offset = k % fewer, k // fewer
                w2, h2 = i * 2 + offset % 2, j * 2 + offset // 2
                out[i + 4 * (j + 4 * k)] = flat[w2 + 8 * (h2 + 8 * c2)]
    net = "width=4\nheight=4\nchannels=8"
    [got] = run(files(tmp_path, "[reorg]\nstride=2\n", net=net), x)
    np.testing.assert_array_equal(got, out.reshape(1, 32, 2, 2))


def test_yolo_and_what_it_is_called(tmp_path):
    layers = "[yolo]\nmask=0,1\nclasses=1\nscale_x_y=1.2\n[route]\nlayers=-1\n"
    x = picture(rows=2, channels=12)
    [got] = run(files(tmp_path, layers, net="width=4\nheight=4\nchannels=12"), x)
    y = x.reshape(2, 2, 6, 4, 4).copy()
    for part in (slice(0, 2), slice(4, 6)):
        y[:, :, part] = 1 / (1 + np.exp(-y[:, :, part]))
    y[:, :, :2] = 1.2 * y[:, :, :2] - 0.1
    np.testing.assert_allclose(got, y.reshape(2, 12, 4, 4), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "numbers", "reason"),
    [
        ("[rnn]\noutput=3\n", [], r"\[rnn\] in line 5: this kind of layer is none of"),
        (CONVOLUTION, [1, 2], "net.weights ends before its 4 numbers"),
        ("[dropout]\n", [1.0], "1 of its 1 numbers are those of no layer"),
        (CONVOLUTION.replace("leaky", "stair"), np.ones(24), "activation=stair is not supported"),
        ("[convolutional]\nxnor=1\n", [], "xnor=1 is not supported"),
        ("[shortcut]\nfrom=-3\n", [], "layer -3 is not before it"),
        ("[maxpool]\nsize=two\n", [], "size: expected a number, got 'two'"),
        ("[yolo]\nmask=0\nclasses=1\n", [], "2 channels are not 1 boxes of 4 \\+ 1 \\+ 1"),
        ("[detection]\nsoftmax=1\n", [], "softmax=1 is not supported"),
    ],
)
def test_refusals(layers, numbers, reason, tmp_path):
    with pytest.raises(ExportError, match=reason):
        run(files(tmp_path, layers, numbers), picture())


def test_nobody_can_be_asked():
    with pytest.raises(NotImplementedError, match="no package of Darknet"):
        compute(Request("Darknet", None, {}, {}, None), {})
