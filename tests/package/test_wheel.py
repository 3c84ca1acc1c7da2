# SPDX-License-Identifier: Apache-2.0
"""The source distribution builds alone; a wheel built in one environment works in another, brings
TVM's runtime along, and carries no path of the first."""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path

import pytest

from release.command import run
from release.source import build_sdist, build_wheel, copy_checkout

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("source") / "tvmgo")


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory) -> Path:
    return build_sdist(source, tmp_path_factory.mktemp("sdist"), "--no-isolation")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory) -> Path:
    """Build a wheel of the source distribution alone, in pip's own build environment.

    It is built with the oldest apache-tvm-ffi and runs, below, with whichever is installed.
    """
    work = tmp_path_factory.mktemp("wheel")
    constraint = work / "constraints.txt"
    constraint.write_text("apache-tvm-ffi==0.1.14.post0\n")
    return build_wheel(
        sys.executable,
        sdist,
        work,
        PIP_CONSTRAINT=str(constraint),
        PIP_BUILD_CONSTRAINT=str(constraint),
        CFLAGS="-O0",  # how fast it is is not the question here
    )


def test_source_distribution_is_reproducible(source, sdist, tmp_path):
    for path in source.rglob("*"):
        os.utime(path, (1e9, 1e9))  # of no importance
    again = build_sdist(source, tmp_path, "--no-isolation")
    assert again.read_bytes() == sdist.read_bytes()


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


RUN_A_MODEL = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy, tvmgo
from tvmgo._native import locate
module = tvmgo.load_module(sys.argv[2])
print(module["sum_ints"](1, 2), locate.libraries()["tvm_runtime"])
order = tvmgo.empty((3,), "int32")
sort = tvmgo.get_global_function("tvm.contrib.sort.argsort")
sort(tvmgo.array(numpy.array([3, 1, 2], "float32")), order, 0, True)
print(order.numpy().tolist(), locate.libraries().get("tvm_runtime_extra"))
"""


def test_wheel_brings_the_runtime_along(wheel, kernels_path, tmp_path):
    """Without apache-tvm: only NumPy and apache-tvm-ffi are there besides."""
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--target", site, wheel)
    others = tmp_path / "others"
    others.mkdir()
    for name in ("numpy", "tvm_ffi"):
        package = Path(importlib.util.find_spec(name).origin).parent
        for path in (package, package.with_name(f"{name}.libs")):
            if path.exists():
                (others / path.name).symlink_to(path)
    bare = [sys.executable, "-I", "-S", "-c"]
    code = f"import sys; sys.path.append({str(others)!r})" + RUN_A_MODEL
    shown = run(*bare, code, site, kernels_path, cwd=tmp_path)
    library = site / "tvmgo" / "_native" / "lib"
    assert shown == (
        f"3 {library / 'libtvm_runtime.so'}\n[1, 2, 0] {library / 'libtvm_runtime_extra.so'}\n"
    )


def test_wheel_leaves_the_runtime_to_an_installed_apache_tvm(wheel, kernels_path, tmp_path):
    """Whichever comes first, `import tvm` meets no second copy."""
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--target", site, wheel)
    count = """
with open("/proc/self/maps") as maps:
    print(len({line.split()[-1] for line in maps if "libtvm_runtime.so" in line}))
"""
    orders = (RUN_A_MODEL + "import tvm", "import tvm" + RUN_A_MODEL)
    for code in orders:
        shown = run(sys.executable, "-I", "-c", code + count, site, kernels_path, cwd=tmp_path)
        assert shown.splitlines()[-1] == "1"
        assert str(site) not in shown


def test_wheel_carries_what_is_no_module(wheel):
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    for wanted in (
        "tvmgo/_native/lib/LICENSE",
        "tvmgo/_native/lib/NOTICE",
        "tvmgo/_native/lib/licenses/LICENSE.builtin_fp16.txt",
        "tvmgo/py.typed",
        "tvmgo/_core/array.pyi",
        "tvmgo/_core/array.pxd",
        "tvmgo/capi/ffi.pxd",
        "tvmgo/capi/pytype.h",
        "tvmgo/cli/compiler/install.py",
        "tvmgo/compiler/environments/locks/relay-cp310-macosx_arm64.txt",
        "tvmgo/compiler/exporter.py",
        "tvmgo/compiler/graph/params.py",
        "tvmgo/compiler/relax/passes/rewrite/operators.py",
    ):
        assert wanted in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    [commands] = [name for name in names if name.endswith("entry_points.txt")]
    assert b"tvmgo = tvmgo.cli:main" in archive.read(commands)


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
