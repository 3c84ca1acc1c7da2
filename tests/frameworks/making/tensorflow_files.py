# SPDX-License-Identifier: Apache-2.0
"""Writes the models of `keras_models` as files of TensorFlow, Keras and TensorFlow Lite."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras_models import MODELS, ROWS, make, said
from saving import save
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def frozen(model, path):
    """Write the graph of a model with its weights inside."""
    specs = [tf.TensorSpec(each.shape, each.dtype, each.name) for each in model.inputs]
    function = tf.function(lambda *values: model(list(values) if len(values) > 1 else values[0]))
    concrete = function.get_concrete_function(*specs)
    graph = convert_variables_to_constants_v2(concrete, lower_control_flow=False).graph
    path.write_bytes(graph.as_graph_def().SerializeToString())


def lite(model, path):
    if model.name in ("lstm", "gru"):  # which TensorFlow Lite has for a fixed number of rows alone
        [x] = model.inputs
        rows = keras.Input(batch_shape=(ROWS, *x.shape[1:]), dtype=x.dtype, name=x.name)
        model = keras.Model(rows, model(rows))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    path.write_bytes(converter.convert())


def function(model, path):
    [x] = model.inputs
    specs = [tf.TensorSpec(x.shape, x.dtype, x.name)]
    save(tf.function(lambda x: model(x), input_signature=specs), path.with_suffix(""))


FORMS = {
    ".saved": lambda model, path: model.export(path, verbose=False),
    ".pb": frozen,
    ".keras": lambda model, path: model.save(path),
    ".h5": lambda model, path: model.save(path),
    ".tflite": lite,
    # Objects, saved as `export` has them saved.
    ".object.keras": lambda model, path: save(model, path.with_suffix("")),
    ".function.saved": function,
}


def main(folder):
    for name in MODELS:
        model, inputs = make(name)
        results = {f"y{i}": value for i, value in enumerate(said(model, inputs))}
        for suffix, write in FORMS.items():
            path = folder / f"{name}{suffix}"
            try:
                write(model, path)
            except Exception as error:
                print(f"{path.name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                continue
            np.savez(folder / f"{path.name}.npz", **inputs, **results)
            print(path.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
