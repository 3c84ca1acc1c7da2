# SPDX-License-Identifier: Apache-2.0
"""The command ``tvmgo``, and ``python -m tvmgo.compiler``."""

import json
import subprocess
import sys

import pytest

import tvmgo
from tvmgo.cli import main
from tvmgo.compiler.environments.listing import overview


def test_module_is_the_command(capsys):
    command = [sys.executable, "-m", "tvmgo.compiler", "list"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert main(["compiler", "list"]) == 0
    assert said == capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == [row.kind for row in overview()]


def test_list_shows_sizes_and_versions(make_environment, capsys):
    python = make_environment("relax")
    site = python.parents[1] / "lib" / "python3.11" / "site-packages"
    (site / "onnx-1.23.2.dist-info").mkdir(parents=True)
    (site / "onnx-1.23.2.dist-info" / "METADATA").write_text("Name: onnx\nVersion: 1.23.2\n")
    (python.parents[1] / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.9\n")
    (site / "library.so").write_bytes(bytes(7_000_000))
    assert main(["compiler", "list"]) == 0
    line = f"relax       {python.parents[1]}  Python 3.11.9  7 MB  onnx 1.23.2"
    assert line in capsys.readouterr().out.splitlines()
    assert main(["compiler", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["compilers"]
    [row] = [row for row in rows if row["where"] == str(python.parents[1])]
    assert (row["kind"], row["python"], row["what"]) == ("relax", "3.11.9", "onnx 1.23.2")
    assert 7_000_000 <= row["size"] < 7_100_000
    assert main(["compiler", "remove", "relax", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": [row["where"]]}
    assert main(["compiler", "remove", "relax", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": []}


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tvmgo {tvmgo.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["compiler"], ["compiler", "install", "simplify"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: tvmgo" in capsys.readouterr().err


def test_error_is_a_line(capsys, tmp_path):
    assert main(["compiler", "install", "relay", "--wheels", str(tmp_path / "nothing")]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"tvmgo: wheels: expected a folder, got '{tmp_path}/nothing'\n",
    )
