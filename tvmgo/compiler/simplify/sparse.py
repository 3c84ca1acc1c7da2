# SPDX-License-Identifier: Apache-2.0
"""Sparse constants, written out: nobody who reads the model afterwards knows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tvmgo.compiler.simplify.graph_editor import subgraphs


def write_out_sparse(graph: Any) -> None:
    """Make all constants of a graph and of those inside dense."""
    for sparse in graph.sparse_initializer:
        graph.initializer.append(dense(sparse, sparse.values.name))
    del graph.sparse_initializer[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.SPARSE_TENSOR:
                value = dense(attribute.sparse_tensor, "")
                attribute.CopyFrom(helper.make_attribute("value", value))
        for inner in subgraphs(node):
            write_out_sparse(inner)


def dense(sparse: Any, name: str) -> Any:
    """Return a tensor with all elements; places are numbers in the order of memory, or rows."""
    values = numpy_helper.to_array(sparse.values)
    places = numpy_helper.to_array(sparse.indices)
    result = np.zeros(tuple(sparse.dims), values.dtype)
    if places.ndim == 1:
        result.reshape(-1)[places] = values
    else:
        result[tuple(places.T)] = values
    return numpy_helper.from_array(result, name)
