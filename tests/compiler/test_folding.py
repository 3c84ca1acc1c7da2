# SPDX-License-Identifier: Apache-2.0
"""What is constant is computed when the model is exported."""

import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.passes.folding import FoldBatchNorm, FoldConstants

pytestmark = pytest.mark.apache_tvm

RANDOM = np.random.default_rng(3)


def const(array):
    return relax.const(array, str(array.dtype))


def numbers(*shape, dtype="float32"):
    return (RANDOM.standard_normal(shape) * 9).astype(dtype)


def module_of(make, *inputs):
    """Return a module whose main returns what `make`, called with its inputs, emits."""
    builder = relax.BlockBuilder()
    parameters = [relax.Var(f"x{i}", relax.TensorType(*spec)) for i, spec in enumerate(inputs)]
    with builder.function("main", parameters):
        with builder.dataflow():
            result = builder.emit_output(make(builder, *parameters))
        builder.emit_func_output(result)
    return builder.get()


def folded(expression):
    """Return the constant that an expression becomes."""

    def make(builder, x):
        return builder.emit(R.add(x, builder.emit(expression)))

    shape = relax.BlockBuilder().normalize(expression).ty
    sizes = [int(size) for size in shape.shape.values]
    module = module_of(make, (sizes, str(shape.dtype)))
    with tvm.target.Target("llvm"):
        bindings = FoldConstants()(module)["main"].body.blocks[0].bindings
    (call,) = (b.value for b in bindings if isinstance(b.value, relax.Call))
    return call.args[1].value.numpy()


A, B = numbers(2, 3, 4), numbers(3, 1)
C = np.array([3, -7, 1 << 40, -1])
CASES = {
    "reshape": (R.reshape(const(A), (4, 6)), A.reshape(4, 6)),
    "expand_dims": (R.expand_dims(const(A), [0, 2]), A[None, :, None]),
    "squeeze": (R.squeeze(const(B), [1]), B[:, 0]),
    "flatten": (R.flatten(const(A)), A.ravel()),
    "broadcast_to": (R.broadcast_to(const(B), (2, 3, 4)), np.broadcast_to(B, (2, 3, 4))),
    "permute_dims": (R.permute_dims(const(A), [2, 0, 1]), A.transpose(2, 0, 1)),
    "reverse": (R.permute_dims(const(A)), A.T),
    "negative_axis": (R.permute_dims(const(A), [-1, 0, 1]), A.transpose(2, 0, 1)),
    "add": (R.add(const(A), const(B)), A + B),
    "subtract": (R.subtract(const(A), const(B)), A - B),
    "multiply": (R.multiply(const(A), const(B)), A * B),
    "sqrt": (R.sqrt(const(abs(A))), np.sqrt(abs(A))),
    "sqrt_of_nothing": (R.sqrt(const(A)), np.where(A < 0, np.nan, np.sqrt(abs(A)))),
    "negative": (R.negative(const(A)), -A),
    "float64": (R.add(const(A.astype("float64")), const(B.astype("float64"))), A.astype("f8") + B),
    "float16": (
        R.multiply(const(A.astype("f2")), const(B.astype("f2"))),
        A.astype("f2") * B.astype("f2"),
    ),
    "integers_wrap": (
        R.multiply(const(np.full(3, 200, "uint8")), const(np.full(3, 2, "uint8"))),
        np.full(3, 144, "uint8"),
    ),
    "negative_integer": (R.negative(const(np.array([5, -7], "int32"))), np.array([-5, 7], "int32")),
    "maximum": (R.maximum(const(C), const(C[::-1].copy())), np.maximum(C, C[::-1])),
    "minimum": (R.minimum(const(C), const(C[::-1].copy())), np.minimum(C, C[::-1])),
    "maximum_of_floats": (R.maximum(const(A), const(B)), np.maximum(A, B)),
    "where": (R.where(const(A > 0), const(A), const(B)), np.where(A > 0, A, B)),
    "sizes": (R.shape_to_tensor(relax.ShapeExpr([4, 5])), np.array([4, 5])),
    "part": (R.strided_slice(const(A), [2, 0], [1, -1], [9, 2], [2, 1]), A[1:, :, 1:9:2]),
    "part_without_steps": (R.strided_slice(const(C), [0], [1], [3]), C[1:3]),
    "part_backwards": (R.strided_slice(const(C), [0], [3], [-5], [-1]), C[::-1]),
    "by_a_kernel": (R.floor(const(A)), np.floor(A)),
    "without_arguments": (R.zeros((2, 3), "float32"), np.zeros((2, 3), "f4")),
}


@pytest.mark.parametrize("name", CASES)
def test_calls_of_constants_become_what_numpy_says(name):
    expression, truth = CASES[name]
    result = folded(expression)
    assert (result.shape, result.dtype) == (truth.shape, truth.dtype)
    np.testing.assert_array_equal(result, truth)


def test_constants_of_constants_are_folded_without_a_kernel(monkeypatch):
    monkeypatch.setattr(relax.transform, "FoldConstant", None)

    def make(builder, x):
        moved = builder.emit(R.permute_dims(const(A)))
        summed = builder.emit(R.add(moved, builder.emit(R.reshape(const(A), (4, 3, 2)))))
        return builder.emit(R.multiply(x, summed))

    module = FoldConstants()(module_of(make, ((4, 3, 2), "float32")))
    (last,) = [
        b.value for b in module["main"].body.blocks[0].bindings if isinstance(b.value, relax.Call)
    ]
    np.testing.assert_array_equal(last.args[1].value.numpy(), A.T + A.reshape(4, 3, 2))


def batch_norm(gamma, variance, **options):
    parts = [gamma, numbers(3), numbers(3), variance]

    def make(builder, x):
        normed = builder.emit(
            R.nn.batch_norm(x, *map(const, parts), axis=1, training=False, **options)
        )
        return builder.emit(relax.TupleGetItem(normed, 0))

    return module_of(make, ((2, 3, 5), "float32")), parts


def run(module, x):
    library = relax.build(module, "llvm")
    return relax.VirtualMachine(library, tvm.cpu())["main"](tvm.runtime.tensor(x)).numpy()


def operators(module):
    bindings = module["main"].body.blocks[0].bindings
    return [b.value.op.name for b in bindings if isinstance(b.value, relax.Call)]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"epsilon": 0.5}])
def test_batch_norm_is_a_product_and_a_sum(options):
    module, (gamma, beta, mean, variance) = batch_norm(numbers(3), abs(numbers(3)), **options)
    module = relax.transform.CanonicalizeBindings()(FoldBatchNorm()(module))
    assert operators(module) == ["relax.multiply", "relax.add"]
    x = numbers(2, 3, 5)
    each = np.s_[None, :, None]
    truth = (x - mean[each]) / np.sqrt(variance.astype("f8") + options.get("epsilon", 1e-5))[each]
    truth = truth * (gamma[each] if options.get("scale", True) else 1)
    truth = truth + (beta[each] if options.get("center", True) else 0)
    np.testing.assert_allclose(run(module, x), truth, rtol=1e-5, atol=1e-4)


def test_batch_norm_without_a_scale_keeps_nan():
    """A product with a plain 0 is none to TVM."""
    module, _ = batch_norm(np.zeros(3, "float32"), np.ones(3, "float32"))
    assert operators(FoldBatchNorm()(module)) == ["relax.nn.batch_norm"]
