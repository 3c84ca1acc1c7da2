# SPDX-License-Identifier: Apache-2.0
"""Which operators are expanded, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tvmgo.compiler.simplify.expansions.activations import celu, cosh, mish, prelu, sinh, softplus
from tvmgo.compiler.simplify.expansions.arithmetic import eye_like, power, reduce_bool, top_k
from tvmgo.compiler.simplify.expansions.contrib.attention import ATTENTION
from tvmgo.compiler.simplify.expansions.contrib.dynamic import DYNAMIC
from tvmgo.compiler.simplify.expansions.contrib.fused import FUSED
from tvmgo.compiler.simplify.expansions.contrib.quantized import QUANTIZED
from tvmgo.compiler.simplify.expansions.inference import dropout
from tvmgo.compiler.simplify.expansions.normalization import (
    group_normalization,
    layer_normalization,
    lp_normalization,
    mean_variance_normalization,
)
from tvmgo.compiler.simplify.expansions.open_recurrence import OPEN
from tvmgo.compiler.simplify.expansions.places import col2im, one_hot, reverse_sequence
from tvmgo.compiler.simplify.expansions.pooling import max_pool, max_unpool
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
)
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node, Rewrite, rewrite_graph

# ONNX Runtime has no kernel for these: it would expand them while it folds constants, by ONNX's
# definition, in which the variance loses its digits. Whatever opset a model has that knows them,
# it knows all that they become.
FIRST: Mapping[str, Rewrite] = {"GroupNormalization": group_normalization}

EXPANDED: Mapping[str, Rewrite] = {
    **dict.fromkeys(("AveragePool", "Conv", "LpPool"), explicit_padding),
    "Celu": celu,
    "Col2Im": col2im,
    "ConvInteger": conv_integer,
    "ConvTranspose": transposed_padding,
    "Cosh": cosh,
    "DequantizeLinear": dequantize,
    "DFT": dft_with_attribute,
    "Dropout": dropout,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "EyeLike": eye_like,
    "GRU": gru,
    "LSTM": lstm,
    "LayerNormalization": layer_normalization,
    "LpNormalization": lp_normalization,
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
    **dict.fromkeys(("ReduceMax", "ReduceMin"), reduce_bool),
    "Resize": resize,
    "ReverseSequence": reverse_sequence,
    "STFT": stft,
    "Sinh": sinh,
    "Softplus": softplus,
    "TopK": top_k,
    "com.microsoft.DynamicQuantizeLSTM": lstm,
}

# In the place of those above, for who has kernels of these.
RECURRENT: Mapping[str, Rewrite] = {
    name: keep_or(EXPANDED[name]) for name in ("GRU", "LSTM", "RNN")
}

MICROSOFT = "com.microsoft."
# Expanded before the others, since they become what is expanded there.
EARLY: Mapping[str, Rewrite] = {
    **OPEN,
    "NonMaxSuppression": rank_scores,
    **{
        MICROSOFT + name: rewrite
        for table in (ATTENTION, DYNAMIC, FUSED, QUANTIZED)
        for name, rewrite in table.items()
    },
}
KNOWN_BESIDE_ONNX = {
    MICROSOFT[:-1]: [
        name.removeprefix(MICROSOFT) for name in (*EARLY, *EXPANDED) if name.startswith(MICROSOFT)
    ]
}


def expand_operators(model: Any, table: Mapping[str, Rewrite]) -> Any:
    """Expand the operators of a table; types and shapes of values should be known."""

    def expand(proto: Any, editor: GraphEditor) -> bool:
        rewrite = table.get(f"{proto.domain}.{proto.op_type}".lstrip("."))
        return rewrite is not None and rewrite(Node(proto, 0), editor)

    rewrite_graph(model.graph, expand)
    return model
