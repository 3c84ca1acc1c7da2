# SPDX-License-Identifier: Apache-2.0
"""Models that no static graph can hold, beside ONNX Runtime, at several sizes of open dimensions."""

import threading
from functools import partial

import numpy as np
import pytest
import tvm
from tvm import relax

import tvmgo
from tests.compiler.vm import run, start
from tests.compiler.vm_models import (
    BOOL,
    FALSE,
    FLOAT,
    INT64,
    RANDOM,
    TRUE,
    assert_like_onnx_runtime,
    assert_same,
    branch,
    compile_model,
    model_of,
    node,
    normal,
    number,
    value,
)
from tvmgo.exceptions import ExportError

pytestmark = pytest.mark.slow


@pytest.fixture
def check(tmp_path):
    return partial(assert_like_onnx_runtime, tmp_path / "deploy.so")


def test_open_batch(check):
    """A convolutional network: the batch stays open through a reshape that names it."""
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"]),
        node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", ["c"], ["s"], end=1),
        node("Concat", ["s", "rest"], ["t"], axis=0),
        node("Reshape", ["c", "t"], ["d"]),
        node("Gemm", ["d", "m", "bias"], ["e"]),
        node("Softmax", ["e"], ["y"]),
    ]
    weights = {
        "w": normal(4, 3, 3, 3),
        "rest": np.array([-1]),
        "m": normal(64, 10),
        "bias": normal(10),
    }
    model = model_of(nodes, {"x": (FLOAT, ["batch", 3, 8, 8])}, ["y"], weights)
    machine = check(model, [normal(1, 3, 8, 8)], [normal(5, 3, 8, 8)], [normal(64, 3, 8, 8)])
    assert machine["get_function_param_name"]("main", 0) == "x"
    assert machine["output_names"]() == ["y"]


def test_attention_over_an_open_sequence(check):
    nodes = [
        node("MatMul", ["x", "wq"], ["q"]),
        node("MatMul", ["x", "wk"], ["k"]),
        node("Shape", ["x"], ["s"]),
        node("Slice", ["s", "zero", "two"], ["bt"]),
        node("Concat", ["bt", "heads"], ["split"], axis=0),
        node("Reshape", ["q", "split"], ["q4"]),
        node("Reshape", ["k", "split"], ["k4"]),
        node("Transpose", ["q4"], ["qt"], perm=[0, 2, 1, 3]),
        node("Transpose", ["k4"], ["kt"], perm=[0, 2, 3, 1]),
        node("MatMul", ["qt", "kt"], ["scores"]),
        node("Add", ["scores", "mask"], ["masked"]),
        node("Softmax", ["masked"], ["p"]),
        node("MatMul", ["p", "qt"], ["o"]),
        node("Transpose", ["o"], ["ot"], perm=[0, 2, 1, 3]),
        node("Concat", ["bt", "width"], ["joined"], axis=0),
        node("Reshape", ["ot", "joined"], ["r"]),
        node("LayerNormalization", ["r", "gamma", "beta"], ["y"]),
    ]
    weights = {
        "wq": normal(16, 16),
        "wk": normal(16, 16),
        "zero": np.array([0]),
        "two": np.array([2]),
        "heads": np.array([2, 8]),
        "width": np.array([-1]),
        "gamma": normal(16),
        "beta": normal(16),
    }
    inputs = {"x": (FLOAT, ["b", "t", 16]), "mask": (FLOAT, ["b", 1, 1, "t"])}
    requests = [
        [normal(b, t, 16), np.where(RANDOM.rand(b, 1, 1, t) > 0.3, 0, -1e9).astype("float32")]
        for b, t in ((1, 1), (2, 7), (3, 20))
    ]
    check(model_of(nodes, inputs, ["y"], weights), *requests)


@pytest.mark.parametrize("operator", ["Add", "Div", "Where", "Max", "MatMul"])
def test_broadcasting_that_sizes_decide(check, operator):
    inputs = {"a": (FLOAT, ["n", 4, "k"]), "b": (FLOAT, ["m", "k", "p"])}
    nodes = [node(operator, ["a", "b"], ["y"])]
    if operator == "MatMul":
        requests = [[normal(n, 4, 3), normal(m, 3, 2)] for n, m in ((2, 2), (1, 3), (3, 1), (0, 1))]
    else:
        inputs["b"] = (FLOAT, ["m", 1, "p"])
        shapes = ((2, 3, 2, 3), (1, 3, 4, 1), (4, 1, 1, 3), (1, 1, 0, 2))
        requests = [[normal(n, 4, k), normal(m, 1, p) + 9] for n, k, m, p in shapes]
    if operator == "Where":
        nodes = [node("Greater", ["a", "b"], ["c"]), node("Where", ["c", "a", "b"], ["y"])]
    check(model_of(nodes, inputs, ["y"]), *requests)


