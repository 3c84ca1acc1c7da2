# SPDX-License-Identifier: Apache-2.0
"""The type stubs say what the binary does, and the Python modules pass a strict type check."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_match_the_binary():
    run(
        "mypy.stubtest",
        "tvmgo._core",  # where the stubs are
        "--allowlist",
        str(ROOT / "tests" / "package" / "stubtest_allowlist.txt"),
        "--ignore-unused-allowlist",
        "--mypy-config-file",
        str(ROOT / "pyproject.toml"),
    )


def test_python_modules_type_check_strictly():
    run("mypy", "--config-file", str(ROOT / "pyproject.toml"))


USE = """
import numpy as np
import tvmgo

f: tvmgo.Function = tvmgo.get_global_function("runtime.NumThreads")
v: tvmgo.Value = f.invoke(1, "x")
n: int = v.as_int64()
a: tvmgo.Array = tvmgo.empty((2, 3), np.float32, tvmgo.cpu(0)).copy_from(np.zeros(6, "f4"))
s: tuple[int, ...] = a.shape
ok: bool = a.dtype == "float32"

@tvmgo.register_function("typed.add", override=True)
def add(x: int, y: int) -> int:
    return x + y

total: int = add(1, 2)
m: tvmgo.Module = tvmgo.load_module("x.so")
g = tvmgo.graph_executor.create("{}", m, tvmgo.cpu())
shapes, dtypes = g.get_input_info()
"""

MISUSE = (
    'tvmgo.empty("4")',
    "tvmgo.load_module(3)",
    'tvmgo.cpu("0")',
    'tvmgo.Value(1).as_int64() + "x"',
    "tvmgo.register_function(3)",
)


def test_typical_use_type_checks(tmp_path):
    (tmp_path / "use.py").write_text(USE)
    run("mypy", "--strict", str(tmp_path / "use.py"))


@pytest.mark.parametrize("line", MISUSE)
def test_misuse_is_caught_by_type_checker(tmp_path, line):
    (tmp_path / "misuse.py").write_text(f"import tvmgo\n{line}\n")
    with pytest.raises(AssertionError, match=r"misuse\.py:2: error"):
        run("mypy", "--strict", str(tmp_path / "misuse.py"))
