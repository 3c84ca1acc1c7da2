# SPDX-License-Identifier: Apache-2.0
"""Which products of quantised models are computed with floats, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import tvm
from tvm import relax

from tvmgo.compiler.relax.expressions import known_shape, shape_of
from tvmgo.compiler.relax.passes.quantized import products
from tvmgo.compiler.relax.passes.quantized.reading import Reader

KERNELS = {"relax.nn.conv2d": products.conv2d, "relax.matmul": products.matmul}
OTHERS = tuple(
    f"relax.nn.conv{each}" for each in ("1d", "3d", "1d_transpose", "2d_transpose", "3d_transpose")
)
# From short integers to floats.
STEPS = tuple(
    f"relax.{each}"
    for each in ("dequantize", "astype", "subtract", "multiply", "permute_dims", "reshape")
)
SHORT = ("int8", "uint8", "int16", "uint16")


def products_of_floats(module: tvm.IRModule, names: Sequence[str]) -> dict[str, str]:
    """Return which products with something quantised are none of bytes, and why, for the report.

    Parameters
    ----------
    module : tvm.IRModule
        As it was imported.
    names : sequence of str
        Of the model's products, in order; not used if the module has more or fewer of them.
    """
    looking = Looking(module)
    for _, function in module.functions_items():
        if isinstance(function, relax.Function):
            looking.visit_expr(function)
    named, count = len(names) == len(looking.found), len(looking.found)
    told = defaultdict(list)
    for i, (operator, reason) in enumerate(looking.found):
        if reason:
            told[reason].append(names[i] if named else f"{operator} {i + 1} of {count}")
    if not told:
        return {}
    parts = [f"{', '.join(those)} ({reason})" for reason, those in told.items()]
    return {"quantised products computed with floats": "; ".join(parts)}


@relax.expr_functor.mutator
class Looking(relax.PyExprMutator):  # type: ignore[misc]  # of type Any
    """Tries to make products of bytes; what comes of it nobody reads."""

    def __init__(self, module: tvm.IRModule) -> None:
        super().__init__(module)
        self.reader = Reader(self.lookup_binding, self.builder_.emit)
        self.found: list[tuple[str, str]] = []

    def visit_call_(self, call: relax.Call) -> relax.Expr:
        call = self.visit_expr_post_order(call)
        name = call.op.name if isinstance(call.op, tvm.ir.Op) else ""
        if name in KERNELS or name in OTHERS:
            self.found.append((name.rpartition(".")[2], self.reason(name, call)))
        return call

    def reason(self, name: str, call: relax.Call) -> str:
        x, weights = call.args[:2]
        if any(shape_of(each) is None for each in (x, weights)):
            return ""
        quantised = [self.is_quantised(each) for each in (x, weights)]
        if not any(quantised):
            return ""
        if name in OTHERS:
            return f"there is no kernel of bytes for {name.rpartition('.')[2]}"
        if KERNELS[name](self.reader, self.builder_, call) is not None:
            return ""
        if self.reader.whole_of(weights) is None:
            return "its second factor is no constant of eight bits"
        if self.reader.bytes_of(x) is None:
            return "its first factor is not quantised to eight bits, with one scale"
        return f"there is no kernel of bytes for weights of shape {known_shape(weights)}"

    def is_quantised(self, x: relax.Expr) -> bool:
        """Whether these floats were made of short integers, moved or not."""
        call = self.reader.call(x, *STEPS)
        if call is None:
            return False
        if call.op.name in ("relax.dequantize", "relax.astype"):
            return str(call.args[0].ty.dtype) in SHORT
        return self.is_quantised(call.args[0])
