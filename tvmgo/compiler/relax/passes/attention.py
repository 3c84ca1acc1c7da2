# SPDX-License-Identifier: Apache-2.0
"""The pass that finds attention: a product, a softmax along its rows, and a second product."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op as R
from tvm.relax.analysis import free_vars

from tvmgo.compiler.relax.attention import ATTENTION, Attention, Place, Step
from tvmgo.compiler.relax.described import described_call
from tvmgo.compiler.relax.expressions import constant, known_shape
from tvmgo.compiler.relax.passes.views import View, Views, factor, whole

DTYPES = ("float32", "float16")
FEWEST_ROWS = 4  # of the query; with fewer, keys are not worth the order that products need
MOST_ELEMENTS = 2**31 - 1


@tvm.transform.module_pass(opt_level=0, name="FindAttention")
class FindAttention:
    """Make attention one operator, with what is done to the scores and with all transpositions."""

    def transform_module(self, module: tvm.IRModule, _: Any) -> tvm.IRModule:
        changed = {}
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                blocks = [with_attention(block) for block in function.body.blocks]
                body = relax.SeqExpr(blocks, function.body.body)
                changed[variable] = relax.Function(
                    *(function.params, body, function.ret_ty, function.is_pure, function.attrs)
                )
        module = module.clone()
        for variable, function in changed.items():
            module.update_func(variable, function)
        return module


def with_attention(block: relax.BindingBlock) -> relax.BindingBlock:
    if not isinstance(block, relax.DataflowBlock):
        return block
    finder = Finder(block)
    bindings: list[relax.Binding] = []
    for binding in block.bindings:
        bindings += finder.replaced(binding)
    return relax.DataflowBlock(bindings)


class Finder:
    """Finds attention in a block, from its last product on."""

    def __init__(self, block: relax.DataflowBlock) -> None:
        self.bound = {each.var: each.value for each in block.bindings}
        self.uses = Counter(var for each in block.bindings for var in free_vars(each.value))
        self.views = Views(self.bound)
        self.builder = relax.BlockBuilder()
        # A transposed product is found before the product itself is.
        self.orders = {}
        for each in block.bindings:
            source = self.call(each.value, "permute_dims") and each.value.args[0]
            if isinstance(source, relax.DataflowVar) and self.uses[source] == 1:
                self.orders[source] = each.var

    def call(self, value: Any, *names: str) -> bool:
        return (
            isinstance(value, relax.Call)
            and isinstance(value.op, tvm.ir.Op)
            and value.op.name.removeprefix("relax.") in names
        )

    def replaced(self, binding: relax.Binding) -> list[relax.Binding]:
        """Return what takes a binding's place."""
        value, product = binding.value, binding.var
        axes = None
        if self.call(value, "permute_dims") and self.orders.get(value.args[0]) == binding.var:
            product = value.args[0]
            axes = value.attrs.axes and [int(axis) for axis in value.attrs.axes]
            value = self.bound[product]
            if axes is None or axes[-1] != len(axes) - 1:
                return [binding]
        elif product in self.orders:  # which comes later, and may take it in
            transposed = self.bound[self.orders[product]].attrs.axes
            if transposed and int(transposed[-1]) == len(transposed) - 1:
                return [binding]
        if not self.call(value, "matmul") or str(value.ty.dtype) not in DTYPES:
            return [binding]
        match = Match(self, value)
        if not match.find():
            return [binding]
        return match.bindings(binding, axes)

    def only_used_here(self, value: relax.Expr | None, uses: int = 1) -> Any:
        """Return what a variable is bound to, if nobody else reads it."""
        if not isinstance(value, relax.DataflowVar) or self.uses[value] != uses:
            return None
        return self.bound.get(value)