def test_sizes_that_do_not_fit_are_an_error(check):
    inputs = {"a": (FLOAT, ["n", 4]), "b": (FLOAT, ["m", 4])}
    machine = check(model_of([node("Add", ["a", "b"], ["y"])], inputs, ["y"]), [normal(2, 4)] * 2)
    with pytest.raises(tvmgo.TVMError, match="match"):
        run(machine, [normal(2, 4), normal(3, 4)])
    with pytest.raises(tvmgo.TVMError):
        run(machine, [normal(2, 5), normal(2, 4)])
    assert_same(run(machine, [np.ones((2, 4), "float32")] * 2), [np.full((2, 4), 2, "float32")])


def test_if_that_data_decides(check):
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["positive"]),
        node(
            "If",
            ["positive"],
            ["y", "z"],
            then_branch=branch(
                "then", [node("Concat", ["x", "x"], ["t"], axis=0), node("Neg", ["x"], ["u"])], "tu"
            ),
            else_branch=branch(
                "else",
                [node("Mul", ["x", "own"], ["v"]), node("Abs", ["x"], ["w"])],
                "vw",
                weights={"own": normal(4)},
            ),
        ),
        node("Add", ["y", "one"], ["out"]),
        node("Add", ["z", "x"], ["other"]),
    ]
    weights = {"zero": number(0, "float32"), "one": number(1, "float32")}
    x = np.abs(normal(3, 4))
    model = model_of(nodes, {"x": (FLOAT, ["n", 4])}, ["out", "other"], weights)
    check(model, [x], [-x], [np.abs(normal(1, 4))], [np.zeros((0, 4), "float32")])


def test_nested_branches(check):
    inner = node(
        "If",
        ["b"],
        ["i"],
        then_branch=branch("t2", [node("Add", ["x", "x"], ["p"])], "p"),
        else_branch=branch("e2", [node("Mul", ["x", "x"], ["q"])], "q"),
    )
    outer = node(
        "If",
        ["a"],
        ["y"],
        then_branch=branch("t1", [inner, node("Neg", ["i"], ["r"])], "r"),
        else_branch=branch("e1", [node("Identity", ["x"], ["s"])], "s"),
    )
    inputs = {"x": (FLOAT, ["n"]), "a": (BOOL, []), "b": (BOOL, [])}
    cases = [[normal(3), a, b] for a in (TRUE, FALSE) for b in (TRUE, FALSE)]
    check(model_of([outer], inputs, ["y"]), *cases)


def loop_body(nodes, states, outputs):
    inputs = [value("i", INT64, []), value("going", BOOL, []), *states]
    return branch("body", nodes, outputs, inputs)


def test_loop_with_a_count_a_condition_and_scan_outputs(check):
    body = loop_body(
        [
            node("Add", ["s", "x"], ["next"]),
            node("Cast", ["i"], ["step"], to=FLOAT),
            node("Add", ["next", "step"], ["seen"]),
            node("ReduceSum", ["next"], ["sum"], keepdims=0),
            node("Less", ["sum", "limit"], ["on"]),
        ],
        [value("s", FLOAT, ["n", 4])],
        ["on", "next", "seen"],
    )
    loop = node("Loop", ["count", "begin", "x"], ["y", "ys"], body=body)
    inputs = {
        "x": (FLOAT, ["n", 4]),
        "count": (INT64, []),
        "begin": (BOOL, []),
        "limit": (FLOAT, []),
    }
    x, much = np.abs(normal(3, 4)), number(1e9, "float32")
    check(
        model_of([loop], inputs, ["y", "ys"]),
        *([x, number(count), TRUE, much] for count in (0, 1, 2, 7, 8, 1000)),
        [x, number(-3), TRUE, much],
        [x, number(5), FALSE, much],
        [x, number(50), TRUE, number(100, "float32")],
        [normal(0, 4), number(3), TRUE, much],
    )


