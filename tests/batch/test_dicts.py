# SPDX-License-Identifier: Apache-2.0
"""`Predictor` on dicts of NumPy arrays: which columns are read, what comes out, what is wrong."""

import pickle

import numpy as np
import pytest

from tests.batch.conftest import rows_of
from tests.helpers import output_of
from tvmgo import DType, Model, TensorInfo
from tvmgo.batch import Predictor
from tvmgo.batch.columns import stacked


@pytest.mark.parametrize("count", [1, 3, 8, 21])
def test_rows_are_answered_beside_the_columns_that_are_no_inputs(predictor, count):
    x = rows_of(count)
    names = np.array([f"row{n}" for n in range(count)])
    found = predictor()({"x": x, "name": names})
    assert list(found) == ["name", "y"] and found["name"] is names
    np.testing.assert_array_equal(found["y"], 2 * x)


@pytest.mark.parametrize("columns", [{"x": "image"}, ["image"], "image"])
def test_columns_by_name_in_order_or_alone(predictor, columns):
    found = predictor("batched", columns, outputs={"y": "twice"}, keep=["image"])(
        {"image": rows_of(5), "x": 0 * rows_of(5)}
    )
    assert list(found) == ["image", "twice"]
    np.testing.assert_array_equal(found["twice"], 2 * rows_of(5))


def test_columns_of_numbers_are_features_in_their_order(predictor):
    table = {"b": np.arange(5), "a": np.arange(5) * 0.5, "c": np.ones(5, "float32")}
    found = predictor("batched", {"x": ["a", "b", "c"]})(table)
    assert list(found) == ["y"]
    np.testing.assert_array_equal(
        found["y"], 2 * np.stack([table["a"], table["b"], table["c"]], axis=1)
    )


def test_numbers_are_rows_of_inputs_with_one_column(predictor):
    found = predictor("two")({"a": np.arange(9.0), "b": np.ones(9, "float32"), "id": np.arange(9)})
    assert found["y"].shape == (9, 1) and list(found) == ["id", "y"]
    np.testing.assert_array_equal(found["y"][:, 0], np.arange(9) + 1)


def test_a_model_without_rows_takes_each_by_itself(predictor):
    x = rows_of(3, 4096)
    np.testing.assert_array_equal(predictor("graph")({"x": x})["y"], x + np.arange(4096))


def test_rows_that_depend_on_each_other_run_in_the_exported_number(predictor):
    model = predictor("dependent")
    np.testing.assert_array_equal(model({"x": rows_of(12)})["y"], 2 * rows_of(12))
    assert model.rows % 4 == 0
    with pytest.raises(ValueError, match="4 rows, for which"):
        model({"x": rows_of(13)})


def test_no_rows_make_no_rows(predictor):
    found = predictor()({"x": rows_of(0), "n": np.arange(0)})
    assert found["y"].shape == (0, 3) and found["y"].dtype == "float32" and len(found["n"]) == 0


def test_arrays_in_an_object_column_are_rows(predictor):
    column = np.empty(4, object)
    column[:] = list(rows_of(4))
    np.testing.assert_array_equal(predictor()({"x": column})["y"], 2 * rows_of(4))


def test_lists_get_the_shape_of_the_input(predictor):
    assert predictor("two")({"a": rows_of(4, 1), "b": np.ones(4)})["y"].shape == (4, 1)


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ({"z": rows_of(2)}, KeyError, "columns: input 'x': expected a column of the table, which has 'z', got 'x'"),
        ({"x": rows_of(2, 4)}, ValueError, r"column 'x' for input 'x': expected rows of [3], got [4]"),
        ({"x": np.array(["a", "b"])}, TypeError, "column 'x': expected numbers, got <U1"),
        ({"x": rows_of(2) * 1j}, TypeError, "column 'x': expected numbers, got complex"),
        ({"x": np.array([np.ones(3), np.ones(2)], object)}, ValueError, "column 'x': expected rows of one shape, got (2,) and (3,); pad"),
        ({"x": np.array([None, 1.0], object)}, TypeError, "column 'x': expected numbers, got object"),
        ({"n": np.arange(3), "x": rows_of(2)}, ValueError, "column 'n': expected 2 rows, got [3]"),
        ({"x": rows_of(2), "y": np.ones(2)}, ValueError, "outputs: expected names that no column has which is kept, got ['y']"),
        ({"x": rows_of(2), "n": np.arange(3)}, ValueError, "column 'n': expected 2 rows, got [3]"),
        ({"x": None}, TypeError, "column 'x': expected an array, got None"),
        ([1, 2], TypeError, "batch: expected a dict of arrays or an Arrow table, got list"),
    ],
)  # fmt: skip
def test_error_names_the_column_what_was_expected_and_what_came(predictor, batch, error, message):
    with pytest.raises(error) as raised:
        predictor()(batch)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ([{"z": "x"}], {}, KeyError, "the model has no input 'z'"),
        ([{}], {}, ValueError, "columns: expected one for each input, got none for ['x']"),
        ([["a", "b"]], {}, ValueError, "expected one for each input, ['x'], got 2; features"),
        ([{"x": []}], {}, TypeError, "input 'x': expected the name of a column, or a sequence"),
        ([{"x": 3}], {}, TypeError, "input 'x': expected the name of a column, or a sequence"),
        ([3], {}, TypeError, "columns: expected a mapping"),
        ([], {"outputs": ["z"]}, KeyError, "the model has no output 'z'"),
        ([], {"outputs": {"y": 3}}, TypeError, "outputs: 'y': expected the name of a column"),
        ([], {"outputs": 3}, TypeError, "outputs: expected names of outputs, or a mapping"),
        ([], {"keep": 3}, TypeError, "keep: expected names of columns, got 3"),
        ([], {"keep": "x"}, TypeError, "keep: expected names of columns"),
        ([], {"keep": ["y"]}, ValueError, "outputs: expected names that no column has"),
        ([], {"batch_size": 0}, ValueError, "batch_size: expected an int, 1 or more, got 0"),
        ([], {"threads": 0}, ValueError, "threads: expected 1 or more"),
    ],
)  # fmt: skip
def test_what_the_model_cannot_mean_is_an_error_at_once(
    predictor, arguments, options, error, message
):
    with pytest.raises(error) as raised:
        predictor("batched", *arguments, **options)
    assert message in str(raised.value)


