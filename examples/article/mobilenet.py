# SPDX-License-Identifier: Apache-2.0
"""The article's model: Keras' MobileNet v1 as TensorFlow's frozen graph, and what TensorFlow says of a picture.

    python examples/article/mobilenet.py DIRECTORY

Needs TensorFlow. Writes ``mobilenet.pb`` and ``answer.npz`` (arrays ``input`` and ``output``). Weights are
drawn by chance from a seed, so that nothing is downloaded.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SHAPE = (1, 224, 224, 3)


def draw_weights(model: tf.keras.Model) -> None:
    """Give a model weights with which the values of all layers are of one size, as trained ones have them."""
    numbers = np.random.default_rng(0)
    for layer in model.layers:
        values = layer.get_weights()
        if len(values) == 4:  # of a batch normalisation: scale, shift, mean, variance
            values = [numbers.uniform(0.5, 1.5, value.shape) for value in values]
            values[1:3] = [value - 1 for value in values[1:3]]
        elif values:
            depthwise = isinstance(layer, tf.keras.layers.DepthwiseConv2D)
            summed = np.prod(values[0].shape[: 2 if depthwise else -1])
            values[0] = numbers.normal(0, np.sqrt(2 / summed), values[0].shape)
        layer.set_weights(values)


def main() -> None:
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    model = tf.keras.applications.MobileNet(weights=None)
    draw_weights(model)
    call = tf.function(lambda x: model(x, training=False))
    frozen = convert_variables_to_constants_v2(
        call.get_concrete_function(tf.TensorSpec(SHAPE, tf.float32, name="input"))
    )
    (directory / "mobilenet.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    picture = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    [output] = frozen(tf.constant(picture))
    np.savez(directory / "answer.npz", input=picture, output=output.numpy())


if __name__ == "__main__":
    main()
