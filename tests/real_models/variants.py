# SPDX-License-Identifier: Apache-2.0
"""Writes float16 and quantised versions of models that `torch_export` wrote, beside them.

python variants.py DIRECTORY
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxconverter_common.float16 import convert_float_to_float16
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

HALVED = ("resnet18", "mobilenet_v2", "unet", "vit_tiny", "encoder", "gpt_step")
QUANTISED = ("resnet18", "mobilenet_v2", "encoder")


class Samples(CalibrationDataReader):
    """Inputs by which the ranges of a quantised model are chosen."""

    def __init__(self, path):
        random = np.random.default_rng(0)
        self.feeds = iter(
            [
                {value.name: sample(value, random) for value in onnx.load(path).graph.input}
                for _ in range(4)
            ]
        )

    def get_next(self):
        return next(self.feeds, None)


def sample(value, random):
    shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return np.ones(shape, dtype) if "mask" in value.name else random.integers(0, 5000, shape, dtype)


def quantise(source, target):
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared.onnx")
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Samples(source),
            quant_format=QuantFormat.QDQ,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


def main(directory):
    for name in HALVED:
        target = Path(directory, f"{name}.float16.onnx")
        if not target.exists():
            model = onnx.load(Path(directory, f"{name}.dynamo.onnx"))
            onnx.save(convert_float_to_float16(model), target)
            print(target, flush=True)
    for name in QUANTISED:
        target = Path(directory, f"{name}.int8.onnx")
        if not target.exists():
            quantise(Path(directory, f"{name}.dynamo.onnx"), target)
            print(target, flush=True)


main(*sys.argv[1:])
