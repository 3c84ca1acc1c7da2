# SPDX-License-Identifier: Apache-2.0
"""Constants folded to the end, by ONNX Runtime's own basic level.

Of what could do it, it needs no further package (what is exported is compared with ONNX Runtime
anyway), knows every operator with its own kernels, goes through Shape, If with a known condition
and the arithmetic of shapes, and computes float16 in float32 where a processor has no float16.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx

from tvmgo.compiler.simplify.inference import infer
from tvmgo.compiler.simplify.reference import fold_by_reference
from tvmgo.compiler.simplify.weights import save_model

# Fusions that write what no other compiler reads, or hide constants that it would fold better: weights
# that are whole numbers are no more, times a scale.
LEFT_OUT = (
    *("TransposeOptimizer", "ConstantSharing", "MatMulAddFusion", "GemmTransposeFusion"),
    *("ConvMulFusion", "WeightBiasQuantization"),
)


def fold_constants(model: Any) -> Any:
    """Return the model with its constants folded.

    What ONNX Runtime cannot load, for want of a kernel for some element type for one, is folded by
    ONNX's reference evaluator. `model` is empty afterwards.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "source.onnx"), Path(folder, "result.onnx")
        large = save_model(model, source)
        model.Clear()  # ONNX Runtime has weights of its own meanwhile
        if large:
            key = "session.optimized_model_external_initializers_file_name"
            options.add_session_config_entry(key, "result.data")
        options.optimized_model_filepath = str(result)
        try:
            ort.InferenceSession(
                str(source),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=list(LEFT_OUT),
            )
        except Exception:  # ONNX Runtime's own classes have no common base
            # From the file, since saving it may have taken its weights out.
            return fold_to_the_end(onnx.load(source))
        folded = onnx.load(result)
    return fold_by_reference(without_unused_domains(folded))


def fold_to_the_end(model: Any) -> Any:
    """Fold by the reference evaluator, until no shape that became known gives more to fold."""
    left = None
    while left != len(model.graph.node):
        left = len(model.graph.node)
        model = infer(fold_by_reference(model, every=True))
    return model


def without_unused_domains(model: Any) -> Any:
    """ONNX Runtime lists all domains that it knows."""
    used = {node.domain for node in model.graph.node} | {""}
    kept = [each for each in model.opset_import if each.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model
