# SPDX-License-Identifier: Apache-2.0
"""What `export` refuses: the construct, where it stands, and what to do instead."""

import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.compiler.compiler_models import relax_module
from tvmgo.compiler import ExportError, export

KERNEL = """
    @T.prim_func(s_tir=True)
    def kernel({parameters}):
        A = T.match_buffer(a, (T.int64(4),), "float32")
        {result}
        for i in range(T.int64(4)):
            with T.sblock("block"):
                vi = T.axis.spatial(T.int64(4), i)
                {statement}
"""

TENSOR = 'R.Tensor((4,), "float32")'

# Name: (module, place, reason, advice); each of the last three is a fragment of the message.
REFUSED = {
    "symbolic_input": (
        """
    @R.function
    def main(x: R.Tensor(("n", 4), "float32")):
        return x
""",
        "input `x`",
        "known only at run time",
        "shapes=",
    ),
    "shape_from_data": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32"), s: R.Tensor((2,), "int64")):
        with R.dataflow():
            shape = R.tensor_to_shape(s)
            m = T.int64()
            n = T.int64()
            cast = R.match_cast(shape, R.Shape([m, n]))
            y = R.reshape(x, R.shape([m, n]))
            R.output(y)
        return y
""",
        "tensor_to_shape",
        "computed at run time",
        "virtual machine",
    ),
    "size_from_data": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            found = R.nonzero(x)
            y = R.take(x, R.squeeze(found, axis=[0]))
            R.output(y)
        return y
""",
        "`found = R.nonzero(x)`",
        "known only at run time",
        "virtual machine",
    ),
    "unique": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            y = R.unique(x)
            R.output(y)
        return y
""",
        "R.unique(x",
        "known only at run time",
        "virtual machine",
    ),
    "pure_packed_call": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            y = R.call_pure_packed("my.function", x, ty_args=R.Tensor((4,), "float32"))
            R.output(y)
        return y
""",
        "my.function",
        "allocates its own result",
        "call_dps_packed",
    ),
    "packed_call": (
        """
    @R.function(pure=False)
    def main(x: R.Tensor((4,), "float32")):
        y = R.call_packed("my.function", x, ty_args=R.Tensor((4,), "float32"))
        return y
""",
        "my.function",
        "may have effects",
        "call_dps_packed",
    ),
    "conditional": (
        """
    @R.function
    def main(c: R.Tensor((), "bool"), x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        if c:
            y = R.add(x, x)
        else:
            y = R.multiply(x, x)
        return y
""",
        "main, `y = If`",
        "conditional",
        "virtual machine",
    ),
    "recursion": (
        """
    @R.function(private=True)
    def again(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        cls = Module
        y: R.Tensor((4,), "float32") = cls.again(x)
        return y
    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        cls = Module
        y: R.Tensor((4,), "float32") = cls.again(x)
        return y
""",
        "again(x)",
        "recursive",
        "fixed number of steps",
    ),
    "public_function": (
        """
    @R.function
    def other(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        y: R.Tensor((4,), "float32") = R.add(x, x)
        return y
    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        cls = Module
        y: R.Tensor((4,), "float32") = cls.other(x)
        return y
""",
        "other(x)",
        "not private",
        "make it private",
    ),
    "closure": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        @R.function
        def inner(y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
            z: R.Tensor((4,), "float32") = R.add(x, y)
            return z
        w: R.Tensor((4,), "float32") = inner(x)
        return w
""",
        "`inner = Function`",
        "closure",
        "virtual machine",
    ),
    "tuple_input": (
        """
    @R.function
    def main(x: R.Tuple(R.Tensor((4,), "float32"), R.Tensor((4,), "float32"))):
        with R.dataflow():
            y = R.add(x[0], x[1])
            R.output(y)
        return y
""",
        "input `x`",
        "Tuple",
        "separate tensors",
    ),
    "number_input": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32"), n: R.Prim("int64")):
        return x
""",
        "input `n`",
        "not int64",
        "separate tensors",
    ),
    "number_for_kernel": (
        KERNEL.format(
            parameters="a: T.handle, n: T.int64, b: T.handle",
            result='B = T.match_buffer(b, (T.int64(4),), "float32")',
            statement='B[vi] = A[vi] * T.Cast("float32", n)',
        )
        + """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        cls = Module
        with R.dataflow():
            y = R.call_tir(cls.kernel, (x, T.int64(3)), out_ty=R.Tensor((4,), "float32"))
            R.output(y)
        return y
""",
        "R.call_tir(kernel, (x, 3)",
        "tensors only",
        "0-d tensors",
    ),
    "kernel_in_place": (
        KERNEL.format(parameters="a: T.handle", result="", statement="A[vi] = A[vi] * T.float32(2)")
        + """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        cls = Module
        with R.dataflow():
            y = R.call_tir_inplace(
                cls.kernel, (x,), inplace_indices=[0], out_ty=R.Tensor((4,), "float32")
            )
            R.output(y)
        return y
""",
        "R.call_tir_inplace(kernel",
        "writes into its arguments",
        "call_tir",
    ),
    "operator_without_kernel": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            y = R.wrap_param(x, "float16")
            R.output(y)
        return y
""",
        "R.wrap_param(x",
        "no kernel",
        "virtual machine",
    ),
    "packed_elements": (
        """
    @R.function
    def main(x: R.Tensor((4,), "int4")):
        with R.dataflow():
            y = R.astype(x, "int8")
            R.output(y)
        return y