class Match:
    """What is found behind a product."""

    def __init__(self, finder: Finder, product: relax.Call) -> None:
        self.finder, self.product = finder, product
        self.dtype = str(product.ty.dtype)
        self.shape = known_shape(product)
        self.steps: list[tuple[Step, relax.Expr | None]] = []
        self.scores: relax.Call | None = None

    def find(self) -> bool:
        finder = self.finder
        weights: Any = finder.only_used_here(self.product.args[0])
        while finder.call(weights, "astype", "where"):
            inner = weights.args[0] if finder.call(weights, "astype") else chosen(weights)
            weights = finder.only_used_here(inner)
        argument = self.softmax_argument(weights)
        if argument is None:
            return False
        scores, uses = argument
        self.scores_shape = shape = known_shape(weights)
        if len(shape) != len(self.shape) or shape[:-1] != self.shape[:-1]:
            return False
        if len(shape) < 2 or shape[-2] < FEWEST_ROWS or not self.walk(scores, uses):
            return False
        assert self.scores is not None
        tensors = (*self.scores.args, self.product.args[1], weights)
        sizes = [math.prod(known_shape(each)) for each in tensors]
        return min(sizes) > 0 and max(sizes) <= MOST_ELEMENTS

    def softmax_argument(self, weights: Any) -> tuple[relax.Expr, int] | None:
        """Return what a softmax along the rows is taken of, and how often it is used for that.

        Of halves it is written as exp(x - largest) / sum. What is subtracted does not matter then.
        """
        finder = self.finder
        if finder.call(weights, "nn.softmax"):
            axis = int(weights.attrs.axis) % len(known_shape(weights))
            return (weights.args[0], 1) if axis == len(known_shape(weights)) - 1 else None
        if not finder.call(weights, "divide"):
            return None
        powers, total = weights.args
        power, summed = finder.only_used_here(powers, 2), finder.only_used_here(total)
        if not finder.call(power, "exp") or not finder.call(summed, "sum"):
            return None
        difference = finder.only_used_here(power.args[0])
        rows = (*known_shape(weights)[:-1], 1)
        if not finder.call(difference, "subtract") or not summed.args[0].same_as(powers):
            return None
        scores, largest = difference.args
        found = finder.only_used_here(largest)
        if found is None or {*free_vars(found)} != {scores}:
            return None
        same = known_shape(total) == known_shape(largest) == rows
        return (scores, 2) if same and known_shape(scores) == known_shape(weights) else None

    def walk(self, value: relax.Expr, uses: int = 1) -> bool:
        """Go back from the softmax to the product, and gather what is between."""
        call = self.finder.only_used_here(value, uses)
        if not isinstance(call, relax.Call) or known_shape(call) != self.scores_shape:
            return False
        if self.finder.call(call, "matmul"):
            self.scores = call
            types = {str(each.ty.dtype) for each in (*call.args, call)}
            return types == {self.dtype}
        if self.finder.call(call, "astype"):
            return str(call.ty.dtype) in DTYPES and self.walk(call.args[0])
        if self.finder.call(call, "multiply", "divide"):
            by = factor(call)
            if by is None or not self.walk(by[0]):
                return False
            self.steps.append((Step("multiply", by[1]), None))
            return True
        if self.finder.call(call, "add"):
            a, b = call.args
            for spine, mask in ((a, b), (b, a)):
                if str(mask.ty.dtype) in DTYPES and self.walk(spine):
                    self.steps.append((Step("add"), mask))
                    return True
            return False
        if self.finder.call(call, "where"):
            return self.walk_where(call)
        return False

    def walk_where(self, call: relax.Call) -> bool:
        condition, a, b = call.args
        for number, spine in ((a, b), (b, a)):
            content = constant(number)
            if content is None or content.size != 1 or not self.walk(spine):
                continue
            if number is b:
                condition = R.logical_not(condition)
            self.steps.append((Step("where", float(content.reshape(()))), condition))
            return True
        return False

    def bindings(self, binding: relax.Binding, axes: list[int] | None) -> list[relax.Binding]:
        assert self.scores is not None
        views = self.finder.views
        *leading, rows, keys = self.scores_shape
        width = self.shape[-1]
        query, key = (views.of(each) for each in self.scores.args)
        value = views.of(self.product.args[1])
        if value.scale != 1 or (value.array.strides[-1] != 1 and width > 1):
            value = whole(self.product.args[1])
        depth = query.array.shape[-1]
        query = query.broadcast((*leading, rows, depth))
        key = key.broadcast((*leading, depth, keys))
        value = value.broadcast((*leading, keys, width))

        made: list[relax.Binding] = []
        operands: list[relax.Expr] = [query.base, key.base, value.base]
        scale = query.scale * key.scale
        steps = [Step("multiply", scale)] if scale != 1 else []
        for step, mask in self.steps:
            if mask is not None:
                view = self.mask_of(step, mask, made)
                place = view.broadcast(self.scores_shape).place
                step = Step(step.kind, step.number, len(operands) - 3, place)
                operands.append(view.base)
            steps.append(step)
        result = whole(binding.var).array
        if axes is not None:
            result = result.transpose(np.argsort(axes))
        strides = [int(stride) for stride in result.strides]
        what = Attention(
            *(leading, rows, keys, depth, width, query.place, key.place, value.place),
            Place(strides, 0),
            steps,
        )
        call = described_call(ATTENTION, asdict(what), operands, binding.var.ty)
        return [*made, relax.VarBinding(binding.var, self.finder.builder.normalize(call))]

    def mask_of(self, step: Step, mask: relax.Expr, made: list[relax.Binding]) -> View:
        """Return where a mask is; conditions become floats."""
        if step.kind == "where":
            mask = self.bind(R.astype(self.bind(mask, made), "float32"), made)
        view = self.finder.views.of(mask)
        return view if view.scale == 1 else whole(mask)

    def bind(self, value: relax.Expr, made: list[relax.Binding]) -> relax.Expr:
        if not isinstance(value, relax.Call):
            return value
        value = self.finder.builder.normalize(value)
        variable = relax.DataflowVar("condition", value.ty)
        made.append(relax.VarBinding(variable, value))
        return variable


def chosen(call: relax.Call) -> relax.Expr | None:
    """Return what a constant condition chooses of as large a result, the same for all elements."""
    condition, a, b = call.args
    content = constant(condition)
    if content is None or not (content.all() or not content.any()):
        return None
    value = a if content.all() else b
    return value if known_shape(value) == known_shape(call) else None