def test_loop_without_a_count(check):
    body = loop_body(
        [node("Mul", ["s", "two"], ["next"]), node("Less", ["next", "limit"], ["on"])],
        [value("s", FLOAT, [])],
        ["on", "next"],
    )
    loop = node("Loop", ["", "begin", "x"], ["y"], body=body)
    inputs = {"x": (FLOAT, []), "begin": (BOOL, []), "limit": (FLOAT, [])}
    one = number(1, "float32")
    model = model_of([loop], inputs, ["y"], {"two": number(2, "float32")})
    check(
        model,
        *([one, begin, number(limit, "float32")] for begin in (TRUE, FALSE) for limit in (0, 1e30)),
    )


def test_loop_whose_state_grows(check):
    body = loop_body(
        [node("Concat", ["s", "x"], ["next"], axis=0), node("Identity", ["going"], ["on"])],
        [value("s", FLOAT, None)],
        ["on", "next"],
    )
    loop = node("Loop", ["count", "", "x"], ["y"], body=body)
    inputs = {"x": (FLOAT, ["n", 2]), "count": (INT64, [])}
    check(
        model_of([loop], inputs, ["y"]),
        *([normal(n, 2), number(count)] for n, count in ((1, 0), (3, 1), (2, 5))),
    )


def test_loop_in_a_loop(check):
    inner = loop_body(
        [node("Add", ["s2", "s"], ["n2"]), node("Identity", ["going"], ["on"])],
        [value("s2", FLOAT, ["n"])],
        ["on", "n2"],
    )
    for each in (*inner.input, *inner.output):  # names are one set in a model
        each.name = {"i": "j", "going": "going2", "on": "on2"}.get(each.name, each.name)
    inner.node[1].input[0], inner.node[1].output[0] = "going2", "on2"
    outer = loop_body(
        [
            node("Loop", ["i", "", "x"], ["sum"], body=inner),
            node("Add", ["s", "sum"], ["next"]),
            node("Identity", ["going"], ["on"]),
        ],
        [value("s", FLOAT, ["n"])],
        ["on", "next"],
    )
    loop = node("Loop", ["count", "", "x"], ["y"], body=outer)
    inputs = {"x": (FLOAT, ["n"]), "count": (INT64, [])}
    check(model_of([loop], inputs, ["y"]), *([normal(3), number(c)] for c in (0, 1, 4)))


def test_a_long_loop_needs_no_deep_stack(check):
    body = loop_body(
        [node("Add", ["s", "one"], ["next"]), node("Identity", ["going"], ["on"])],
        [value("s", INT64, [])],
        ["on", "next"],
    )
    loop = node("Loop", ["count", "", "x"], ["y"], body=body)
    inputs = {"x": (INT64, []), "count": (INT64, [])}
    model = model_of([loop], inputs, ["y"], {"one": number(1)})
    check(model, [number(5), number(30_000)])


def test_detector_with_non_maximum_suppression(check):
    """Boxes of one picture are suppressed, and what is left is gathered: how many, data says."""
    nodes = [
        node("Transpose", ["scores"], ["by_class"], perm=[0, 2, 1]),
        node("NonMaxSuppression", ["boxes", "by_class", "most", "iou", "score"], ["chosen"]),
        node("Gather", ["chosen", "two"], ["places"], axis=1),
        node("Squeeze", ["boxes", "first"], ["all"]),
        node("Gather", ["all", "places"], ["kept"]),
    ]
    weights = {
        "most": np.array([5]),
        "iou": number([0.5], "float32"),
        "score": number([0.3], "float32"),
        "two": number(2),
        "first": np.array([0]),
    }
    inputs = {"boxes": (FLOAT, [1, "n", 4]), "scores": (FLOAT, [1, "n", 3])}

    def request(count):
        corners = RANDOM.rand(1, count, 2).astype("float32")
        size = RANDOM.rand(1, count, 2).astype("float32") * 0.5 + 0.1
        boxes = np.concatenate([corners, corners + size], -1)
        return [boxes, RANDOM.rand(1, count, 3).astype("float32")]

    check(model_of(nodes, inputs, ["chosen", "kept"], weights), *map(request, (1, 10, 50)))


