# SPDX-License-Identifier: Apache-2.0
"""Properties of graphs and parameters: what was written arrives, and what was changed does no harm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import create, run
from tests.graphs import WORKED, WORKED_GRAPH, WORKED_PARAMS, document, op, var
from tests.helpers import f32
from tests.strategies import ARRAYS, NAMES, quick

# ---------------------------------------------------------------- graphs


@st.composite
def models(draw):
    """Nodes, heads, the values of the inputs, and what NumPy says that all entries are."""
    shape = draw(npst.array_shapes(min_dims=0, max_dims=3, max_side=3))
    dtype = draw(st.sampled_from(["float32", "float64", "int32", "int64"]))
    inputs = {
        f"input{i}": draw(npst.arrays(dtype, shape, elements=st.integers(-3, 3)))
        for i in range(draw(st.integers(1, 3)))
    }
    nodes, values = [var(name, shape, dtype) for name in inputs], dict(inputs)
    for i in range(draw(st.integers(1, 8))):
        kernel = draw(st.sampled_from(["negate", "square", "add"]))
        sources = [
            draw(st.sampled_from(sorted(values))) for _ in range(2 if kernel == "add" else 1)
        ]
        flatten = draw(st.sampled_from("01"))
        nodes.append(op(kernel, sources, shape, dtype, name=f"node{i}", flatten=flatten))
        operation = {"negate": np.negative, "square": np.square, "add": np.add}[kernel]
        values[f"node{i}"] = operation(*(values[source] for source in sources))
    heads = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4))
    return nodes, heads, inputs, values


def share_memory(graph):
    """Give entries that are needed no more to later ones, as compilers do."""
    last_use = {}
    for i, node in enumerate(graph["nodes"]):
        last_use.update((entry, i) for entry, _, _ in node["inputs"])
    kept = {entry for entry, _, _ in graph["heads"]} | set(graph["arg_nodes"])
    free, ids = [], []
    for i in range(len(graph["nodes"])):  # here each node has one entry
        ids.append(free.pop() if free and i not in kept else 100 + i)
        free += [ids[entry] for entry, end in last_use.items() if end == i and entry not in kept]
    graph["attrs"]["storage_id"][1] = ids


@quick
@given(models(), st.booleans())
def test_executor_computes_what_numpy_does(model, by_params):
    nodes, heads, inputs, values = model
    graph = document(nodes, heads)
    share_memory(graph)
    module = create(graph)
    if by_params:
        module["load_params"](params_blob(list(inputs.items())))
        inputs = {}
    for _ in range(2):
        for output, head in zip(run(module, **inputs), heads, strict=True):
            np.testing.assert_array_equal(output, values[head])
            assert output.dtype == values[head].dtype


@quick
@given(st.dictionaries(NAMES, ARRAYS, max_size=5))
def test_params_arrive_as_they_were_saved(params):
    nodes = [var(name, value.shape, str(value.dtype)) for name, value in params.items()]
    module = create(document(nodes, []))
    module["load_params"](params_blob(list(params.items())))
    for name, value in params.items():
        arrived = module["get_input"](name).numpy()
        np.testing.assert_array_equal(arrived, value)
        assert arrived.dtype == value.dtype


# ---------------------------------------------------------------- changed graphs

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(
        [0, 1, -1, 2, 255, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, -(2**63), 2**64]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """The way to every value inside a document."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def at(value, path):
    for key in path:
        value = value[key]
    return value


def use(graph):
    """Make an executor and run it: an error of tvmgo's, or nothing unusual."""
    try:
        module = create(graph)
        module["load_params"](WORKED_PARAMS)
    except tvmgo.TVMError:
        return False
    if sum(map(math.prod, graph["attrs"]["shape"][1])) < 1000:  # else it is only a large model
        try:
            run(module)
        except (TypeError, ValueError):  # the kernels are NumPy's: they look at what they get
            pass
    return True


@settings(quick, max_examples=300)
@given(st.sampled_from(list(places(WORKED))), JSON)
def test_graph_with_any_value_replaced_is_refused_or_works(path, new):
    use(replaced(WORKED, path, new))


def test_graph_with_any_number_or_length_changed_is_refused_or_works():
    names, refused = tvmgo.list_global_functions(), 0
    for path in places(WORKED):
        value = at(WORKED, path)
        if isinstance(value, int):
            changes = [0, value + 1, value - 1, 2**31, 2**63 - 1, -(2**63)]
        elif isinstance(value, list):
            changes = [[], value[:-1], value + value[-1:], value * 50]
        elif isinstance(value, str) and value.isdigit():
            changes = ["0", str(int(value) + 1), "-1", "2147483648", "99999999999999999999", ""]
        else:
            continue
        refused += sum(not use(replaced(WORKED, path, new)) for new in changes if new != value)
    assert refused > 150, refused
    assert tvmgo.list_global_functions() == names


# ---------------------------------------------------------------- changed parameters

# Where WORKED_PARAMS says how many names and tensors follow, how long a name is, how many dimensions
# a tensor has and how long they are, and how many bytes it has: place and width.
PARAMS_LENGTHS = [(16, 8), (24, 8), (34, 8), (44, 8), (76, 4), (84, 8), (92, 8), (132, 4), (140, 8)]


def test_places_of_lengths_are_where_the_format_has_them():
    found = [
        int.from_bytes(WORKED_PARAMS[place : place + width], "little")
        for place, width in PARAMS_LENGTHS
    ]
    assert found == [2, 2, 2, 2, 1, 2, 8, 0, 8]


@pytest.mark.parametrize("place, width", PARAMS_LENGTHS)
def test_params_with_any_length_changed_are_refused(place, width):
    module = create(WORKED_GRAPH)
    module["load_params"](params_blob([("k0", f32(3, 4))]))
    old, end = int.from_bytes(WORKED_PARAMS[place : place + width], "little"), 256**width
    for new in {0, old + 1, (old - 1) % end, 1 << 20, end // 2 - 1, end // 2, end - 1} - {old}:
        changed = (
            WORKED_PARAMS[:place] + new.to_bytes(width, "little") + WORKED_PARAMS[place + width :]
        )
        with pytest.raises(ValueError, match="Invalid parameters file|Invalid DLTensor file"):
            module["load_params"](changed)
    np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(3, 4))


@settings(quick, max_examples=200)
@given(st.integers(0, len(WORKED_PARAMS)), st.integers(0, 9), st.binary(max_size=9))
def test_params_with_any_bytes_replaced_are_refused_or_loaded(begin, length, new):
    module = create(WORKED_GRAPH)
    try:
        module["load_params"](WORKED_PARAMS[:begin] + new + WORKED_PARAMS[begin + length :])
    except ValueError:
        np.testing.assert_array_equal(module["get_input"]("k0").numpy(), f32(0, 0))
