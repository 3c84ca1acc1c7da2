# SPDX-License-Identifier: Apache-2.0
"""What reports tell of kernels."""

import dataclasses
import json

import numpy as np
import pytest
from onnx import helper

from tests.compiler.models import FLOAT, functions, normal, onnx_model, read_graph
from tvmgo.compiler import export
from tvmgo.compiler.report import SHOWN

pytestmark = pytest.mark.slow

LEVELS = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A large convolution twice, a large product with few rows, a sum over rows, and a sort."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[2, 2, 2, 2]),
        helper.make_node("Conv", ["a", "v"], ["b"], pads=[2, 2, 2, 2]),
        helper.make_node("ReduceMax", ["b"], ["c"], axes=[1], keepdims=0),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("MatMul", ["d", "m"], ["e"]),
        helper.make_node("TopK", ["e", "k"], ["y", "places"], axis=1),
    ]
    weights = {
        **{name: normal(32, 32, 5, 5) for name in "wv"},
        "m": normal(784, 2000),
        "k": np.array([2000]),
    }
    outputs = {"y": (FLOAT, [1, 2000]), "places": (7, [1, 2000])}
    model = onnx_model(nodes, {"x": (FLOAT, [1, 32, 28, 28])}, outputs, weights)
    return export(model, tmp_path_factory.mktemp("report"), verify=False)


def the_only(kernels, template):
    (found,) = [each for each in kernels if each.template == template]
    return found


def test_every_kernel_of_the_graph_is_told_once(exported):
    kernels = exported.report.kernels
    called = [name for name in functions(read_graph(exported)) if name.startswith("tvmgen")]
    assert sorted(f"tvmgen_default_{each.name}" for each in kernels) == sorted(set(called))
    assert sum(each.calls for each in kernels) == len(called)
    assert abs(sum(each.share for each in kernels) - 1) < 0.01
    assert [each.share for each in kernels] == sorted((k.share for k in kernels), reverse=True)


def test_a_convolution_computes_and_a_product_of_one_row_waits_for_memory(exported):
    convolutions = [k for k in exported.report.kernels if k.template == "convolution"]
    products = 28 * 28 * 32 * 32 * 25
    assert sum(each.calls for each in convolutions) == 2
    for each in convolutions:
        assert each.operations == 2 * products
        assert each.bound == "compute"
        assert each.tasks > 1
        assert list(each.tiles) == LEVELS
        assert all(" x " in tile for tile in each.tiles.values())
    product = the_only(exported.report.kernels, "product")
    assert product.operations == 2 * 784 * 2000
    assert product.bound == "memory"
    assert product.bytes == 4 * (784 + 784 * 2000 + 2000)


def test_kernels_without_a_template_and_those_that_old_runtimes_cannot_call(exported):
    kernels = exported.report.kernels
    (largest,) = [each for each in kernels if each.name.startswith("max")]
    assert largest.template == "generic schedule"
    assert largest.operations >= 28 * 28 * 32
    assert [each.classic for each in kernels if "topk" in each.name] == [False]
    assert all(each.classic for each in kernels if "topk" not in each.name)


def test_the_report_prints_the_costly_kernels_and_is_ready_for_json(exported):
    report = exported.report
    text = str(report)
    for kernel in report.kernels[:SHOWN]:
        assert str(kernel) in text
        assert kernel.template in str(kernel)
    assert "without a template" in text
    assert json.loads(json.dumps(dataclasses.asdict(report)))["kernels"][0]["share"] > 0


def quantised_convolutions():
    """One of bytes, one along one axis, and a product with a factor of floats."""
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "s"], ["a"]),
        *(helper.make_node("DequantizeLinear", [each, "s"], [f"{each}f"]) for each in "wvm"),
        helper.make_node("Conv", ["a", "wf"], ["b"], name="of_bytes"),
        helper.make_node("Squeeze", ["a", "two"], ["c"]),
        helper.make_node("Conv", ["c", "vf"], ["d"], name="along_an_axis"),
        helper.make_node("Sigmoid", ["d"], ["e"]),
        helper.make_node("MatMul", ["e", "mf"], ["y"], name="of_floats"),
    ]
    weights = {
        "w": np.ones((8, 8, 1, 1), "int8"),
        "v": np.ones((8, 8, 3), "int8"),
        "m": np.ones((14, 16), "int8"),
        "s": np.float32(0.1),
        "two": np.array([2]),
    }
    outputs = {"y": (FLOAT, None), "b": (FLOAT, None)}
    return onnx_model(nodes, {"x": (3, [1, 8, 1, 16])}, outputs, weights)


def test_quantised_products_that_are_computed_with_floats_are_told(tmp_path):
    model = quantised_convolutions()
    told = export(model, tmp_path, target="native", verify=False).report.details
    said = told["quantised products computed with floats"]
    assert "along_an_axis (there is no kernel of bytes for conv1d)" in said
    assert "of_floats (its first factor is not quantised to eight bits, with one scale)" in said
    assert "of_bytes" not in said
