# SPDX-License-Identifier: Apache-2.0
"""Weights of four, eight and sixteen bits stay as short as they are, and compute as in float32."""

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.models import normal, onnx_model, run
from tvmgo.compiler import export
from tvmgo.compiler.short_integers import pack

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

RANDOM = np.random.default_rng(9)
DEPTH, COLUMNS, BLOCK = 96, 64, 32
X = normal(3, DEPTH)


def exported(nodes, weights, folder, *, x=X, opset=21, columns=COLUMNS):
    """Export and run a model from `x` to `y`; return what comes out, kernels and bytes of files."""
    code = helper.np_dtype_to_tensor_dtype(x.dtype)
    model = onnx_model(nodes, {"x": (code, x.shape)}, {"y": (code, None)}, weights)
    model.opset_import[0].version = opset
    model.ir_version = 10
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    files = export(model, folder, target="native", verify=True)
    assert files.report.compiler == "relax"
    assert files.report.verification.startswith("agrees")
    (result,) = run(files, {"x": x})
    return result, [each.template for each in files.report.kernels], files.params.stat().st_size


def scales(blocks=DEPTH // BLOCK):
    return RANDOM.uniform(0.01, 0.1, (blocks, COLUMNS)).astype("float32")


def near(result, weights, x=X, rtol=1e-6):
    exact = x.astype("float64") @ weights
    most = np.abs(x.astype("float64")) @ np.abs(weights) * 16
    return (np.abs(result.astype("float64") - exact) <= rtol * most).all()


@pytest.mark.parametrize(
    ("zeros", "x"), [(True, X), (False, X.astype("float16")), (True, normal(1, DEPTH))]
)
def test_matmul_nbits(zeros, x, tmp_path):
    values = RANDOM.integers(0, 16, (COLUMNS, DEPTH)).astype("uint8")
    steps = scales()
    own = RANDOM.integers(0, 16, (COLUMNS, DEPTH // BLOCK)).astype("uint8")
    weights = {"w": pack(values, 4).reshape(COLUMNS, -1, BLOCK // 2)}
    weights["s"] = np.ascontiguousarray(steps.T.astype(x.dtype))
    weights["z"] = pack(own, 4)
    attributes = {"K": DEPTH, "N": COLUMNS, "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
    names = ["x", "w", "s", "z"] if zeros else ["x", "w", "s"]
    if not zeros:
        del weights["z"]
        own = np.full_like(own, 8)
    node = helper.make_node("MatMulNBits", names, ["y"], domain="com.microsoft", **attributes)
    result, kernels, size = exported([node], weights, tmp_path, x=x)
    centred = values.astype("float64") - np.repeat(own, BLOCK, 1)
    exact = (centred * np.repeat(weights["s"].astype("float64"), BLOCK, 1)).T
    assert near(result, exact, x, 1e-6 if x.dtype == np.float32 else 1e-3)
    assert kernels.count("narrow product") == 1
    assert size < DEPTH * COLUMNS * 0.9


@pytest.mark.parametrize(
    ("dtype", "gemm"), [("int4", True), ("uint4", False), ("int8", False), ("uint8", True)]
)
def test_dequantised_by_blocks(dtype, gemm, tmp_path):
    limits = ml_dtypes.iinfo(dtype)
    values = RANDOM.integers(limits.min, limits.max + 1, (DEPTH, COLUMNS)).astype(dtype)
    steps = scales()
    zeros = RANDOM.integers(limits.min, limits.max + 1, steps.shape).astype(dtype)
    exact = values.astype("float64") - np.repeat(zeros.astype("float64"), BLOCK, 0)
    exact *= np.repeat(steps, BLOCK, 0)
    weights = {"w": values, "s": steps, "z": zeros}
    if gemm:
        weights = {name: np.ascontiguousarray(each.T) for name, each in weights.items()}
    weights["b"] = np.full(COLUMNS, 100, "float32")
    read = helper.make_node(
        "DequantizeLinear", ["w", "s", "z"], ["f"], axis=int(gemm), block_size=BLOCK
    )
    last = helper.make_node("MatMul", ["x", "f"], ["y"])
    if gemm:
        last = helper.make_node("Gemm", ["x", "f", "b"], ["y"], transB=1)
    else:
        del weights["b"]
    result, kernels, size = exported([read, last], weights, tmp_path)
    assert near(result - 100 * gemm, exact, rtol=1e-6 if not gemm else 1e-5)
    assert "narrow product" in kernels
    assert size < DEPTH * COLUMNS * (0.9 if "4" in dtype else 1.4)


@pytest.mark.parametrize(("dtype", "one"), [("int4", False), ("int8", True), ("uint8", False)])
def test_one_scale_or_one_a_column(dtype, one, tmp_path):
    limits = ml_dtypes.iinfo(dtype)
    values = RANDOM.integers(limits.min, limits.max + 1, (DEPTH, COLUMNS)).astype(dtype)
    steps = scales(1)[0]
    if one:
        steps = steps[0]
    zeros = np.full(np.shape(steps), 3, dtype)
    read = helper.make_node("DequantizeLinear", ["w", "s", "z"], ["f"], axis=1)
    nodes = [read, helper.make_node("MatMul", ["x", "f"], ["y"])]
    result, kernels, size = exported(nodes, {"w": values, "s": steps, "z": zeros}, tmp_path)
    assert near(result, (values.astype("float64") - 3) * steps)
    assert kernels == ["narrow product"]
    assert size < DEPTH * COLUMNS * 1.2


def test_four_bits_beside_bytes_are_multiplied_as_bytes(tmp_path):
    values = RANDOM.integers(-8, 8, (DEPTH, COLUMNS)).astype(ml_dtypes.int4)
    weights = {
        "w": values,
        "s": scales(1)[0],
        "z": np.zeros(COLUMNS, ml_dtypes.int4),
        "xs": np.float32(0.02),
        "xz": np.uint8(128),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "xs", "xz"], ["a"]),
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["f"], axis=1),
        helper.make_node("MatMul", ["a", "f"], ["y"]),
    ]
    result, kernels, _ = exported(nodes, weights, tmp_path)
    rounded = np.clip(np.rint(X / np.float32(0.02)), -128, 127).astype("float64") * np.float32(0.02)
    assert near(result, values.astype("float64") * weights["s"], rounded)
    assert "product" in kernels


@pytest.mark.parametrize(
    ("dtype", "form"), [("bfloat16", "MatMul"), ("float16", "Gemm"), ("bfloat16", "Constant")]
)
def test_halves_of_a_product(dtype, form, tmp_path):
    content = normal(DEPTH, COLUMNS).astype(dtype)
    weights = {"w": content.T.copy() if form == "Gemm" else content}
    cast = helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT)
    options = {"transB": 1} if form == "Gemm" else {}
    last = helper.make_node("Gemm" if options else "MatMul", ["x", "f"], ["y"], **options)
    nodes = [cast, last]
    if form == "Constant":
        tensor = onnx_model([], {}, {}, weights).graph.initializer[0]
        nodes, weights = [helper.make_node("Constant", [], ["w"], value=tensor), *nodes], {}
    result, kernels, size = exported(nodes, weights, tmp_path)
    assert near(result, content.astype("float64"))
    assert kernels == ["narrow product"]
    assert size < DEPTH * COLUMNS * 2.2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_of_a_table(dtype, tmp_path):
    table = normal(50, COLUMNS).astype(dtype)
    nodes = [
        helper.make_node("Cast", ["t"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("Gather", ["f", "i"], ["y"]),
    ]
    x = np.array([3, 0, 49, 3], "float32")
    result, _, size = exported(nodes, {"t": table}, tmp_path, x=x)
    assert (result == table.astype("float32")[[3, 0, 49, 3]]).all()
    assert size < table.size * 2.2


def test_bytes_of_a_table(tmp_path):
    table = RANDOM.integers(-128, 128, (50, COLUMNS)).astype("int8")
    nodes = [
        helper.make_node("DequantizeLinear", ["t", "s", "z"], ["f"]),
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("Gather", ["f", "i"], ["y"]),
    ]
    x = np.array([3, 0, 49, 3], "float32")
    weights = {"t": table, "s": np.float32(0.5), "z": np.int8(-7)}
    result, _, size = exported(nodes, weights, tmp_path, x=x)
    assert (result == (table.astype("float32") + 7)[[3, 0, 49, 3]] * 0.5).all()
    assert size < table.size * 1.3


def test_halves_of_a_convolution_are_floats_when_it_is_exported(tmp_path):
    image, content = normal(1, 8, 9, 9), normal(16, 8, 3, 3).astype("float16")
    nodes = [
        helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "f"], ["y"]),
    ]
    result, _, _ = exported(nodes, {"w": content}, tmp_path, x=image)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), (2, 3)).astype("float64")
    exact = np.einsum("nchwij,ocij->nohw", windows, content.astype("float64"))
    np.testing.assert_allclose(result, exact, rtol=1e-4, atol=1e-4)
