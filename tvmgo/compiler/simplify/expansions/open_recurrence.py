# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN over a number of steps that is open: a Scan whose steps are such operators."""

from __future__ import annotations

from onnx import TensorProto, helper

from tvmgo.compiler.simplify.graph_editor import GraphEditor, Node

# Which inputs have a part for each direction; the states among them come from step to step.
WEIGHTS, STATES, PEEPHOLES = (1, 2, 3), (5, 6), 7


def scan_steps(node: Node, g: GraphEditor) -> bool:
    """Take the steps of each direction in turn, if their number is open."""
    sizes = g.dimensions(node.input(0))
    batch_first = bool(node.attributes.get("layout", 0))
    if sizes is None or sizes[1 if batch_first else 0] is not None:
        return False
    if node.input(4) is not None:
        raise node.refuse("its sequences have lengths of their own", "leave them out")
    x = node.inputs[0]
    if batch_first:
        x = g.add("Transpose", [x], perm=[1, 0, 2])
    direction = node.attributes.get("direction", b"forward").decode()
    ways = {"bidirectional": ["forward", "reverse"]}.get(direction, [direction])
    found = [Direction(node, g, i, way, len(ways)).scan(x) for i, way in enumerate(ways)]
    for place, output in enumerate(node.outputs):
        if output:
            parts = [results[place] for results in found]
            axis, order = (0, [1, 0, 2]) if place else (1, [2, 0, 1, 3])
            if not batch_first:
                g.add("Concat", parts, [output], axis=axis)
            else:
                g.add("Transpose", [g.add("Concat", parts, axis=axis)], [output], perm=order)
    return True


class Direction:
    """One direction of a recurrence: its part of the weights, and its activations."""

    def __init__(self, node: Node, g: GraphEditor, index: int, way: str, ways: int) -> None:
        self.node, self.g, self.index, self.backwards = node, g, index, way == "reverse"
        self.states = STATES[: 2 if node.operator == "LSTM" else 1]
        self.attributes = {**node.attributes, "direction": "forward", "layout": 0}
        for name in ("activations", "activation_alpha", "activation_beta"):
            if name in self.attributes:
                values = list(self.attributes[name])
                count = len(values) // ways
                self.attributes[name] = values[index * count : (index + 1) * count]

    def part(self, place: int) -> str | None:
        name = self.node.input(place)
        return name and self.one_of(name)

    def one_of(self, name: str) -> str:
        g = self.g
        ends = (g.integers(self.index), g.integers(self.index + 1), g.integers(0))
        return g.add("Slice", [name, *ends])

    def initial(self, place: int, x: str) -> str:
        """Return a state of the shape [1, batch, hidden]."""
        g, given = self.g, self.node.input(place)
        if given is not None and self.node.attributes.get("layout", 0):
            given = g.add("Transpose", [given], perm=[1, 0, 2])
        if given is not None:
            return self.one_of(given)
        hidden = g.need_shape(self.node, 2)[-1]
        batch = g.add("Gather", [g.add("Shape", [x]), g.integers(1)], axis=0)
        shape = g.add("Concat", [g.integers(1), batch, g.integers(hidden)], axis=0)
        return g.add("Expand", [g.add_constant(0, g.dtype(self.node)), shape])

    def scan(self, x: str) -> list[str]:
        """Return what comes of all steps, [steps, 1, batch, hidden], and the last states."""
        g, node, count = self.g, self.node, len(self.states)
        code = helper.np_dtype_to_tensor_dtype(g.dtype(node))
        names = {name: g.new_name(name) for name in ("x", "wide", "all", "seen", "zero")}
        before = [g.new_name("before") for _ in self.states]
        after = [g.new_name("after") for _ in self.states]
        inputs = [names["wide"], *map(self.part, WEIGHTS), None, *before]
        if count == 2:
            inputs.append(self.part(PEEPHOLES))
        body = helper.make_graph(
            [
                helper.make_node("Unsqueeze", [names["x"], names["zero"]], [names["wide"]]),
                helper.make_node(
                    node.operator,
                    [each or "" for each in inputs],
                    [names["all"], *after],
                    **self.attributes,
                ),
                helper.make_node("Squeeze", [names["all"], names["zero"]], [names["seen"]]),
            ],
            "step",
            [helper.make_tensor_value_info(each, code, None) for each in (*before, names["x"])],
            [helper.make_tensor_value_info(each, code, None) for each in (*after, names["seen"])],
            [helper.make_tensor(names["zero"], TensorProto.INT64, [1], [0])],
        )
        results = [g.new_name("last") for _ in self.states]
        series = g.new_name("series")
        turned = [int(self.backwards)]
        g.add(
            "Scan",
            [*(self.initial(place, x) for place in self.states), x],
            [*results, series],
            body=body,
            num_scan_inputs=1,
            scan_input_directions=turned,
            scan_output_directions=turned,
        )
        return [series, *results]


OPEN = dict.fromkeys(("LSTM", "GRU", "RNN"), scan_steps)