@pytest.mark.parametrize(
    ("overlap", "threshold", "words"),
    [(0.4, -0.5, {}), (0.4, None, {"center_point_box": 1}), (0, -9, {}), (None, 0.5, {})],
)
def test_scores_of_any_sign(check, overlap, threshold, words):
    """Equal ones, too: a detector's logits instead of its probabilities."""
    weights = {"most": number(4)}
    for name, given in (("overlap", overlap), ("threshold", threshold)):
        if given is not None:
            weights[name] = np.array([given], "float32")
    inputs = [
        "boxes",
        "scores",
        "most",
        *(n if n in weights else "" for n in ("overlap", "threshold")),
    ]
    model = model_of(
        [node("NonMaxSuppression", inputs, ["y"], **words)],
        {"boxes": (FLOAT, [1, "n", 4]), "scores": (FLOAT, [1, 2, "n"])},
        ["y"],
        weights,
    )
    corners = RANDOM.rand(1, 20, 2).astype("float32")
    boxes = np.concatenate([corners, corners + 0.3], -1)
    check(model, *([boxes[:, :n], np.round(normal(1, 2, n) * 2)] for n in (1, 6, 20)))


def test_results_of_a_size_that_data_decides(check):
    nodes = [
        node("NonZero", ["x"], ["places"]),
        node("Transpose", ["places"], ["rows"]),
        node("GatherND", ["x", "rows"], ["found"]),
        node("Unique", ["found"], ["distinct", "index", "inverse", "counts"]),
        node("Greater", ["found", "zero"], ["positive"]),
        node("Compress", ["found", "positive"], ["kept"], axis=0),
        node("Size", ["found"], ["size"]),
        node("Div", ["size", "two"], ["half"]),
        node("Reshape", ["half", "one"], ["k"]),
        node("TopK", ["found", "k"], ["largest", "where"]),
    ]
    outputs = ["rows", "found", "distinct", "index", "counts", "kept", "largest"]
    weights = {"zero": number(0, "float32"), "two": number(2), "one": np.array([1])}
    x = np.round(normal(4, 5))
    model = model_of(nodes, {"x": (FLOAT, ["n", 5])}, outputs, weights)
    check(model, [x], [np.round(normal(1, 5) * 2)], [np.zeros((2, 5), "float32")])


@pytest.mark.parametrize("outputs", [["y"], ["y", "e"], ["e"]])
def test_constants_without_elements(check, outputs):
    """The runtime cannot load a library that holds one."""
    nodes = [
        node("Concat", ["x", "empty"], ["y"], axis=1),
        node("Cast", ["empty"], ["e"], to=INT64),
    ]
    weights = {"empty": np.zeros((2, 0), "float32")}
    model = model_of(nodes, {"x": (FLOAT, [2, "n"])}, outputs, weights)
    check(model, [normal(2, 3)], [normal(2, 1)])


def test_shapes_that_inputs_say(check):
    """Of many sizes, one of them kept and one left open; and of none."""
    inputs = {"x": (FLOAT, ["n", "m"]), "shape": (INT64, [6])}
    nodes = [node("Reshape", ["x", "shape"], ["y"]), node("Reshape", ["x", "empty"], ["z"])]
    model = model_of(nodes[:1], inputs, ["y"])
    machine = check(
        model,
        [normal(4, 6), [0, 1, 2, -1, 3, 1]],
        [normal(2, 6), [2, 0, 1, 1, 1, 1]],
        [normal(2, 8), [1, 2, 2, 2, 2, 1]],
    )
    for wrong in (
        [5, 1, 1, 1, 1, -1],
        [-1, -1, 2, 2, 2, 1],
        [2, 2, 2, 1, 1, 1],
        [-2, -2, 2, 2, 1, 1],
    ):
        with pytest.raises(tvmgo.TVMError):
            run(machine, [normal(4, 4), wrong])
    one = {"x": (FLOAT, ["n", "m"])}
    check(model_of(nodes[1:], one, ["z"], {"empty": np.zeros(0, "int64")}), [normal(1, 1)])


