# SPDX-License-Identifier: Apache-2.0
"""``tvmgo run``"""

import numpy as np
import pytest

from tests.graphs import op, var
from tests.model.conftest import PREFIX


@pytest.fixture
def x(tmp_path):
    np.save(tmp_path / "x.npy", np.array([1, 2, 3]))
    return tmp_path / "x.npy"


@pytest.fixture
def w(tmp_path):
    np.save(tmp_path / "w.npy", np.array([4, 5, 6]))
    return tmp_path / "w.npy"


def test_values_from_files(two_inputs, tvmgo_says, x, w, tmp_path):
    out = tmp_path / "deep" / "out"
    words = ["--input", f"x={x}", f"w={w}", "--output", out, f"y={tmp_path / 'y'}", "--json"]
    told = tvmgo_says("run", two_inputs, *words).document
    y, z = np.array([10, 14, 18]), np.array([15, 27, 39])
    assert np.array_equal(np.load(out / "y.npy"), y) and np.array_equal(np.load(out / "z.npy"), z)
    assert np.array_equal(np.load(tmp_path / "y"), y)
    first, second = told["outputs"]
    assert (first["min"], first["max"], first["mean"]) == (10, 18, 14)
    assert first["file"] == f"{out / 'y.npy'}, {tmp_path / 'y'}"
    assert (second["name"], second["dtype"], second["shape"]) == ("z", "int64", [3])
    assert [each["from"] for each in told["inputs"]] == [str(x), str(w)]


def test_values_that_are_made_up(two_inputs, tvmgo_says, tmp_path):
    outs = [tmp_path / name for name in "abc"]
    for out, seed in zip(outs, (0, 0, 5)):
        tvmgo_says("run", two_inputs, "--input", "x=random", "--seed", seed, "--output", out)
    first, again, other = (np.load(out / "y.npy") for out in outs)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_summary_counts_what_is_not_finite(write_one, tvmgo_says, tmp_path):
    np.save(tmp_path / "x.npy", np.array([np.nan, 2], "float32"))
    words = ["run", write_one("double"), "--input", f"x={tmp_path / 'x.npy'}"]
    [y] = tvmgo_says(*words, "--json").document["outputs"]
    assert (y["min"], y["max"], y["not_finite"]) == (4, 4, 1)
    assert ["y", "float32", "[2]", "4", "4", "4", "1"] in [
        line.split() for line in tvmgo_says(*words).out.splitlines()
    ]


def test_outputs_of_any_name(write, tvmgo_says, tmp_path):
    name = "../a/b=:0"
    folder = write([var("x"), op("double", ["x"], name=name, prefix=PREFIX)], [name])
    words = ["--output", tmp_path / "out", f"{name}={tmp_path / 'one.npy'}"]
    assert tvmgo_says("run", folder, *words).status == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".._a_b__0.npy"]
    assert (tmp_path / "one.npy").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--input", "z=random"], "the model has no input 'z'"),
        (["--input", "x=nothing.npy"], "input 'x': there is no file 'nothing.npy'"),
        (["--output", "x=a.npy"], "the model has no output 'x'"),
    ],
)
def test_what_is_wrong_is_one_line(two_inputs, tvmgo_says, words, text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = tvmgo_says("run", two_inputs, *words)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith(f"tvmgo: {text}") and len(said.err.splitlines()) == 1
    assert not (tmp_path / "a.npy").exists()


def test_files_that_are_no_arrays(two_inputs, tvmgo_says, tmp_path):
    bad, pickled, several = (tmp_path / name for name in ("bad.npy", "pickled.npy", "s.npz"))
    bad.write_bytes(b"\x93NUMPY")
    np.save(pickled, np.array([{}]), allow_pickle=True)
    np.savez(several, np.zeros(3))
    for file in (bad, pickled):
        assert (
            f"{file} is no .npy file" in tvmgo_says("run", two_inputs, "--input", f"x={file}").err
        )
    said = tvmgo_says("run", two_inputs, "--input", f"x={several}")
    assert "expected a .npy file with one array" in said.err
    np.save(bad, np.zeros(2, "int64"))
    said = tvmgo_says("run", two_inputs, "--input", f"x={bad}")
    assert "input 'x': expected [3], got [2]" in said.err


def test_where_nothing_can_be_written(two_inputs, tvmgo_says, x):
    said = tvmgo_says("run", two_inputs, "--output", x / "below")
    assert said.status == 1 and said.err.startswith("tvmgo: ") and str(x) in said.err
