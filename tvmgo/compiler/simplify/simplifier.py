# SPDX-License-Identifier: Apache-2.0
"""The steps from any ONNX model to the normal form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from tvmgo.compiler.simplify.control_flow import straighten
from tvmgo.compiler.simplify.empties import make_empties_constant
from tvmgo.compiler.simplify.expansions.table import (
    EXPANDED,
    FIRST,
    KNOWN_BESIDE_ONNX,
    WITH_KERNELS,
    expand_contrib,
    expand_early,
    expand_operators,
    keep_blocks,
)
from tvmgo.compiler.simplify.folding import fold_constants
from tvmgo.compiler.simplify.functions import (
    KnownOperators,
    check_domains,
    expand_functions,
    inline_functions,
)
from tvmgo.compiler.simplify.halves import keep_halves, release, widen_what_is_gathered
from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.opset import NORMAL_OPSET, opset_of, to_normal_opset
from tvmgo.compiler.simplify.pool_sizes import infer_rightly
from tvmgo.compiler.simplify.shapes import fix_shapes
from tvmgo.compiler.simplify.sparse import write_out_sparse


def simplify(
    model: Any,
    shapes: Mapping[str, Sequence[int]],
    known: KnownOperators,
    **what_stays: bool,
) -> Any:
    """Return a model that computes the same, in the normal form; `model` is not changed.

    Parameters
    ----------
    model : onnx.ModelProto
    shapes : mapping of str to tuple of int
        Shapes of inputs, which fix their open dimensions.
    known : mapping of str to collection of str
        By domain beside ONNX's own: operators that are left as they are.
    what_stays
        Words of `simplify_in_place`.

    Raises
    ------
    ExportError
        If an operator is unknown, or cannot be said in the normal opset.
    TVMValueError
        If `shapes` does not fit the model.
    """
    simple = onnx.ModelProto()
    simple.CopyFrom(model)
    return simplify_in_place(simple, shapes, known, **what_stays)


def simplify_in_place(
    simple: Any,
    shapes: Mapping[str, Sequence[int]],
    known: KnownOperators,
    *,
    keep_open: bool = False,
    with_kernels: bool = False,
) -> Any:
    """Do what `simplify` does to a model that nobody needs as it was.

    Parameters
    ----------
    keep_open : bool
        Leave dimensions open that `shapes` does not fix, instead of refusing them.
    with_kernels : bool
        Leave what `WITH_KERNELS` can say for a kernel, instead of unrolling it.
    """
    write_out_sparse(simple.graph)
    fix_shapes(simple, shapes, keep_open=keep_open)
    simple = inline_functions(simple)
    check_domains(simple, {**KNOWN_BESIDE_ONNX, **known})
    simple = expand_operators(infer_rightly(simple), FIRST)
    simple = widen_what_is_gathered(simple)
    halves = keep_halves(simple) if with_kernels else []
    simple = infer_rightly(fold_constants(simple))
    if with_kernels:
        simple = keep_blocks(simple)
    if opset_of(simple) >= NORMAL_OPSET:
        # What functions become depends on the types of what they read. (In an older opset, what
        # this makes would be read wrongly; hardly a function of those asks for types.)
        simple = expand_contrib(simple)
    simple = expand_functions(simple)
    simple = infer(to_normal_opset(simple))
    simple = expand_early(straighten(simple, keep_branches=keep_open))
    table = {**EXPANDED, **WITH_KERNELS} if with_kernels else EXPANDED
    simple = infer(expand_operators(simple, table))
    simple = infer(make_empties_constant(simple))
    return infer(release(fold_constants(simple), halves))
