# SPDX-License-Identifier: Apache-2.0
"""Lists, tuples and dicts as the runtime's containers, and these as lists, tuples and dicts."""

import collections
import sys

import numpy as np
import pytest

import tvmgo
from tests.helpers import address_of, name_of, output_of

identity = tvmgo.convert_function(lambda x: x)


@pytest.fixture(params=["kernel", "callback", "callback below", "value"])
def through(request, kernels):
    """Every way a container can take through the runtime and back."""
    return {
        "kernel": lambda x: kernels["echo"](x),
        "callback": identity,
        "callback below": lambda x: kernels["forward"](identity, x),
        "value": lambda x: tvmgo.Value(x).to_python(),
    }[request.param]


LISTS = [
    [],
    [1],
    [1, 2.5, "three", b"four", None, True],
    [[]],
    [[1, [2, [3, [4]]]]],
    [2**63, -(2**200)],
    ["", b""],
    ["a text longer than seven", b"bytes longer than seven"],
    ["nul\0inside", "sur\udcffrogate"],
    list(range(1000)),
    [{}],
    [{"a": [1, {"b": None}]}],
]
DICTS = [
    {},
    {"a": 1},
    {"a": {"b": {"c": [1, 2]}}},
    {1: "one", 2: "two"},
    {"": ""},
    {"nul\0": b"nul\0"},
    {b"bytes": 1},
    {True: 1},
    {2.5: "float"},
    {None: None},
    {2**63: 2**64},
    {f"key {i}": i for i in range(1000)},
    {"a text longer than seven": "another longer text"},
    {"größer": "🎉"},
]


@pytest.mark.parametrize("keys", [[(1, 2)], [()], [("a", (2, (3,))), ("a", (2, 3))]], ids=repr)
def test_tuples_as_keys_come_back_as_tuples(through, keys):
    assert through(dict.fromkeys(keys, [1])) == dict.fromkeys(keys, [1])


@pytest.mark.parametrize("items", LISTS, ids=lambda x: repr(x)[:30])
def test_list_comes_back(through, items):
    answer = through(items)
    assert type(answer) is list
    assert answer == items


@pytest.mark.parametrize("items", LISTS, ids=lambda x: repr(x)[:30])
def test_tuple_comes_back_as_list(through, items):
    assert through(tuple(items)) == items


@pytest.mark.parametrize("items", DICTS, ids=lambda x: repr(x)[:30])
def test_dict_comes_back(through, items):
    answer = through(items)
    assert type(answer) is dict
    assert answer == items


def test_dict_keeps_its_order(through):
    items = {f"key {i * 7919 % 1000}": i for i in range(1000)}
    assert list(through(items)) == list(items)


def test_list_keeps_the_types_of_its_items(through):
    answer = through([1, 1.0, True, "1", b"1"])
    assert [type(item) for item in answer] == [int, float, bool, str, bytes]


@pytest.mark.parametrize(
    "make, kind",
    [
        (lambda: collections.OrderedDict(a=1), dict),
        (lambda: collections.defaultdict(int, a=1), dict),
        (lambda: collections.Counter(a=1), dict),
        (lambda: collections.namedtuple("Pair", "x y")(1, 2), list),
    ],
    ids=["OrderedDict", "defaultdict", "Counter", "namedtuple"],
)
def test_subclass_comes_back_as_the_plain_container(through, make, kind):
    answer = through(make())
    assert type(answer) is kind
    assert answer == kind(make())


def test_list_with_an_ndarray_shares_it():
    source = np.arange(3.0)
    received = identity([source])[0]
    assert type(received) is tvmgo.Array
    assert address_of(received) == source.ctypes.data


def test_list_with_objects_gives_them_back(kernels):
    items = [tvmgo.empty(2), identity, kernels, tvmgo.cuda(1), tvmgo.DType("int8"), tvmgo.Value(5)]
    assert identity(items) == [*items[:-1], 5]


def test_list_with_a_callable_gives_a_function_that_calls_it():
    function = identity([lambda x: x + 1])[0]
    assert function(1) == 2


def test_list_with_an_exception_gives_it_back():
    exception = ValueError("x")
    assert identity([exception])[0] is exception


@pytest.mark.parametrize(
    "item, error",
    [
        (object(), TypeError),
        (1j, TypeError),
        ("\ud800", tvmgo.TVMValueError),
        (np.zeros(2, "O"), TypeError),
    ],
    ids=["object", "complex", "surrogate", "ndarray"],
)
@pytest.mark.parametrize(
    "wrap",
    [lambda x: [x], lambda x: [1, [2, x]], lambda x: {"a": x}, lambda x: ({1: [x]},)],
    ids=["list", "nested", "dict", "deep"],
)
def test_container_with_an_item_that_cannot_be_passed_raises(kernels, item, error, wrap):
    with pytest.raises(error):
        kernels["echo"](wrap(item))


def test_container_with_a_read_only_array_raises_buffer_error(kernels):
    source = np.zeros(3)
    source.flags.writeable = False
    with pytest.raises(BufferError):
        kernels["echo"]([source])