def test_sizes_that_inputs_say(check):
    nodes = [
        node("Reshape", ["x", "shape"], ["a"]),
        node("Expand", ["x", "wide"], ["b"]),
        node("Slice", ["x", "start", "end", "axis"], ["c"]),
        node("Range", ["zero", "last", "one"], ["d"]),
        node("ConstantOfShape", ["shape"], ["e"]),
        node("Tile", ["x", "repeats"], ["f"]),
        node("Pad", ["x", "pads"], ["g"]),
        node("Split", ["x", "parts"], ["h", "i"], axis=0),
        node("OneHot", ["indices", "depth", "values"], ["j"]),
    ]
    inputs = {
        "x": (FLOAT, ["n", 6]),
        "shape": (INT64, [2]),
        "wide": (INT64, [3]),
        "start": (INT64, [1]),
        "end": (INT64, [1]),
        "last": (INT64, []),
        "repeats": (INT64, [2]),
        "pads": (INT64, [4]),
        "parts": (INT64, [2]),
        "indices": (INT64, ["m"]),
        "depth": (INT64, []),
    }
    weights = {
        "axis": np.array([0]),
        "zero": number(0),
        "one": number(1),
        "values": number([0, 1], "float32"),
    }

    def request(n, shape, wide, start, end, last, repeats, pads, parts, depth):
        given = [shape, wide, start, end, last, repeats, pads, parts, [0, -1, 1], depth]
        return [normal(n, 6), *map(number, given)]

    machine = check(
        model_of(nodes, inputs, list("abcdefghij"), weights),
        request(2, [3, 4], [5, 1, 6], [0], [1], 4, [2, 1], [0, 1, 1, 0], [1, 1], 3),
        request(3, [2, 9], [1, 3, 1], [-2], [-1], 0, [1, 3], [2, 0, -1, 2], [3, 0], 2),
        request(1, [6, 1], [2, 4, 6], [5], [9], 7, [0, 1], [0, -2, 0, 0], [0, 1], 5),
    )
    wrong = request(2, [5, 4], [5, 1, 6], [0], [1], 4, [2, 1], [0, 1, 1, 0], [1, 1], 3)
    with pytest.raises(tvmgo.TVMError):  # 12 elements are no 5 x 4
        run(machine, wrong)


def test_reductions_of_an_open_axis(check):
    operators = ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean")
    nodes = [node(each, ["x", "axes"], [f"y{i}"], keepdims=0) for i, each in enumerate(operators)]
    nodes.append(node("MatMul", ["t", "x"], ["product"]))
    model = model_of(
        nodes,
        {"x": (FLOAT, ["n", 3]), "t": (FLOAT, [2, "n"])},
        [*(f"y{i}" for i in range(4)), "product"],
        {"axes": np.array([0])},
    )
    check(model, [normal(4, 3), normal(2, 4)], [normal(1, 3), normal(2, 1)])


def test_machines_in_threads(tmp_path):
    body = loop_body(
        [node("Add", ["s", "x"], ["next"]), node("Identity", ["going"], ["on"])],
        [value("s", FLOAT, ["n"])],
        ["on", "next"],
    )
    nodes = [
        node("Loop", ["count", "", "x"], ["y"], body=body),
        node("NonZero", ["y"], ["places"]),
    ]
    inputs = {"x": (FLOAT, ["n"]), "count": (INT64, [])}
    path = compile_model(model_of(nodes, inputs, ["y", "places"]), tmp_path / "deploy.so")
    failures = []

    def work(n):
        try:
            machine = start(path)
            for count in range(20):
                x = np.arange(n, dtype="float32")
                y, places = run(machine, [x, number(count)])
                np.testing.assert_array_equal(y, x * (count + 1))
                assert places.tolist() == [list(range(1, n))]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    ("nodes", "inputs", "message"),
    [
        (
            [node("Reshape", ["x", "s"], ["y"])],
            {"x": (FLOAT, ["n"]), "s": (INT64, ["m"])},
            "operator Reshape: how many numbers `s` has depends on data",
        ),
        (
            [node("Squeeze", ["x"], ["y"])],
            {"x": (FLOAT, ["n", "m"])},
            "operator Squeeze: it does not say which dimensions",
        ),
        (
            [node("GridSample", ["x", "g"], ["y"])],
            {"x": (FLOAT, ["n", 1, 4, 4]), "g": (FLOAT, ["n", 2, 2, 2])},
            "operator GridSample: it is not converted with open dimensions",
        ),
    ],
)
def test_what_is_refused(tmp_path, nodes, inputs, message):
    with pytest.raises(ExportError, match=message):
        compile_model(model_of(nodes, inputs, ["y"]), tmp_path / "deploy.so")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(
    "coordinates", ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"]
)
def test_resize_of_open_pictures(check, mode, coordinates):
    how = dict(mode=mode, coordinate_transformation_mode=coordinates)
    nodes = [
        node("Resize", ["x", "", "twice"], ["a"], **how),
        node("Resize", ["x", "", "", "sizes"], ["b"], axes=[2, 3], **how),
        node("Resize", ["x", "", "less"], ["c"], nearest_mode="floor", **how),
    ]
    weights = {
        "twice": number([1, 1, 2, 2], "float32"),
        "less": number([1, 1, 0.6, 1.5], "float32"),
    }
    inputs = {"x": (FLOAT, ["n", 2, "h", "w"]), "sizes": (INT64, [2])}
    requests = [
        [normal(n, 2, h, w), number(sizes)]
        for n, h, w, sizes in ((1, 4, 5, [8, 3]), (2, 7, 2, [7, 1]), (1, 1, 6, [5, 12]))
    ]
    check(model_of(nodes, inputs, ["a", "b", "c"], weights), *requests)


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
def test_recurrence_with_an_open_batch(check, operator):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator]
    weights = {"w": normal(1, gates * 5, 3), "r": normal(1, gates * 5, 5)}
    nodes = [node(operator, ["x", "w", "r"], ["y"], hidden_size=5)]
    model = model_of(nodes, {"x": (FLOAT, [4, "n", 3])}, ["y"], weights)
    check(model, *([normal(4, n, 3)] for n in (1, 3)))


