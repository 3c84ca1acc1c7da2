# SPDX-License-Identifier: Apache-2.0
"""PaddlePaddle's static programs, by its own paddle2onnx; what they compute says Paddle's inference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import paddle
import paddle2onnx
from paddle import inference

from tvmgo.compiler.convert.request import OPSET, Request
from tvmgo.exceptions import ExportError

SUFFIXES = (".json", ".pdmodel")  # of Paddle 3 and 2


def convert(request: Request, path: Path) -> dict[str, str]:
    program, weights = files_of(request.model)
    paddle2onnx.export(str(program), str(weights), str(path), opset_version=OPSET)
    return {"paddlepaddle": paddle.__version__, "paddle2onnx": paddle2onnx.__version__}


def files_of(model: Path) -> tuple[Path, Path]:
    """Return a program and its weights, of which the user has named either."""
    weights = model.with_suffix(".pdiparams")
    programs = [model.with_suffix(suffix) for suffix in SUFFIXES]
    program = model if model.suffix in SUFFIXES else next(filter(Path.is_file, programs), None)
    if program is None or not weights.is_file():
        lacks = f"{weights.name} is" if program else "its program (.json or .pdmodel) is"
        raise ExportError("the model", f"{lacks} not beside it", "keep both files in one folder")
    return program, weights


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    program, weights = files_of(request.model)
    config = inference.Config(str(program), str(weights))
    config.disable_gpu()
    config.switch_ir_optim(False)  # what the program says, not what became of it
    predictor = inference.create_predictor(config)
    for name in predictor.get_input_names():
        predictor.get_input_handle(name).copy_from_cpu(np.ascontiguousarray(inputs[name]))
    predictor.run()
    outputs = [predictor.get_output_handle(name) for name in predictor.get_output_names()]
    return f"PaddlePaddle {paddle.__version__}", [each.copy_to_cpu() for each in outputs]
