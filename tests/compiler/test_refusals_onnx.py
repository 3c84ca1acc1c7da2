# SPDX-License-Identifier: Apache-2.0
"""ONNX models that `export` refuses: the construct, where it stands, what to do instead."""

import pytest
from onnx import TensorProto, helper

from tests.compiler.models import assert_refused
from tvmgo.compiler import ExportError, export

FLOAT = TensorProto.FLOAT


def model_of(nodes, inputs, outputs):
    graph = helper.make_graph(nodes, "model", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def tensor(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


ONNX_REFUSED = {
    "open_dimension": (
        model_of(
            [helper.make_node("Exp", ["x"], ["y"])],
            [tensor("x", [4, "length"])],
            [tensor("y", [4, "length"])],
        ),
        "input `x`",
        "[4, length] has open dimensions",
        "shapes=",
    ),
    "unnamed_dimension": (
        model_of(
            [helper.make_node("Exp", ["x"], ["y"])],
            [tensor("x", [4, None])],
            [tensor("y", [4, None])],
        ),
        "input `x`",
        "[4, ?]",
        "shapes=",
    ),
    "no_shape": (
        model_of([helper.make_node("Exp", ["x"], ["y"])], [tensor("x", None)], [tensor("y", [1])]),
        "input `x`",
        "declares no shape",
        "shapes=",
    ),
    "sequence": (
        model_of(
            [helper.make_node("SequenceLength", ["x"], ["y"])],
            [helper.make_tensor_sequence_value_info("x", FLOAT, [4])],
            [tensor("y", [], TensorProto.INT64)],
        ),
        "value `x`",
        "sequence_type",
        "separate tensors",
    ),
    "unknown_operator": (
        model_of(
            [helper.make_node("Bernoulli", ["x"], ["y"])],
            [tensor("x", [4, 4])],
            [tensor("y", [4, 4])],
        ),
        "importing the ONNX model",
        "RandomUniformLike",
        "rewrite",
    ),
    "size_from_data": (
        model_of(
            [helper.make_node("NonZero", ["x"], ["y"])],
            [tensor("x", [4])],
            [tensor("y", [1, None], TensorProto.INT64)],
        ),
        "R.nonzero(x)",
        "known only at run time",
        "virtual machine",
    ),
}


@pytest.mark.parametrize("name", ONNX_REFUSED)
def test_export_refuses_onnx(name, tmp_path, capsys):
    model, *fragments = ONNX_REFUSED[name]
    with pytest.raises(ExportError) as error:
        export(model, tmp_path / "deployed", format="graph")
    assert_refused(error, *fragments)
    assert ("shapes=" in str(error.value)) == ("shapes=" in fragments)  # not to who gave them
    assert not (tmp_path / "deployed").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"\xff not a protobuf", b"", b"x\n"])
def test_export_of_a_file_that_is_no_onnx_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ExportError) as error:
        export(path, tmp_path / "deployed")
    assert_refused(error, f"reading {path}", "give an ONNX file")
