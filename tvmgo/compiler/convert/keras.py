# SPDX-License-Identifier: Apache-2.0
"""Keras, ``.keras`` and HDF5, by its TensorFlow backend and tf2onnx."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before it is imported

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tvmgo.compiler.convert.concrete import write_function
from tvmgo.compiler.convert.request import Request
from tvmgo.exceptions import ExportError


def convert(request: Request, path: Path) -> dict[str, str]:
    model = load(request)
    specs = [tf.TensorSpec(each.shape, each.dtype, each.name) for each in model.inputs]
    function = tf.function(lambda *values: results_of(model, values)).get_concrete_function(*specs)
    names = [each.name for each in model.inputs]
    versions = write_function(function, names, outputs_of(model), path)
    return {"keras": keras.__version__, **versions}


def compute(request: Request, inputs: Mapping[str, np.ndarray]) -> tuple[str, list[np.ndarray]]:
    model = load(request)
    values = [tf.constant(inputs[each.name]) for each in model.inputs]
    found = [np.asarray(each) for each in results_of(model, values)]
    return f"Keras {keras.__version__}", found


def load(request: Request) -> Any:
    try:
        model = keras.models.load_model(request.model, compile=False)
    except Exception as error:
        raise ExportError(
            f"Keras: reading {request.model.name}",
            f"{type(error).__name__}: {str(error).splitlines()[0]}",
            "save it as a SavedModel, which has the code of custom layers: model.export(folder)",
        ) from error
    if not getattr(model, "inputs", None):
        raise ExportError(
            "Keras: the model",
            "its inputs have no shapes",
            "build it, or save it as a SavedModel: model.export(folder)",
        )
    return model


def results_of(model: Any, values: Sequence[Any]) -> list[Any]:
    packed = keras.tree.pack_sequence_as(model.input, list(values))
    return keras.tree.flatten(model(packed, training=False))


def outputs_of(model: Any) -> list[str]:
    """Return the names of layers that give results, or numbered ones where a layer gives several."""
    names = list(getattr(model, "output_names", ()))
    count = len(keras.tree.flatten(model.output))
    if len(set(names)) == count:
        return names
    return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