def test_feature_with_several_numbers_in_a_row(predictor):
    with pytest.raises(ValueError, match="column 'b': expected a number in each row"):
        predictor("batched", {"x": ["a", "b", "c"]})(
            {"a": np.ones(2), "b": rows_of(2), "c": np.ones(2)}
        )


def test_feature_that_would_be_cut_off():
    info = TensorInfo("x", ("batch", 2), DType("int32"))
    columns = {"a": np.arange(3), "b": np.ones(3)}
    with pytest.raises(TypeError, match="column 'b': expected int32, got float64"):
        stacked("x", columns, info)
    columns["b"] = np.array([True, False, True])
    np.testing.assert_array_equal(stacked("x", columns, info), [[0, 1], [1, 0], [2, 1]])


def test_no_model(tmp_path):
    with pytest.raises(FileNotFoundError):
        Predictor(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="model: expected a path or a Model, got int"):
        Predictor(3)


def test_pickles_as_the_process_model(folder_of, predictor):
    """The second of a process has the first one's model; a relative path is looked for where a process is."""
    code = f"""
        import os, pickle, shutil, numpy as np
        from tvmgo.batch import Predictor
        os.makedirs("here"), os.makedirs("there")
        shutil.copytree({str(folder_of("batched"))!r}, "here/net")
        os.chdir("here")
        text = pickle.dumps(Predictor("net", threads=2))
        os.chdir("../there")
        first, second = pickle.loads(text), pickle.loads(text)
        assert first.model is second.model and first.model.threads == 2
        assert "here/net" in str(first.arguments["model"])
        assert (first({{"x": np.ones((3, 3), "float32")}})["y"] == 2).all()
        shutil.copytree("../here/net", "net")
        manifest = open("net/model.json").read()
        open("net/model.json", "w").write(manifest.replace('"model_id": 1', '"model_id": 2'))
        try:
            pickle.loads(text)
        except ValueError as error:
            print(error)
    """
    assert "there/net: the files have changed" in output_of(code)


def test_a_model_says_which_files(folder_of, predictor):
    with Model.load(folder_of("batched"), concurrency=2) as model:
        made = Predictor(model)
        assert (made.model.concurrency, made.model.threads) == (1, 1)
        np.testing.assert_array_equal(made({"x": rows_of(2)})["y"], 2 * rows_of(2))
        made.model.close()


def test_rows_of_a_batch_are_a_multiple_of_the_largest_size_and_lie_where_kernels_read(predictor):
    assert predictor().rows == 8192 and predictor().rows * 12 % 64 == 0
    assert predictor(batch_size=5).rows == 5
    assert predictor("graph").rows == 4096  # its input's first dimension, should that be rows


def test_import_brings_neither_ray_nor_arrow():
    code = "import sys, tvmgo.batch; tvmgo.batch.Predictor; print({'ray', 'pyarrow', 'pandas'} & {*sys.modules})"
    assert output_of(code) == "set()\n"


def test_what_needs_ray_says_how_to_get_it():
    code = """
        import sys, tvmgo.batch, tvmgo.serving
        sys.modules["ray"] = None
        for module, name in (tvmgo.batch, "predict"), (tvmgo.serving, "ray_application"):
            try:
                getattr(module, name)
            except tvmgo.TVMImportError as error:
                print(error)
    """
    said = output_of(code).replace("ray.data", "ray")
    assert said == (
        "predict: ray is not installed; `pip install 'tvmgo[ray]'` brings it\n"
        "ray_application: ray is not installed; `pip install 'tvmgo[ray]'` brings it\n"
    )


def test_pickle_is_small(predictor):
    assert len(pickle.dumps(predictor())) < 2000