def test_container_whose_item_raises_raises_the_same(kernels):
    exception = KeyboardInterrupt()

    class Failing:
        def __index__(self):
            raise exception

    with pytest.raises(KeyboardInterrupt) as caught:
        kernels["echo"]([1, "a longer text", Failing()])
    assert caught.value is exception


@pytest.mark.parametrize(
    "make",
    [
        "x = []; x.append(x)",
        "x = {}; x['a'] = x",
        "x, y = [], []; x.append(y); y.append(x)",
        "x = []; x.append({'again': x})",
        "x = []; x.append((x,))",
    ],
    ids=["list", "dict", "two lists", "list and dict", "list and tuple"],
)
@pytest.mark.parametrize(
    "use",
    ["identity(x)", "tvmgo.Value(x)", "tvmgo.convert_function(lambda: x)()"],
    ids=["argument", "value", "result"],
)
def test_container_inside_itself_raises_recursion_error(make, use):
    assert (
        output_of(f"""
        import tvmgo
        identity = tvmgo.convert_function(lambda x: x)
        {make}
        try:
            {use}
        except RecursionError:
            print("RecursionError")
    """)
        == "RecursionError\n"
    )


@pytest.mark.parametrize("depth", [100, 300])
def test_deep_container_comes_back(through, depth):
    x = []
    for _ in range(depth):
        x = [x]
    assert through(x) == x


def test_callback_receives_a_copy_of_a_list():
    items = [1, 2]
    tvmgo.convert_function(lambda x: x.append(3))(items)
    assert items == [1, 2]


def test_shape_comes_as_a_tuple_of_ints():
    assert tvmgo.get_global_function("ffi.Shape")(2, 3, 4) == (2, 3, 4)
    assert tvmgo.get_global_function("ffi.Shape")() == ()


def test_mutable_list_of_the_runtime_comes_as_a_list():
    assert tvmgo.get_global_function("ffi.List")(1, "two", [3]) == [1, "two", [3]]


def test_mutable_dict_of_the_runtime_comes_as_a_dict():
    assert tvmgo.get_global_function("ffi.Dict")("a", 1, "b", [2]) == {"a": 1, "b": [2]}


def test_empty_containers_of_the_runtime_come_empty():
    assert tvmgo.get_global_function("ffi.List")() == []
    assert tvmgo.get_global_function("ffi.Dict")() == {}
    assert tvmgo.get_global_function("ffi.Map")() == {}


def test_dict_with_odd_items_raises(kernels):
    class Odd(dict):
        def items(self):
            return [(1, 2, 3)]

    with pytest.raises((TypeError, ValueError, tvmgo.TVMError)):
        kernels["echo"](Odd(a=1))


@pytest.mark.parametrize("answer", [None, 5, [1], [None], object()], ids=name_of)
def test_dict_with_strange_items_raises_type_error(kernels, answer):
    class Strange(dict):
        def items(self):
            return answer

    with pytest.raises(TypeError):
        kernels["echo"](Strange(a=1))


def test_list_that_changes_while_it_is_packed_is_taken_as_it_was(kernels):
    items = []

    class Changing:
        def __index__(self):
            items.clear()
            return 7

    items.extend([Changing(), "a longer text", b"longer bytes"])
    assert kernels["echo"](items) == [7, "a longer text", b"longer bytes"]


def test_dict_that_changes_while_it_is_packed_is_taken_as_it_was(kernels):
    items = {}

    class Changing:
        def __index__(self):
            items.clear()
            return 7

    items.update(a=Changing(), b="a longer text")
    assert kernels["echo"](items) == {"a": 7, "b": "a longer text"}


def test_list_whose_length_lies_comes_by_its_iterator(kernels):
    class Lying(list):
        def __len__(self):
            return 1_000_000_000

        def __iter__(self):
            return iter([1, 2])

    assert kernels["echo"](Lying([5])) in ([1, 2], [5])


def test_reference_counts_of_items_are_unchanged(kernels):
    item = "a text of its own"[:-1] + "!"
    before = sys.getrefcount(item)
    for _ in range(10):
        identity([item, {"a": item}])
        kernels["echo"]({item: item})
    assert sys.getrefcount(item) == before


def test_large_list_comes_back(through):
    items = list(range(100_000))
    assert through(items) == items


@pytest.mark.parametrize(
    "double", [lambda v: [v, v], lambda v: {"a": v, "b": v}], ids=["list", "dict"]
)
def test_value_shared_by_all_levels_is_looked_at_once(double):
    value = tvmgo.Value([1])
    for _ in range(200):  # 2 ** 200 places
        value = tvmgo.Value(double(value))


@pytest.mark.parametrize(
    "nest", [lambda v: [v], lambda v: [v, v], lambda v: {"a": v}], ids=["list", "shared", "dict"]
)
def test_value_can_be_nested_a_thousand_times_and_no_deeper(nest):
    value = tvmgo.Value([])
    for _ in range(1001):
        value = tvmgo.Value(nest(value))
    with pytest.raises(ValueError, match="deeper than 1000 levels"):
        tvmgo.Value(nest(value))
    # Met first where it fits, then one level deeper, where it does not.
    with pytest.raises(ValueError, match="deeper than 1000 levels"):
        tvmgo.Value([value, tvmgo.Value([value])])
