# SPDX-License-Identifier: Apache-2.0
"""Makes the models, by ONNX Runtime's quantisers or by hand where it has none.

Runs by a Python that has these and nothing of tvmgo: ``python -m tests.quantised.quantising FOLDER``.
"""

import copy
import json
import logging
import sys
import tempfile
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

from tests.quantised.floats import MODELS, sample

U8, S8 = QuantType.QUInt8, QuantType.QInt8
U16, S16, U4, S4 = QuantType.QUInt16, QuantType.QInt16, QuantType.QUInt4, QuantType.QInt4
SHORT = {U8: "u8", S8: "s8", U16: "u16", S16: "s16", U4: "u4", S4: "s4"}
OPERATOR, QDQ = QuantFormat.QOperator, QuantFormat.QDQ


class Samples(CalibrationDataReader):
    def __init__(self, given):
        self.left = [{"x": sample(given)} for _ in range(4)]

    def get_next(self):
        return self.left.pop() if self.left else None


def in_files(given, quantise):
    """Return what a quantiser of files makes of a model."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.onnx"), Path(folder, "b.onnx")
        onnx.save(given, source)
        quantise(source, target)
        return onnx.load(target)


def static(form, values, weights, *, per_channel=False, symmetric=False, opset=17):
    def quantise(given):
        given.opset_import[0].version = opset
        options = {"ActivationSymmetric": symmetric, "WeightSymmetric": symmetric or weights == S8}
        return in_files(
            given,
            lambda source, target: quantize_static(
                *(source, target, Samples(given)),
                quant_format=form,
                activation_type=values,
                weight_type=weights,
                per_channel=per_channel,
                extra_options=options,
            ),
        )

    parts = ["operators" if form is OPERATOR else "QDQ", f"{SHORT[values]} x {SHORT[weights]}"]
    parts += ["per channel"] * per_channel + ["symmetric"] * symmetric
    return ", ".join(parts), quantise


def dynamic(weights, *, per_channel=False):
    def quantise(given):
        return in_files(
            given,
            lambda source, target: quantize_dynamic(
                *(source, target), weight_type=weights, per_channel=per_channel
            ),
        )

    return f"dynamic, u8 x {SHORT[weights]}" + ", per channel" * per_channel, quantise


def by_blocks(bits, block, *, symmetric=True, form=OPERATOR, level=None):
    def quantise(given):
        # It needs packages that others do not.
        from onnxruntime.quantization.matmul_nbits_quantizer import (
            DefaultWeightOnlyQuantConfig,
            MatMulNBitsQuantizer,
        )

        given.opset_import[0].version = 21
        config = DefaultWeightOnlyQuantConfig(
            block_size=block,
            is_symmetric=symmetric,
            accuracy_level=level,
            quant_format=form,
            bits=bits,
        )
        quantiser = MatMulNBitsQuantizer(given, algo_config=config)
        quantiser.process()
        return quantiser.model.model

    name = "MatMulNBits" if form is OPERATOR else "QDQ by blocks"
    parts = [f"{name}, {bits} bits", f"blocks of {block}"]
    parts += ["symmetric" if symmetric else "with zero points"]
    parts += [f"accuracy level {level}"] * (level is not None)
    return ", ".join(parts), quantise


def float16(keep):
    def quantise(given):
        return convert_float_to_float16(given, keep_io_types=keep)

    return "float16" + ", inputs and outputs of float32" * keep, quantise


def short_weights(dtype):
    """Weights in another type, cast to float32 or dequantised where they are read; by hand."""

    def quantise(given):
        given.opset_import[0].version = 21
        for tensor in [each for each in given.graph.initializer if len(each.dims) > 1]:
            content = numpy_helper.to_array(tensor)
            name, short = tensor.name, f"{tensor.name}_short"
            given.graph.initializer.remove(tensor)
            if dtype in ("float16", "bfloat16"):
                read = helper.make_node("Cast", [short], [name], to=TensorProto.FLOAT)
                values = content.astype(getattr(ml_dtypes, dtype, dtype))
            else:
                step = np.float32(np.abs(content).max() / np.iinfo(dtype).max)
                values = np.rint(content / step).astype(dtype)
                given.graph.initializer.append(numpy_helper.from_array(step, f"{name}_step"))
                read = helper.make_node("DequantizeLinear", [short, f"{name}_step"], [name])
            given.graph.initializer.append(numpy_helper.from_array(values, short))
            given.graph.node.insert(0, read)
        return given

    return f"weights of {dtype} alone", quantise


# Forms, and of which models they are made; None are all.
PRODUCTS = ("Conv", "MatMul", "Gemm")
DYNAMIC = ("Conv", "MatMul", "Gemm", "LSTM", "Attention", "Gather")
FORMS = [
    (static(OPERATOR, U8, U8), None),
    (static(OPERATOR, U8, S8, per_channel=True), PRODUCTS),
    (static(OPERATOR, S8, S8), PRODUCTS),
    (static(OPERATOR, S8, S8, per_channel=True, symmetric=True), PRODUCTS),
    (static(QDQ, U8, S8), None),
    (static(QDQ, U8, U8, per_channel=True), PRODUCTS),
    (static(QDQ, S8, S8, per_channel=True), PRODUCTS),
    (static(QDQ, S8, S8, per_channel=True, symmetric=True, opset=21), (*PRODUCTS, "Add")),
    (static(QDQ, U16, S8, opset=21), (*PRODUCTS, "Add", "Sigmoid")),
    (static(QDQ, S16, S16, symmetric=True, opset=21), PRODUCTS),
    (static(QDQ, U8, S4, opset=21), PRODUCTS),
    (static(QDQ, U8, U4, opset=21, per_channel=True), PRODUCTS),
    (dynamic(U8), DYNAMIC),
    (dynamic(S8), ("MatMul", "LSTM", "Attention")),
    (dynamic(S8, per_channel=True), ("MatMul", "LSTM")),
    (by_blocks(4, 32), ("MatMul",)),
    (by_blocks(4, 16, symmetric=False), ("MatMul",)),
    (by_blocks(4, 128, level=4), ("MatMul",)),
    (by_blocks(8, 32), ("MatMul",)),
    (by_blocks(4, 32, form=QDQ), ("MatMul",)),
    (by_blocks(4, 32, form=QDQ, symmetric=False), ("MatMul",)),
    (float16(True), ("Conv", "MatMul", "Gemm", "LSTM", "Gather")),
    (float16(False), ("Conv", "MatMul", "Gemm")),
    *(
        (short_weights(dtype), ("Conv", "MatMul", "Gemm", "LSTM", "Gather"))
        for dtype in ("float16", "bfloat16", "int8")
    ),
]


def main(folder, wanted):
    logging.disable(logging.WARNING)
    number = 0
    for (form, quantise), kinds in FORMS:
        for kind in kinds or MODELS:
            number += 1
            if wanted and not any(each in f"{kind}, {form}" for each in wanted):
                continue
            place = Path(folder, f"{number:03}")
            place.mkdir()
            given = MODELS[kind]()
            x = sample(given)
            about = {"kind": kind, "form": form, "floats": sum(map(size, given.graph.initializer))}
            try:
                made = quantise(copy.deepcopy(given))
                if made.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT16:
                    x = x.astype("float16")
                onnx.save(made, place / "model.onnx")
                np.save(place / "x.npy", x)
            except Exception as error:  # quantisers have no class of their own
                about["failure"] = f"{type(error).__name__}: {error}"
            (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
    versions = f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"
    Path(folder, "versions").write_text(versions, encoding="utf-8")


def size(tensor):
    return numpy_helper.to_array(tensor).nbytes


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
