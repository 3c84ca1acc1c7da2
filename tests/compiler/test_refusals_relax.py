# SPDX-License-Identifier: Apache-2.0
"""Relax modules that `export` refuses: the construct, where it stands, what to do instead."""

import pytest

from tests.compiler.models import assert_refused, relax_module
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


@pytest.mark.parametrize("name", REFUSED)
def test_export_refuses_relax(name, tmp_path):
    body, place, reason, advice = REFUSED[name]
    module = relax_module("class Module:" + body)
    if name == "equal_input_names":
        module = rename_inputs(module)
    with pytest.raises(ExportError) as error:
        export(module, tmp_path / "deployed", format="graph")
    assert_refused(error, place, reason, advice)
    assert ("shapes=" in str(error.value)) == (advice == "shapes=")  # not to who gave them
    assert place in error.value.where
    assert not (tmp_path / "deployed").exists()
