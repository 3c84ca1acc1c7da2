# SPDX-License-Identifier: Apache-2.0
"""Type checkers and scripts find the installed package, wherever they are started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tvmgo
from tests.helpers import output_of

ROOT = Path(__file__).parents[2]

PROGRAM = """\
import tvmgo

array = tvmgo.empty((2, 3), "float32")
shape: tuple[int, ...] = array.shape
module: tvmgo.Module = tvmgo.load_module("deploy.so")
graph = tvmgo.graph_executor.create("{}", module, tvmgo.cpu(0))
reveal_type(graph.get_num_outputs())
try:
    tvmgo.get_global_function("nowhere")
except tvmgo.TVMKeyError as error:
    print(error.native_backtrace)
tvmgo.cpu("zero")
"""

CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict"],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
}


def run(*command: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_type_checker_finds_the_installed_package(checker, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    said = run(*CHECKERS[checker], "program.py", cwd=tmp_path)
    errors = [line for line in said.splitlines() if " error: " in line or " - error: " in line]
    assert len(errors) == 1, said
    assert "program.py:12:" in errors[0]  # the misuse, and nothing that could not be found
    assert '"int"' in said or '"builtins.int"' in said  # the type revealed, which is not Any


def test_other_processes_import_the_package_that_is_tested():
    assert output_of("import tests, tvmgo; print(tvmgo.__file__)") == f"{tvmgo.__file__}\n"


def test_script_beside_the_clone_imports_the_package(tmp_path):
    """A folder beside the script that is named like the package must not be taken for it."""
    (tmp_path / "tvmgo").symlink_to(ROOT)
    (tmp_path / "script.py").write_text(
        "import tvmgo\nprint(tvmgo.convert_function(lambda x: x + 1)(41))\n"
    )
    assert run(sys.executable, "script.py", cwd=tmp_path) == "42\n"
