# SPDX-License-Identifier: Apache-2.0
"""PyTorch, by ``torch.onnx``: an ExportedProgram (``.pt2``) or TorchScript (``.pt``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch.utils import _pytree as pytree

from tvmgo.compiler.convert.names import numbered, rename
from tvmgo.compiler.convert.request import OPSET, Request
from tvmgo.exceptions import ExportError, TVMValueError


def convert(request: Request, path: Path) -> dict[str, str]:
    model = load(request.model)
    if isinstance(model, torch.jit.ScriptModule):
        convert_script(model, request, path)
    else:
        convert_program(model, path)
    return {"torch": torch.__version__, "onnx": onnx.__version__}


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    model = load(request.model)
    values = {name: torch.from_numpy(value) for name, value in inputs.items()}
    with torch.no_grad():
        if isinstance(model, torch.jit.ScriptModule):
            results = model(*(values[name] for name in parameters_of(model)))
        else:
            ordered = [values[name] for name in model.graph_signature.user_inputs]
            args, kwargs = pytree.tree_unflatten(ordered, model.call_spec.in_spec)
            results = model.module()(*args, **kwargs)
    found = [np.asarray(each) for each in pytree.tree_leaves(results) if torch.is_tensor(each)]
    return f"PyTorch {torch.__version__}", found


def load(path: Path) -> Any:
    """Read what `torch.export.save` or `torch.jit.save` has written."""
    try:
        if path.suffix == ".pt2":
            return torch.export.load(path)
        return torch.jit.load(path, map_location="cpu").eval()
    except Exception as error:
        raise ExportError(
            f"PyTorch: reading {path.name}",
            f"{type(error).__name__}: {str(error).splitlines()[0]}",
            "save it by torch.export.save as .pt2, with the release that is to read it",
        ) from error


def name_all(path: Path, inputs: Sequence[str], outputs: Sequence[str] = ()) -> None:
    """Give the inputs and outputs of a file names, in order."""
    model = onnx.load(path)
    graph = model.graph
    outputs = outputs or numbered(len(graph.output))
    rename(
        model,
        {value.name: name for value, name in zip(graph.input, inputs)},
        {value.name: name for value, name in zip(graph.output, outputs)},
    )
    onnx.save(model, path)


# ---------------------------------------------------------------- ExportedProgram


def convert_program(program: Any, path: Path) -> None:
    torch.onnx.export(
        program,
        f=str(path),
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    name_all(path, program.graph_signature.user_inputs, results_of(program))


def results_of(program: Any) -> Sequence[str]:
    """Return the names of results: the keys of dicts, or numbers where there are none."""
    spec = program.call_spec.out_spec
    places = pytree.tree_unflatten(range(spec.num_leaves), spec)
    keys = [pytree.keystr(path).strip("[]'.") for path, _ in pytree.tree_leaves_with_path(places)]
    return numbered(len(keys)) if all(key.isdigit() or not key for key in keys) else keys


# ---------------------------------------------------------------- TorchScript


def parameters_of(module: Any) -> list[str]:
    return [each.name for each in module.forward.schema.arguments if each.name != "self"]


def convert_script(module: Any, request: Request, path: Path) -> None:
    """Trace the program at the shapes that were given, which the file does not tell."""
    names = parameters_of(module)
    lacking = [name for name in names if name not in {*request.inputs, *request.shapes}]
    if lacking:
        raise TVMValueError(
            f"shapes: TorchScript does not tell those of its inputs: pass shapes= for {lacking}, or "
            "inputs= for those that are not float32"
        )
    values = tuple(example(name, request) for name in names)
    dynamic = {name: {0: "batch"} for name in names} if request.rows else None
    options = {"input_names": names, "opset_version": OPSET, "dynamic_axes": dynamic}
    try:
        torch.onnx.export(module, values, str(path), dynamo=False, **options)
    except torch.onnx.errors.OnnxExporterError:
        if request.rows:
            raise
        # It knows few shapes inside a program, and so not every operator.
        from torch._export.converter import TS2EPConverter

        convert_program(TS2EPConverter(module, values).convert(), path)
    name_all(path, names)


def example(name: str, request: Request) -> torch.Tensor:
    if name in request.inputs:
        return torch.from_numpy(request.inputs[name])
    return torch.randn(request.shapes[name])
