# SPDX-License-Identifier: Apache-2.0
"""What Relay would get wrong, by the table of refusals; needs no Relay."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from tvmgo.compiler import ExportError
from tvmgo.compiler.relay.nodes import Node, Spec, dtype_name
from tvmgo.compiler.relay.refusals import REFUSALS, refuse_wrong

IMAGE = Spec("float32", (1, 4, 8, 8))
RESULT = Spec("float32", (1,))


def node(operator, *inputs, output=RESULT, domain="", **attributes):
    """Make a node of inputs that are a `Spec` or a constant."""
    names = [f"x{i}" for i in range(len(inputs))]
    specs, constants = {"y": output}, {}
    for name, value in zip(names, inputs):
        if not isinstance(value, Spec):
            constants[name] = np.asarray(value)
            value = Spec(constants[name].dtype.name, constants[name].shape)
        specs[name] = value
    proto = helper.make_node(operator, names, ["y"], name="n", domain=domain, **attributes)
    return Node(proto, specs, constants.get)


def integers(dtype):
    return Spec(dtype, (2, 3))


HALF = integers("float16")
REGIONS = (Spec("float32", (2, 4)), np.array([0, 0]))

WRONG = {
    "control flow": node("Loop", IMAGE),
    "random numbers": node("RandomNormalLike", IMAGE),
    "sums of float16": node("MatMul", HALF, HALF, output=HALF),
    "pool beyond the padding": node(
        "AveragePool", IMAGE, kernel_shape=[3, 3], ceil_mode=1, count_include_pad=1
    ),
    "shift at run time": node("BitShift", integers("uint8"), integers("uint8"), direction="LEFT"),
    "shift by the width": node("BitShift", integers("uint8"), np.uint8([1, 8]), direction="LEFT"),
    "division at run time": node("Div", integers("int32"), integers("int32")),
    "division by 0": node("Div", integers("int32"), np.int32([1, 0])),
    "division by -1": node("Div", integers("int64"), np.int64(-1)),
    "remainder at run time": node("Mod", integers("uint8"), integers("uint8")),
    "remainder of floats": node("Mod", IMAGE, IMAGE),
    "dilated": node("ConvTranspose", IMAGE, IMAGE, dilations=[1, 2]),
    "largest of nothing": node("ReduceMax", Spec("float32", (2, 0))),
    "largest of infinities": node("ReduceMax", Spec("float64", (2, 3))),
    "rounded up": node("Resize", IMAGE, nearest_mode="ceil"),
    "window beyond the input": node(
        "MaxPool", IMAGE, kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1
    ),
    "groups of volumes": node("ConvTranspose", Spec("float32", (1, 4, 3)), IMAGE, group=2),
    "indices that do not cover": node(
        "ScatterElements", Spec("float32", (5, 5, 4)), Spec("int64", (2, 4, 4)), axis=-1
    ),
    "EyeLike": node("EyeLike", IMAGE),
    "odd norm": node("LpPool", IMAGE, kernel_shape=[2, 2], p=3),
    "storage order": node("MaxPool", IMAGE, kernel_shape=[2, 2], storage_order=1),
    "unpooling": node("MaxUnpool", IMAGE, Spec("int64", IMAGE.shape), kernel_shape=[2, 2]),
    "powers of integers": node("Pow", integers("int64"), integers("int64")),
    "odd scales": node("Resize", IMAGE, np.float32([]), np.float32([1, 1, 1.3, 1.3])),
    "interpolated integers": node("Resize", integers("uint8"), mode="linear"),
    "lengths at run time": node("ReverseSequence", IMAGE, integers("int64")),
    "regions by half a pixel": node("RoiAlign", IMAGE, *REGIONS),
    "largest of a region": node(
        "RoiAlign", IMAGE, *REGIONS, mode="max", coordinate_transformation_mode="output_half_pixel"
    ),
    "order of bytes": node("TopK", integers("uint8"), np.array([1])),
    "threshold": node("ThresholdedRelu", IMAGE),
    "another domain": node("Relu", IMAGE, domain="com.example"),
    "bfloat16": node("Relu", integers("bfloat16")),
    "a type of the future": node("Relu", Spec(dtype_name(99), ())),
}

RIGHT = {
    "float16 without sums": node("Mul", HALF, HALF, output=HALF),
    "remainder of C": node("Mod", IMAGE, IMAGE, fmod=1),
    "sums of float32": node("MatMul", IMAGE, IMAGE),
    "division of floats": node("Div", IMAGE, IMAGE),
    "division by a constant": node("Div", integers("int32"), np.int32([3, -2])),
    "shift by a constant": node("BitShift", integers("uint8"), np.uint8([7]), direction="LEFT"),
    "even norm": node("LpPool", IMAGE, kernel_shape=[2, 2]),
    "pool": node("AveragePool", IMAGE, kernel_shape=[3, 3], ceil_mode=1),
    "window that begins inside": node(
        "MaxPool", IMAGE, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1
    ),
    "indices that cover": node(
        "ScatterElements", Spec("float32", (5, 5, 4)), Spec("int64", (2, 5, 1)), axis=-1
    ),
    "whole scales": node("Resize", IMAGE, np.float32([]), np.float32([1, 1, 2, 0.5])),
    "nearest integers": node("Resize", integers("uint8")),
    "powers of floats": node("Pow", IMAGE, integers("int64")),
    "regions as they are": node(
        "RoiAlign", IMAGE, *REGIONS, coordinate_transformation_mode="output_half_pixel"
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_relay_gets_wrong_is_refused_and_the_error_names_the_node(name):
    with pytest.raises(ExportError, match="^node `n`, operator "):
        refuse_wrong(WRONG[name])


@pytest.mark.parametrize("name", RIGHT)
def test_what_relay_gets_right_is_not_refused(name):
    refuse_wrong(RIGHT[name])


def test_every_row_of_the_table_refuses_something_here():
    for row in REFUSALS:
        nodes = [each for each in WRONG.values() if each.operator in row.operators]
        assert any(row.applies(each) for each in nodes), row.reason


def test_spec_fits_what_is_the_same_or_not_known():
    assert Spec("int64", (2, None)).fits(Spec("int64", (2, 3)))
    assert Spec(None, None).fits(Spec("int64", (2, 3)))
    assert not Spec("int64", (2, 3)).fits(Spec("int32", (2, 3)))
    assert not Spec("int64", (2, 3)).fits(Spec("int64", (2, 3, 1)))
    assert not Spec("int64", ()).fits(Spec("int64", (1,)))


def test_spec_reads_what_a_model_declares():
    value = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [0, "n"])
    assert Spec.of_value(value) == Spec("float64", (0, None))
    assert Spec.of_value(helper.make_tensor_value_info("x", TensorProto.BOOL, None)).shape is None
