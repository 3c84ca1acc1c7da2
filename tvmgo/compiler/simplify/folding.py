# SPDX-License-Identifier: Apache-2.0
"""Constants folded to the end, by ONNX Runtime's own basic level.

Of what could do it, it needs no further package (what is exported is compared with ONNX Runtime
anyway), knows every operator with its own kernels, goes through Shape, If with a known condition
and the arithmetic of shapes, and computes float16 in float32 where a processor has no float16.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from tvmgo.compiler.simplify.graph_editor import GraphEditor, rewrite_graph
from tvmgo.compiler.simplify.weights import weight_bytes

# Fusions that write what no other compiler reads, or hide constants that it would fold better.
LEFT_OUT = ("TransposeOptimizer", "ConstantSharing", "MatMulAddFusion", "GemmTransposeFusion")

# Bytes of weights from which they are files of their own; a protobuf file has 2 GiB at most.
LARGE = 1 << 30


def fold_constants(model: Any) -> Any:
    """Return the model with its constants folded.

    It comes back as it is if ONNX Runtime cannot load it, for want of a kernel for some element
    type for one: what is constant then stays for the compiler to fold.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        large = weight_bytes(model) > LARGE
        if large:
            key = "session.optimized_model_external_initializers_file_name"
            options.add_session_config_entry(key, "result.data")
        source, result = Path(folder, "source.onnx"), Path(folder, "result.onnx")
        onnx.save(model, source, save_as_external_data=large, location="source.data")
        options.optimized_model_filepath = str(result)
        try:
            ort.InferenceSession(
                str(source),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=list(LEFT_OUT),
            )
        except Exception:  # ONNX Runtime's own classes have no common base
            return onnx.load(source)  # saving it may have taken its weights out
        folded = onnx.load(result)
    return fold_leftovers(without_unused_domains(folded))


# ONNX Runtime does not fold what has no fixed shape before it is computed.
SHAPED_BY_DATA = {"NonZero", "Unique", "Compress"}


def fold_leftovers(model: Any) -> Any:
    def fold(proto: Any, editor: GraphEditor) -> bool:
        values = [editor.constant(name or None) for name in proto.input]
        if proto.op_type not in SHAPED_BY_DATA or any(value is None for value in values):
            return False
        feeds = dict(zip(proto.input, values))
        for name, value in zip(proto.output, run_node(proto, feeds, model.opset_import)):
            if name:
                editor.add("Identity", [editor.add_constant(value)], [name])
        return True

    rewrite_graph(model.graph, fold)
    return model


def run_node(proto: Any, feeds: Mapping[str, Any], opsets: Any) -> list[Any]:
    from onnx.reference import ReferenceEvaluator

    graph = onnx.helper.make_graph(
        [proto],
        "node",
        [
            onnx.helper.make_tensor_value_info(name, code_of(v), v.shape)
            for name, v in feeds.items()
        ],
        [onnx.helper.make_empty_tensor_value_info(name) for name in proto.output if name],
    )
    computed = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=opsets))
    found = iter(computed.run(None, dict(feeds)))
    return [next(found) if name else None for name in proto.output]


def code_of(value: Any) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(value.dtype))


def without_unused_domains(model: Any) -> Any:
    """ONNX Runtime lists all domains that it knows."""
    used = {node.domain for node in model.graph.node} | {""}
    kept = [each for each in model.opset_import if each.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model
