# SPDX-License-Identifier: Apache-2.0
"""`Predictor` on Arrow tables: which columns are read where they lie, what becomes of the others."""

import numpy as np
import pytest

from tests.batch.conftest import rows_of
from tvmgo import Model

pa = pytest.importorskip("pyarrow")

X = rows_of(24)


def tensors(array):
    return pa.FixedShapeTensorArray.from_numpy_ndarray(array)


def aligned(array):
    """Return it where kernels can read, as blocks of an object store lie."""
    memory = pa.allocate_buffer(array.nbytes)
    copy = np.frombuffer(memory, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def of_lists(kind):
    return pa.array(X.tolist(), kind)


@pytest.mark.parametrize(
    "column",
    [
        tensors(X),
        of_lists(pa.list_(pa.float32())),
        of_lists(pa.large_list(pa.float32())),
        of_lists(pa.list_(pa.float32(), 3)),
        of_lists(pa.list_(pa.float64())),
        of_lists(pa.list_(pa.int32())),
        of_lists(pa.list_(pa.float16())),
        pa.chunked_array([tensors(X[:5]), tensors(X)[5:5], tensors(X[5:])]),
        pa.concat_arrays([tensors(X[:2]), tensors(X), tensors(X[:3])])[2:26],
        of_lists(pa.list_(pa.float32(), 3))[:],
    ],
    ids=lambda column: str(column.type)[:40],
)
def test_rows_of_every_kind_are_answered_beside_the_others(predictor, column):
    others = {
        "name": pa.array([f"row{n}" for n in range(24)]),
        "maybe": pa.array([None, *range(23)]),
        "when": pa.array(range(24), pa.timestamp("us", "UTC")),
    }
    table = pa.table({**others, "x": column})
    found = predictor()(table)
    assert found.column_names == ["name", "maybe", "when", "y"]
    assert found.select([0, 1, 2]).equals(table.select([0, 1, 2]))
    np.testing.assert_array_equal(found["y"].combine_chunks().to_numpy_ndarray(), 2 * X)


def test_a_part_of_a_table_is_that_part(predictor):
    for column in (tensors(X), of_lists(pa.list_(pa.float32()))):
        part = pa.table({"x": column}).slice(7, 9)
        found = predictor()(part)["y"].combine_chunks().to_numpy_ndarray()
        np.testing.assert_array_equal(found, 2 * X[7:16])


def test_a_record_batch_becomes_a_table(predictor):
    found = predictor()(pa.record_batch({"x": tensors(X)}))
    assert isinstance(found, pa.Table) and found.num_rows == 24


def test_numbers_make_features_and_results_of_one_dimension_numbers(predictor):
    table = pa.table({"a": np.arange(24.0), "b": np.ones(24, "int8"), "c": np.ones(24, "float32")})
    found = predictor("batched", {"x": ["a", "b", "c"]})(table)
    assert found["y"].combine_chunks().to_numpy_ndarray()[:, 0].tolist() == [
        2 * n for n in range(24)
    ]


def test_columns_are_read_where_they_lie(predictor, monkeypatch):
    made, seen, run = predictor("graph"), [], Model.run
    monkeypatch.setattr(Model, "run", lambda self, part: seen.append(part["x"]) or run(self, part))
    x = aligned(np.arange(3 * 4096, dtype="float32").reshape(3, 4096))
    made(pa.table({"x": tensors(x)}))
    assert [array.ctypes.data for array in seen] == [x[row].ctypes.data for row in range(3)]
    assert made.copies == 0


def test_copies_are_counted(predictor):
    made = predictor()
    chunks = pa.chunked_array([tensors(aligned(X)), tensors(aligned(X))])
    made(pa.table({"x": chunks}))
    assert made.copies >= 1  # two pieces of memory
    made = predictor()
    made(pa.table({"x": of_lists(pa.list_(pa.float64()))}))
    assert made.copies >= 1  # another type


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pa.array([[1.0, 2.0, 3.0], [1.0]]), ValueError, "column 'x': expected rows of one shape, got (1,) and (3,)"),
        (pa.array([[1.0, 2.0, 3.0], None]), ValueError, "column 'x': expected a value in each row, got 1 nulls; fill"),
        (pa.array([[1.0, None, 3.0]]), ValueError, "column 'x': expected a value in each row, got 1 nulls"),
        (pa.array([[1.0, 2.0]]), ValueError, "column 'x' for input 'x': expected rows of [3], got [2]"),
        (pa.array(["a"]), TypeError, "column 'x': expected numbers, got string"),
        (pa.array([[b"a"]]), TypeError, "column 'x': expected numbers, got binary"),
        (pa.array([1], pa.timestamp("s")), TypeError, "column 'x': expected numbers, got timestamp[s]"),
        (pa.array(["a"]).dictionary_encode(), TypeError, "column 'x': expected numbers, got dictionary"),
        (pa.array([1.0]), ValueError, "column 'x' for input 'x': expected rows of [3], got []"),
        (pa.chunked_array([pa.array([[1.0]]), pa.array([[1.0, 2.0]])]), ValueError, "column 'x': expected rows of one shape"),
    ],
)  # fmt: skip
def test_error_names_the_column_what_was_expected_and_what_came(predictor, column, error, message):
    with pytest.raises(error) as raised:
        predictor()(pa.table({"x": column}))
    assert message in str(raised.value)


def test_no_rows(predictor):
    found = predictor()(
        pa.table({"x": of_lists(pa.list_(pa.float32()))[:0], "n": pa.array([], "int8")})
    )
    assert found.num_rows == 0 and found.column_names == ["n", "y"]
    assert found["y"].type == pa.fixed_shape_tensor(pa.float32(), [3])