@pytest.mark.parametrize("turned", [0, 1])
def test_scan_of_an_open_length(check, turned):
    """A running sum beside the products of two inputs, one of them from its end."""
    body = branch(
        "body",
        [
            node("Add", ["s", "a"], ["sum"]),
            node("Mul", ["a", "b"], ["product"]),
            node("Identity", ["sum"], ["seen"]),
        ],
        ["sum", "seen", "product"],
        [value("s", FLOAT, [3]), value("a", FLOAT, [3]), value("b", FLOAT, [3])],
    )
    scan = node(
        "Scan",
        ["s0", "x", "z"],
        ["last", "sums", "products"],
        body=body,
        num_scan_inputs=2,
        scan_input_axes=[0, 1],
        scan_input_directions=[0, turned],
        scan_output_axes=[0, 1],
        scan_output_directions=[turned, 0],
    )
    inputs = {"s0": (FLOAT, [3]), "x": (FLOAT, ["t", 3]), "z": (FLOAT, [3, "t"])}
    model = model_of([scan], inputs, ["last", "sums", "products"])
    check(model, *([normal(3), normal(t, 3), normal(3, t)] for t in (1, 4, 9)))


def test_reductions_of_nothing(check):
    """Of no elements, a sum is 0 and a product 1, whatever the memory held before."""
    nodes = [
        node("ReduceSum", ["x", "axes"], ["sum"]),
        node("ReduceProd", ["x", "axes"], ["product"]),
        node("MatMul", ["t", "x"], ["y"]),
    ]
    inputs = {"x": (FLOAT, ["n", 3]), "t": (FLOAT, [2, "n"])}
    model = model_of(nodes, inputs, ["sum", "product", "y"], {"axes": np.array([0])})
    machine = check(model, [normal(4, 3), normal(2, 4)])
    nothing = [np.zeros((0, 3), "float32"), np.zeros((2, 0), "float32")]
    expected = [np.zeros((1, 3)), np.ones((1, 3)), np.zeros((2, 3))]
    assert_same(run(machine, nothing), [each.astype("float32") for each in expected])


def test_a_machine_serves_one_thread_at_a_time(tmp_path):
    """Another thread gets an error, no matter by which function; the machine's own may call it."""
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType([2], "float32"))
    with builder.function("main", [x]):
        seen = relax.call_pure_packed("test.look_in", x, ty_args=x.ty)
        builder.emit_func_output(builder.emit(seen))
    path = tmp_path / "deploy.so"
    tvm.compile(builder.get(), tvm.target.Target("llvm")).export_library(str(path))
    given = tvmgo.array(np.ones(2, "float32"))
    found, again = [], [True]

    def look_in(x):
        def others():
            for name, arguments in (("main", [given]), ("get_output_arity", ["main"])):
                with pytest.raises(tvmgo.TVMBusyError, match=f"{name}: .*another thread"):
                    machine[name](*arguments)
            found.append(start(path)["get_function_arity"]("main"))

        thread = threading.Thread(target=others)
        thread.start()
        thread.join()
        if again:
            again.clear()
            found.append(machine["main"](x).numpy().tolist())
        return x

    tvmgo.register_function(look_in, "test.look_in")
    try:
        machine = start(path)
        for _ in range(2):
            assert machine["main"](given).numpy().tolist() == [1, 1]
        assert found == [1, 1, [1, 1], 1]
    finally:
        tvmgo.remove_global_function("test.look_in")
        machine = None  # or it and the function would keep each other