""",
        "input `x`",
        "no element type 'int4'",
        "whole bytes",
    ),
    "equal_input_names": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")):
        return x
""",
        "input `x`",
        "two inputs",
        "rename",
    ),
    "no_output": (
        """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        return R.tuple()
""",
        "main",
        "returns no tensor",
        "at least one",
    ),
    "no_main": (
        """
    @R.function
    def other(x: R.Tensor((4,), "float32")):
        return x
""",
        "the module",
        "no Relax function `main`",
        "main",
    ),
}


def rename_inputs(module):
    """Name both inputs x, which TVMScript cannot write but other frontends can."""
    from tvm import relax

    builder = relax.BlockBuilder()
    inputs = [relax.Var("x", parameter.ty) for parameter in module["main"].params]
    with builder.function("main", inputs):
        builder.emit_func_output(inputs[0])
    return builder.get()


def assert_refused(error, *fragments):
    message = str(error.value)
    for fragment in fragments:
        assert fragment in message
    assert message == f"{error.value.where}: {error.value.reason}. Instead, {error.value.instead}."


@pytest.mark.parametrize("name", REFUSED)
def test_export_refuses_relax(name, tmp_path):
    body, place, reason, advice = REFUSED[name]
    module = relax_module("class Module:" + body)
    if name == "equal_input_names":
        module = rename_inputs(module)
    with pytest.raises(ExportError) as error:
        export(module, tmp_path / "trio")
    assert_refused(error, place, reason, advice)
    assert place in error.value.where
    assert not (tmp_path / "trio").exists()


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
            [tensor("x", ["batch", 4])],
            [tensor("y", ["batch", 4])],
        ),
        "input `x`",
        "[batch, 4] has open dimensions",
        "shapes=",
    ),
    "unnamed_dimension": (
        model_of(
            [helper.make_node("Exp", ["x"], ["y"])],
            [tensor("x", [None, 4])],
            [tensor("y", [None, 4])],
        ),
        "input `x`",
        "[?, 4]",
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
        model_of([helper.make_node("Det", ["x"], ["y"])], [tensor("x", [4, 4])], [tensor("y", [])]),
        "importing the ONNX model",
        "Det",
        "rewrite",
    ),
    "second_output_of_layer_normalization": (
        model_of(
            [helper.make_node("LayerNormalization", ["x", "x"], ["y", "mean"], axis=0)],
            [tensor("x", [4])],
            [tensor("y", [4]), tensor("mean", [1])],
        ),
        "output `mean`",
        "declares type float32 and shape [1], TVM's importer made",
        "rewrite the operator",
    ),
    "output_of_another_type": (
        model_of(
            [helper.make_node("Dropout", ["x"], ["y", "mask"])],
            [tensor("x", ["n", 4])],
            [tensor("y", ["n", 4]), tensor("mask", ["n", 4], TensorProto.BOOL)],
        ),
        "output `mask`",
        "declares type bool",
        "rewrite the operator",
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
        shapes = {"x": (2, 4)} if name == "output_of_another_type" else {}
        export(model, tmp_path / "trio", shapes=shapes)
    assert_refused(error, *fragments)
    assert not (tmp_path / "trio").exists()
    assert capsys.readouterr().out == ""


def test_export_error_is_a_value_error():
    assert issubclass(ExportError, ValueError)


@pytest.mark.parametrize("model", [3, None, np.zeros(3)], ids=["int", "None", "array"])
def test_export_of_no_model_raises_type_error(model, tmp_path):
    with pytest.raises(
        TypeError, match="expected an ONNX path, an onnx.ModelProto or a tvm.IRModule"
    ):
        export(model, tmp_path)


def test_export_of_a_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        export(tmp_path / "missing.onnx", tmp_path)


def test_export_of_a_file_that_is_no_onnx_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\xff not a protobuf")
    with pytest.raises(ExportError) as error:
        export(path, tmp_path / "trio")
    assert_refused(error, f"reading {path}", "give an ONNX file")


# An earlier export

GOOD = """
    @R.function
    def main(x: R.Tensor((4,), "float32")):
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return y
"""


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["refusal", "no_linker", "broken_linker", "unwritable_file"])
def test_failing_export_leaves_an_earlier_one_untouched(failure, tmp_path, monkeypatch):
    export(relax_module("class Module:" + GOOD), tmp_path)
    before = contents(tmp_path)
    body = GOOD.replace("exp", "sin")
    if failure == "refusal":
        body = REFUSED["conditional"][0]
    elif failure == "no_linker":
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setenv("PATH", "")
    elif failure == "broken_linker":
        monkeypatch.setenv("CXX", "/bin/false")
    else:
        monkeypatch.setattr("tvmgo.compiler.deploy.write_params", fail_to_write)
    with pytest.raises((ExportError, OSError)) as error:
        export(relax_module("class Module:" + body), tmp_path)
    assert contents(tmp_path) == before
    if "linker" in failure:
        assert_refused(error, "linking deploy.so", "install a C++ compiler")


def fail_to_write(file, params):
    raise OSError("no space left on device")


# What the compiler needs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "statement"),
    [
        ("tvm", "import tvmgo; import tvmgo.compiler"),
        ("onnx", "from tvmgo.compiler import export; export('model.onnx', '.')"),
    ],
)
def test_missing_package_raises_import_error_that_says_what_to_install(
    package, statement, tmp_path
):
    hide = (
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: (\n"
        f"    None if name.split('.')[0] == {package!r} else find(name, *rest))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", hide + statement],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("ImportError")
    assert 'pip install "tvmgo[compiler]"' in result.stderr
