# SPDX-License-Identifier: Apache-2.0
"""Which operators are expanded, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from tvmgo.compiler.simplify.expansions.activations import (
    celu,
    cosh,
    mish,
    prelu,
    shrink,
    sinh,
    softplus,
)
from tvmgo.compiler.simplify.expansions.arithmetic import (
    computed_in,
    eye_like,
    log_sum_exp,
    power,
    top_k,
)
from tvmgo.compiler.simplify.expansions.contrib.attention import ATTENTION
from tvmgo.compiler.simplify.expansions.contrib.dynamic import DYNAMIC
from tvmgo.compiler.simplify.expansions.contrib.fused import FUSED
from tvmgo.compiler.simplify.expansions.contrib.narrow import (
    BLOCKED,
    NARROW,
    NBITS,
    matmul_of_floats,
)
from tvmgo.compiler.simplify.expansions.contrib.quantized import QUANTIZED
from tvmgo.compiler.simplify.expansions.estimators.table import ESTIMATORS
from tvmgo.compiler.simplify.expansions.estimators.trees import (
    DOMAIN,
    OPSET,
    SUMS,
    sums_by_steps,
)
from tvmgo.compiler.simplify.expansions.inference import dropout
from tvmgo.compiler.simplify.expansions.matrices import determinant
from tvmgo.compiler.simplify.expansions.normalization import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    local_response_normalization,
    lp_normalization,
    mean_variance_normalization,
)
from tvmgo.compiler.simplify.expansions.open_recurrence import OPEN
from tvmgo.compiler.simplify.expansions.places import (
    col2im,
    one_hot,
    reverse_sequence,
    scatter_elements,
)
from tvmgo.compiler.simplify.expansions.pooling import lp_pool, max_pool, max_unpool
from tvmgo.compiler.simplify.expansions.quantization import dequantize, quantize
from tvmgo.compiler.simplify.expansions.quantized import (
    conv_integer,
    dynamic_quantize_linear,
    q_linear_conv,
    q_linear_matmul,
)
from tvmgo.compiler.simplify.expansions.recurrent import gru, keep_or, lstm, rnn
from tvmgo.compiler.simplify.expansions.resampling import resize
from tvmgo.compiler.simplify.expansions.signal import dft_with_attribute, stft
from tvmgo.compiler.simplify.expansions.suppression import rank_scores
from tvmgo.compiler.simplify.expansions.windows import (
    checked_padding,
    explicit_padding,
    transposed_padding,
    wide_axes,
)
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite, rewrite_graph
from tvmgo.compiler.simplify.inference import infer

# ONNX Runtime has no kernel for these: it would expand them while it folds constants, by ONNX's
# definition, in which the variance loses its digits. Whatever opset a model has that knows them,
# it knows all that they become.
# Of axes in int32, ONNX infers nothing.
FIRST: Mapping[str, Rewrite] = {
    "GroupNormalization": group_normalization,
    "Pad": wide_axes,
}

EXPANDED: Mapping[str, Rewrite] = {
    **dict.fromkeys(("AveragePool", "Conv"), explicit_padding),
    "BatchNormalization": batch_normalization,
    "Celu": celu,
    "Col2Im": col2im,
    "ConvInteger": conv_integer,
    "ConvTranspose": transposed_padding,
    "Cosh": cosh,
    "DequantizeLinear": dequantize,
    "Det": determinant,
    "DFT": dft_with_attribute,
    "Dropout": dropout,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "EyeLike": eye_like,
    "GRU": gru,
    "LRN": local_response_normalization,
    "LSTM": lstm,
    "LayerNormalization": layer_normalization,
    "LpNormalization": lp_normalization,
    "LpPool": lp_pool,
    "MeanVarianceNormalization": mean_variance_normalization,
    "MaxPool": max_pool,
    "MaxUnpool": max_unpool,
    "Mish": mish,
    "OneHot": one_hot,
    "Pad": checked_padding,
    "PRelu": prelu,
    "Pow": power,
    "QLinearConv": q_linear_conv,
    "QLinearMatMul": q_linear_matmul,
    "RNN": rnn,
    "QuantizeLinear": quantize,
    **dict.fromkeys(("ReduceL2", "ReduceLogSum"), computed_in(np.float64, "iu")),
    "ReduceLogSumExp": log_sum_exp,
    # The larger of two truths is their or: the same as of bytes.
    **dict.fromkeys(("ReduceMax", "ReduceMin"), computed_in(np.uint8, "b")),
    "ReduceMean": computed_in(np.int64, "iu"),
    "Resize": resize,
    "ReverseSequence": reverse_sequence,
    "STFT": stft,
    "ScatterElements": scatter_elements,
    "Shrink": shrink,
    "Sinh": sinh,
    "Softplus": softplus,
    "TopK": top_k,
    NBITS: matmul_of_floats,
    SUMS: sums_by_steps,
}

# In the place of those above, for who has kernels of these.
WITH_KERNELS: Mapping[str, Rewrite] = {
    **{name: keep_or(EXPANDED[name]) for name in ("GRU", "LSTM", "RNN")},
    **dict.fromkeys((NBITS, SUMS), lambda node, g: False),
}

CONTRIB: Mapping[str, Rewrite] = {
    f"com.microsoft.{name}": rewrite
    for table in (ATTENTION, DYNAMIC, FUSED, NARROW, QUANTIZED)
    for name, rewrite in table.items()
}
# Expanded before the others, since they become what is expanded there.
EARLY: Mapping[str, Rewrite] = {
    **OPEN,
    "com.microsoft.DynamicQuantizeLSTM": lstm,
    **ESTIMATORS,
    "NonMaxSuppression": rank_scores,
    **CONTRIB,
}
KNOWN_BESIDE_ONNX = {
    domain: [
        name.removeprefix(f"{domain}.")
        for name in (*EARLY, *EXPANDED)
        if name.startswith(f"{domain}.")
    ]
    for domain in ("com.microsoft", "ai.onnx.ml")
}


def expand_operators(model: Any, table: Mapping[str, Rewrite]) -> Any:
    """Expand the operators of a table; types and shapes of values should be known."""

    def expand(proto: Any, editor: GraphEditor) -> bool:
        rewrite = rewrite_in(table, proto)
        return rewrite is not None and rewrite(Node(proto, 0), editor)

    rewrite_graph(model.graph, expand)
    return model


def expand_contrib(model: Any) -> Any:
    """Expand operators of com.microsoft whose inputs are known, and infer what they make.

    Others are left to `expand_early`.
    """
    before, waiting = 0, expand_known(model, CONTRIB, wait=True)
    while waiting != before:
        model = infer(model)
        before, waiting = waiting, expand_known(model, CONTRIB, wait=True)
    return infer(model)


def keep_blocks(model: Any) -> Any:
    """Say products with weights that are dequantised by blocks by the operator that kernels know."""
    domain, _ = NBITS.rsplit(".", 1)
    model = expand_operators(model, BLOCKED)
    used = any(node.domain == domain for node in model.graph.node)
    if used and all(each.domain != domain for each in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    return model


def expand_early(model: Any) -> Any:
    """Expand the operators of `EARLY` and infer what they make.

    ONNX's inference knows no domain but its own, so an operator that reads another one's result
    waits until that one is expanded.
    """
    before, waiting = 0, expand_known(model, EARLY, wait=True)
    while waiting:
        model = infer(model)
        before, waiting = waiting, expand_known(model, EARLY, wait=waiting != before)
    for each in model.opset_import:
        if each.domain == DOMAIN:
            each.version = OPSET
    return infer(model)


def expand_known(model: Any, table: Mapping[str, Rewrite], *, wait: bool) -> int:
    """Expand operators of a table, and return how many wait for inputs of which nothing is known."""
    waiting = 0

    def expand(proto: Any, editor: GraphEditor) -> bool:
        nonlocal waiting
        rewrite = rewrite_in(table, proto)
        if rewrite is None:
            return False
        if wait and any(name and editor.dimensions(name) is None for name in proto.input):
            waiting += 1
            return False
        return rewrite(Node(proto, 0), editor)

    rewrite_graph(model.graph, expand)
    return waiting


def rewrite_in(table: Mapping[str, Rewrite], proto: Any) -> Rewrite | None:
    return table.get(f"{proto.domain}.{proto.op_type}".lstrip("."))
