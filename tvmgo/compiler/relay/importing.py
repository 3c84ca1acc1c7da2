# SPDX-License-Identifier: Apache-2.0
"""TVM's ONNX importer of Relay, made strict.

What a converter does not read of a node, it would silently compute without: such nodes are refused.
So are those whose outputs come out with another type or shape than ONNX infers, those that need
what a static graph does not hold, and those of `REFUSALS`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tvm
from tvm import relay
from tvm.relay.frontend import common
from tvm.relay.frontend import onnx as frontend

from tvmgo.compiler.errors import REWRITE_OPERATOR
from tvmgo.compiler.onnx_nodes import TrackedAttributes, TrackedInputs, ignored, unread
from tvmgo.compiler.relay.converters import CONVERTERS
from tvmgo.compiler.relay.failures import as_export_error
from tvmgo.compiler.relay.nodes import OPSET, Node, Spec
from tvmgo.compiler.relay.refusals import refuse_dtype, refuse_wrong
from tvmgo.exceptions import ExportError

# Attributes that say what another one or the shapes say too, or nothing about the result.
HARMLESS = {
    ("RoiAlign", "coordinate_transformation_mode"),  # what TVM does not do is in REFUSALS
    ("Split", "num_outputs"),  # the node has that many
    ("TopK", "sorted"),  # unsorted, any order is right
}

infer_all_anew = common.infer_type


def infer_type(node: Any, mod: Any = None) -> Any:
    """Infer the type of an expression from those of its parts, which are known.

    TVM's function infers all of these anew, for each node: of thousands, that takes an hour.
    """
    if mod is not None or isinstance(node, relay.Function):
        return infer_all_anew(node, mod)
    relay.transform.InferTypeLocal(node)
    return node


common.infer_type = frontend.infer_type = infer_type


def from_onnx(model: Any, progress: Callable[[str], object]) -> tvm.IRModule:
    """Convert a model in normal form; its weights become constants of the program.

    Parameters
    ----------
    model : onnx.ModelProto
        Emptied on the way, so that memory holds its weights once.
    progress : callable
        Called with a line now and then.

    Raises
    ------
    ExportError
        If it is not in normal form; if TVM cannot convert one of its nodes, or gets it wrong.
    """
    opset = next((each.version for each in model.opset_import if each.domain == ""), None)
    if opset != OPSET:
        raise ExportError("the model", f"its opset is {opset}, not {OPSET}", "simplify it first")
    return StrictImporter(model.graph, progress).convert()


class StrictImporter(frontend.GraphProto):  # type: ignore[misc]  # of type Any
    """TVM's importer, which refuses what it would pass over."""

    def __init__(self, graph: Any, progress: Callable[[str], object]) -> None:
        values = (*graph.value_info, *graph.input, *graph.output)
        self.specs = {value.name: Spec.of_value(value) for value in values}
        self.specs.update({each.name: Spec.of_tensor(each) for each in graph.initializer})
        shapes = {value.name: self.specs[value.name].shape for value in graph.input}
        super().__init__(shapes, "float32", freeze_params=True, op_type_dict={})
        self.graph = graph
        self.progress = progress
        self.node: Any = None  # that is being converted

    def convert(self) -> tvm.IRModule:
        for value in (*self.graph.input, *self.graph.initializer):
            refuse_dtype(f"value `{value.name}`", self.specs[value.name].dtype)
        with self, as_export_error("importing the model", instead=REWRITE_OPERATOR):
            module, _ = self.from_onnx(self.graph, OPSET)
            return relay.transform.InferType()(module)

    def _parse_graph_initializers(self, graph: Any) -> None:
        while graph.initializer:
            each = graph.initializer.pop()
            super()._parse_graph_initializers(SimpleNamespace(initializer=[each]))

    def _check_for_unsupported_ops(self, graph: Any) -> None:
        """Said of each node when its turn comes."""

    def _construct_nodes(self, graph: Any) -> None:
        count = len(graph.node)
        for index, node in enumerate(graph.node):
            if index % 100 == 0 and index:
                self.progress(f"importing the model: {index} of {count} nodes")
            self.node = Node(node, self.specs, self._constant)
            with as_export_error(self.node.place, instead=REWRITE_OPERATOR):
                refuse_wrong(self.node)
                super()._construct_nodes(SimpleNamespace(node=[node]))
                self._check_outputs()

    def _convert_operator(
        self, name: str, inputs: list[Any], attributes: dict[str, Any], opset: int
    ) -> Any:
        if name not in frontend._get_convert_map(opset):
            raise self.node.refuse("TVM's importer has no such operator")
        while inputs and inputs[-1] is None:  # TVM takes one left out at the end for given
            inputs.pop()
        tracked, arguments = TrackedAttributes(attributes), TrackedInputs(inputs)
        convert = CONVERTERS.get(name)
        result = convert and convert(self.node, arguments, tracked)
        if result is None:
            result = super()._convert_operator(name, arguments, tracked, opset)
        for what in unread(name, opset, tracked, arguments, HARMLESS, lambda x: x is None):
            raise self.node.refuse(ignored(what))
        return result

    def _constant(self, name: str) -> np.ndarray | None:
        value = self._nodes.get(name)
        return value.data.numpy() if isinstance(value, relay.Constant) else None

    def _check_outputs(self) -> None:
        for name in self.node.proto.output:
            if not name or name not in self._nodes:
                continue
            found = spec_of(infer_type(self._nodes[name]).checked_type)
            if found is None:
                raise self.node.refuse(
                    f"the shape of `{name}` depends on data, and a static graph holds tensors of "
                    "one shape each",
                    'use format="vm", or fix what the shape depends on',
                )
            wanted = self.specs.get(name)
            if wanted is not None and not wanted.fits(found):
                raise self.node.refuse(
                    f"output `{name}` is {wanted} by ONNX, TVM's importer made {found}"
                )


def spec_of(found: Any) -> Spec | None:
    """Return what TVM infers; None if it is no tensor of fixed sizes."""
    if not isinstance(found, relay.TensorType):
        return None
    if not all(isinstance(size, tvm.tir.IntImm) for size in found.shape):
        return None
    return Spec(found.dtype, tuple(map(int, found.shape)))
