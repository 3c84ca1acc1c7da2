# SPDX-License-Identifier: Apache-2.0
"""A wheel built in one environment works in another, and carries no path of the first."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*command, **options) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build a wheel of the sources that git knows or would add, in pip's own build environment.

    It is built with the oldest apache-tvm-ffi and runs, below, with whichever is installed.
    """
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    constraint = work / "constraints.txt"
    constraint.write_text("apache-tvm-ffi==0.1.14.post0\n")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--wheel-dir",
        work,
        source,
        env={
            **os.environ,
            "PIP_CONSTRAINT": str(constraint),
            "PIP_BUILD_CONSTRAINT": str(constraint),
            "CFLAGS": "-O0",
        },
    )  # how fast it is is not the question here
    [built] = work.glob("*.whl")
    return built


def test_wheel_runs_in_another_environment(wheel, tmp_path):
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--target", tmp_path / "site", wheel)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import tvmgo; "
        "assert tvmgo.__file__.startswith(sys.argv[1]); "
        "print(tvmgo.convert_function(lambda x: x + 1)(41), "
        "tvmgo.get_global_function('tvm.graph_executor.create'))"
    )
    shown = run(sys.executable, "-I", "-c", code, tmp_path / "site", cwd=tmp_path)
    assert shown.startswith("42 <tvmgo.Function")


def test_wheel_carries_stubs_declarations_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "tvmgo/py.typed",
        "tvmgo/_core/array.pyi",
        "tvmgo/_core/array.pxd",
        "tvmgo/capi/ffi.pxd",
        "tvmgo/capi/pytype.h",
        "tvmgo/compiler/exporter.py",
        "tvmgo/compiler/graph/params.py",
        "tvmgo/compiler/relax/passes/rewrite/operators.py",
    ):
        assert wanted in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_extensions_carry_no_absolute_path(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    extensions = sorted(tmp_path.glob("tvmgo/_core/*.so"))
    assert extensions
    for extension in extensions:
        dynamic = run("readelf", "-d", extension)
        assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
        content = extension.read_bytes()
        assert str(wheel.parent).encode() not in content  # where its sources were
        assert b"pip-build-env" not in content
