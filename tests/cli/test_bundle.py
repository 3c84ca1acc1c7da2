# SPDX-License-Identifier: Apache-2.0
"""``tvmgo bundle``, and the other verbs on what it writes."""

import os


def test_a_bundle_is_as_good_as_a_folder(two_inputs, tmp_path, tvmgo_says):
    path = tmp_path / "net.tvmgo"
    told = tvmgo_says("bundle", two_inputs, "-o", path, "--json").document
    assert told == {"path": str(path), "bytes": path.stat().st_size}
    told = tvmgo_says("info", path, "--json").document
    of_folder = tvmgo_says("info", two_inputs, "--json").document
    assert told == {**of_folder, "path": str(path)}
    assert tvmgo_says("doctor", path, "--json").document["runs"]
    assert len(tvmgo_says("run", path, "--json").document["outputs"]) == 2
    assert tvmgo_says("bench", path, "--seconds", "0.1", "--json").document["rows"]
    os.truncate(path, 3000)
    for verb in ("info", "doctor", "run"):
        said = tvmgo_says(verb, path)
        assert (said.status, said.err.count("\n")) == (1, 1)
        assert "not a bundle, or a damaged one" in said.err


def test_a_folder_that_is_no_model(tmp_path, tvmgo_says):
    said = tvmgo_says("bundle", tmp_path, "-o", tmp_path / "net.tvmgo")
    assert said.status == 1 and "expected a folder with a library" in said.err
    said = tvmgo_says("bundle", tmp_path, "-o", tmp_path / "net.zip")
    assert said.status == 1 and "ends with '.tvmgo'" in said.err
