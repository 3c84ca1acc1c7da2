# SPDX-License-Identifier: Apache-2.0
"""Features made ready: scaled, encoded, completed, put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import numpy_helper

from tvmgo.compiler.simplify.expansions.estimators.scores import FLOAT, computing_dtype, word
from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node


def scaler(node: Node, g: GraphEditor) -> bool:
    """One offset and scale for all features, or one for each."""
    dtype = computing_dtype(node, g)
    x = g.cast(node.input(0), dtype)
    for operator, name, nothing in (("Sub", "offset", 0.0), ("Mul", "scale", 1.0)):
        values = node.attributes.get(name, [nothing])
        x = g.add(operator, [x, g.add_constant(values, dtype)])
    g.cast(x, FLOAT, node.outputs)
    return True


def normalizer(node: Node, g: GraphEditor) -> bool:
    """Rows are divided by a norm; what has the norm 0 stays as it is."""
    x, norm, axes = g.cast(node.input(0), FLOAT), word(node, "norm", "MAX"), g.integers(-1)
    one, zero = (g.add_constant(value, FLOAT) for value in (1, 0))
    if norm == "MAX":
        size = g.add("ReduceMax", [x, axes], keepdims=1)
    elif norm in ("L1", "L2"):
        size = g.add(f"Reduce{norm}", [x, axes], keepdims=1)
    else:
        raise node.refuse(f"its norm {norm!r} is not known")
    divisor = g.add("Where", [g.add("Equal", [size, zero]), one, size])
    g.add("Div", [x, divisor], node.outputs)
    return True


def imputer(node: Node, g: GraphEditor) -> bool:
    """What is missing, NaN or a number, becomes a number, one for all features or each."""
    x, dtype = node.input(0), g.dtype(node)
    kind = "float" if dtype.kind == "f" else "int64"
    values = node.attributes.get(f"imputed_value_{kind}s")
    if values is None:
        raise node.refuse(f"it has no values for {dtype}")
    replaced = node.attributes.get(f"replaced_value_{kind}", 0)
    if replaced != replaced:
        missing = g.add("IsNaN", [x])
    else:
        missing = g.add("Equal", [x, g.add_constant(replaced, dtype)])
    g.add("Where", [missing, g.add_constant(values, dtype), x], node.outputs)
    return True


def binarizer(node: Node, g: GraphEditor) -> bool:
    dtype = g.dtype(node)
    limit = g.add_constant(node.attributes.get("threshold", 0.0), FLOAT)
    larger = g.add("Greater", [g.cast(node.input(0), FLOAT), limit])
    g.cast(larger, dtype, node.outputs)
    return True


def one_hot_encoder(node: Node, g: GraphEditor) -> bool:
    """A column for each category; what is none of them has zeros in all."""
    categories = node.attributes.get("cats_int64s")
    if not categories:
        raise node.refuse("its categories are strings", ENCODE)
    x = g.cast(node.input(0), np.int64)
    x = g.add("Unsqueeze", [x, g.integers(-1)])
    same = g.add("Equal", [x, g.add_constant(categories, np.int64)])
    g.cast(same, FLOAT, node.outputs)
    return True


ENCODE = "give the model numbers: encode strings before it, with the same categories"


def label_encoder(node: Node, g: GraphEditor) -> bool:
    """Each number becomes another one, those that are not listed a default."""
    keys, values, default = (table_of(node, name) for name in ("keys", "values", "default"))
    if keys is None or values is None:
        raise node.refuse("it encodes strings", ENCODE)
    if len(keys) != len(values):
        raise node.refuse(f"it has {len(keys)} keys and {len(values)} values")
    rest = -1 if values.dtype.kind == "i" else -0.0
    if default is not None:
        rest = default.reshape(-1)[0]
    # The first of equal keys counts, and after all keys comes what is none.
    x = g.add("Unsqueeze", [node.input(0), g.integers(-1)])
    dtype = g.dtype(node)
    same = g.add("Equal", [x, g.add_constant(keys, dtype)])
    if keys.dtype.kind == "f" and np.isnan(keys).any():
        is_nan = g.add("And", [g.add("IsNaN", [x]), g.add_constant(np.isnan(keys))])
        same = g.add("Or", [same, is_nan])
    found = g.cast(same, FLOAT)
    place = g.add("ArgMax", [found], axis=-1, keepdims=0)
    known = g.add("ReduceMax", [found, g.integers(-1)], keepdims=0)
    known = g.add("Greater", [known, g.add_constant(0, FLOAT)])
    value = g.add("Gather", [g.add_constant(values), place], axis=0)
    g.add("Where", [known, value, g.add_constant(rest, values.dtype)], node.outputs)
    return True


def table_of(node: Node, name: str) -> np.ndarray | None:
    """Return keys, values or the default of a LabelEncoder, None for strings."""
    for key, dtype in (("int64", np.int64), ("float", np.float32)):
        found = node.attributes.get(f"{name}_{key}" + ("" if name == "default" else "s"))
        if found is not None:
            return np.asarray(found, dtype)
    tensor = node.attributes.get(f"{name}_tensor")
    if tensor is None:
        return None
    value = np.asarray(numpy_helper.to_array(tensor))
    return None if value.dtype.kind in "OUS" else value


def array_feature_extractor(node: Node, g: GraphEditor) -> bool:
    """Takes places of the last axis; what has one axis is a row."""
    x = node.input(0)
    if g.need_rank(node) == 1:
        x = g.add("Reshape", [x, g.integers(1, -1)])
    indices = g.add("Reshape", [node.input(1), g.integers(-1)])
    g.add("Gather", [x, indices], node.outputs, axis=-1)
    return True


def feature_vectorizer(node: Node, g: GraphEditor) -> bool:
    """Puts features side by side: of each input as many as are said, zeros where there are less."""
    parts = []
    for i, count in enumerate(node.attributes.get("inputdimensions", [])):
        x = g.cast(node.input(i), FLOAT)
        sizes: Sequence[int | None] = g.need_dimensions(node, i)
        if len(sizes) == 1:
            x, sizes = g.add("Reshape", [x, g.integers(-1, 1)]), [sizes[0], 1]
        if len(sizes) != 2 or sizes[1] is None:
            raise node.refuse(f"how many features its input {i} has is not known")
        if sizes[1] > count:
            x = g.add("Slice", [x, g.integers(0), g.integers(count), g.integers(1)])
        elif sizes[1] < count:
            x = g.add("Pad", [x, g.integers(0, 0, 0, count - sizes[1])])
        parts.append(x)
    g.add("Concat", parts, node.outputs, axis=1)
    return True
