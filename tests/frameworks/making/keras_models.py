# SPDX-License-Identifier: Apache-2.0
"""The models of Keras from which files of TensorFlow, Keras and TensorFlow Lite are written."""

import keras
import numpy as np
from keras import layers

ROWS, STEPS, WORDS = 2, 12, 50


def mlp():
    x = keras.Input((10,), name="features")
    y = layers.Dense(32, activation="relu")(x)
    y = layers.LayerNormalization()(y)
    return keras.Model(x, layers.Dense(3, activation="softmax", name="classes")(y), name="mlp")


def cnn():
    """Strides and SAME padding that is not the same on both sides, depthwise and dilated convolutions, pools."""
    x = keras.Input((33, 31, 3), name="image")
    y = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    y = layers.ReLU(max_value=6)(layers.BatchNormalization()(y))
    y = layers.DepthwiseConv2D(3, padding="same")(y)
    y = layers.MaxPooling2D(3, 2, padding="same")(y)
    y = layers.Conv2D(8, 3, padding="same", dilation_rate=2, activation="swish")(y)
    y = layers.AveragePooling2D(2, padding="same")(y)
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(y)
    y = layers.Flatten()(y)
    return keras.Model(x, layers.Dense(5, name="scores")(y), name="cnn")


def lstm():
    x = keras.Input((STEPS, 6), name="steps")
    y = layers.LSTM(8, return_sequences=True)(x)
    return keras.Model(x, layers.Bidirectional(layers.LSTM(5))(y), name="lstm")


def gru():
    x = keras.Input((STEPS, 6), name="steps")
    return keras.Model(x, layers.GRU(7)(x), name="gru")


def attention():
    """Words, their attention to each other, and two results."""
    words = keras.Input((STEPS,), dtype="int32", name="words")
    y = layers.Embedding(WORDS, 16)(words)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 8)(y, y))
    pooled = layers.GlobalAveragePooling1D()(y)
    heads = [layers.Dense(1, name="score")(pooled), layers.Dense(4, name="topics")(pooled)]
    return keras.Model(words, heads, name="attention")


def mobilenet():
    x = keras.Input((96, 96, 3), name="image")
    return keras.applications.MobileNet(input_tensor=x, alpha=0.25, weights=None, classes=10)


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": lstm,
    "gru": gru,
    "attention": attention,
    "mobilenet": mobilenet,
}


def make(name):
    """Return a model whose statistics are not those that every model begins with, and inputs."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    model = MODELS[name]()
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            weights = [random.uniform(0.5, 1.5, each.shape) for each in layer.get_weights()]
            layer.set_weights(weights)
    inputs = {}
    names = [each.name for each in model.layers if isinstance(each, layers.InputLayer)]
    for name, each in zip(names, model.inputs):
        shape = (ROWS, *each.shape[1:])
        if each.dtype == "int32":
            inputs[name] = random.integers(0, WORDS, shape).astype(each.dtype)
        else:
            inputs[name] = random.standard_normal(shape).astype(each.dtype)
    return model, inputs


def said(model, inputs):
    """Return what a model says, a list."""
    values = model(list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values())))
    return [np.asarray(each) for each in (values if isinstance(values, list | tuple) else [values])]
