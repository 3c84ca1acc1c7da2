# SPDX-License-Identifier: Apache-2.0
"""MXNet's symbols and parameters, by its own mx2onnx; what they compute says MXNet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet
import numpy as np
import onnx
from mxnet.ndarray.ndarray import _DTYPE_MX_TO_NP
from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph

from tvmgo.compiler.convert.request import Request
from tvmgo.exceptions import ExportError, TVMValueError

OPSET = 13  # the only one that mx2onnx knows beside 12
SYMBOL = "-symbol.json"

# What computes the loss in training, and only looks at the labels there.
LOSSES = {
    "SoftmaxOutput": mxnet.sym.softmax,
    "Softmax": mxnet.sym.softmax,  # what it was called once
    "LogisticRegressionOutput": mxnet.sym.sigmoid,
    "LinearRegressionOutput": mxnet.sym.identity,
    "MAERegressionOutput": mxnet.sym.identity,
}


def convert(request: Request, path: Path) -> dict[str, str]:
    symbol, weights = load(request.model)
    symbol = mxnet.sym.Group([without_label(output) for output in symbol])
    symbol = spelt_out(symbol, weights)
    names = [name for name in symbol.list_inputs() if name not in weights]
    known = symbol.attr_dict()
    shapes = [shape_of(name, request, known.get(name, {})) for name in names]
    types = [type_of(name, request, known.get(name, {})) for name in names]
    # It checks what it makes for the newest opset there is, whichever it makes.
    onnx.checker.check_graph = lambda *_: None
    own = [onnx.helper.np_dtype_to_tensor_dtype(each) for each in types]
    rows = request.rows is not None
    open_shapes = [("batch", *shape[1:]) for shape in shapes] if rows else None
    graph = MXNetGraph().create_onnx_graph_proto(
        symbol, weights, shapes, own, False, OPSET, rows, open_shapes
    )
    _, outputs = MXNetGraph.get_outputs(symbol, weights, shapes, None, own)
    put_in_order(graph, names, list(outputs))
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return {"mxnet": mxnet.__version__}


def load(model: Path) -> tuple[Any, dict[str, Any]]:
    """Return a symbol and its weights by their names."""
    symbol, weights = files_of(model)
    loaded = mxnet.nd.load(str(weights))
    named = {name.partition(":")[2] or name: value for name, value in loaded.items()}
    return mxnet.sym.load(str(symbol)), named


def files_of(model: Path) -> tuple[Path, Path]:
    """Return a symbol and its weights, of which the user has named either."""
    if model.suffix == ".params":
        prefix, _, _ = model.stem.rpartition("-")
        symbol = model.with_name((prefix or model.stem) + SYMBOL)
        if not symbol.is_file():
            reason = f"its symbol, {symbol.name}, is not beside it"
            raise ExportError("the model", reason, "keep both files in one folder")
        return symbol, model
    prefix = model.name.removesuffix(SYMBOL).removesuffix(".json")
    found = sorted(
        path
        for path in model.parent.iterdir()
        if path.suffix == ".params"
        and path.stem.rpartition("-")[0] in (prefix, "")
        and (path.stem == prefix or path.stem.startswith(prefix + "-"))
    )
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        reason = f"expected the parameters of one epoch beside {model.name}, found {names}"
        raise ExportError("the model", reason, f"give the path {prefix}-0000.params of the epoch")
    return model, found[0]


def without_label(output: Any) -> Any:
    """Return what an output is after training: a loss gives back what it compared with labels."""
    *_, node = json.loads(output.tojson())["nodes"]
    if node["op"] not in LOSSES:
        return output
    given = node.get("attrs") or node.get("param") or {}
    extra: dict[str, Any] = {}
    if node["op"] in ("SoftmaxOutput", "Softmax"):
        if given.get("multi_output", "False") in ("True", "1"):
            extra["axis"] = 1
        elif given.get("preserve_shape", "False") not in ("True", "1"):
            extra["axis"] = 1  # of rows, which is all that it is used for
    return LOSSES[node["op"]](output.get_children()[0], name=node["name"], **extra)


def spelt_out(symbol: Any, weights: dict[str, Any]) -> Any:
    """Say what a symbol means where mx2onnx takes it for something else; `weights` may change."""
    graph = json.loads(symbol.tojson())
    for node in graph["nodes"]:
        given = node.setdefault("attrs", {})
        if node["op"] == "FullyConnected":
            given.setdefault("flatten", "True")
        elif node["op"] == "BatchNorm" and given.get("fix_gamma", "True") in ("True", "1"):
            gamma = graph["nodes"][node["inputs"][1][0]]["name"]
            if gamma in weights:
                weights[gamma] = mxnet.nd.ones_like(weights[gamma])
        elif node["op"] == "Embedding":  # its indices end at the first and the last row
            node["op"], node["inputs"] = "take", node["inputs"][::-1]
            node["attrs"] = {"axis": "0", "mode": "clip"}
    return mxnet.sym.load_json(json.dumps(graph))


def shape_of(name: str, request: Request, known: Mapping[str, str]) -> tuple[int, ...]:
    if name in request.shapes:
        return tuple(request.shapes[name])
    if name in request.inputs:
        return tuple(request.inputs[name].shape)
    try:
        shape: Sequence[int] = json.loads(known["__shape__"].replace("(", "[").replace(")", "]"))
    except (KeyError, ValueError):
        shape = (0,)
    if 0 in shape:
        raise TVMValueError(
            f"shapes: expected the shape of the input {name!r}, which MXNet's files do not tell"
        )
    return tuple(shape)


def type_of(name: str, request: Request, known: Mapping[str, str]) -> np.dtype[Any]:
    if name in request.inputs:
        return request.inputs[name].dtype
    return np.dtype(_DTYPE_MX_TO_NP[int(known.get("__dtype__", 0))])


def put_in_order(graph: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Leave the inputs that are not weights, and put outputs, which came as they were computed, in order."""
    for values, names in ((graph.input, inputs), (graph.output, outputs)):
        by_name = {value.name: value for value in values}
        kept = [by_name[name] for name in names]
        del values[:]
        values.extend(kept)


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    symbol, weights = load(request.model)
    shapes = {name: value.shape for name, value in inputs.items()}
    types = {name: value.dtype for name, value in inputs.items()}
    executor = symbol.simple_bind(mxnet.cpu(), grad_req="null", type_dict=types, **shapes)
    executor.copy_params_from(weights, weights, allow_extra_params=True)
    given = {name: mxnet.nd.array(value, dtype=value.dtype) for name, value in inputs.items()}
    values = executor.forward(is_train=False, **given)
    return f"MXNet {mxnet.__version__}", [value.asnumpy() for value in values]
