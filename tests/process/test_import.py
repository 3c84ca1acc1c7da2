# SPDX-License-Identifier: Apache-2.0
"""What importing tvmgo does, and what it leaves alone."""

import importlib.util
import re
from pathlib import Path

import pytest

import tvmgo
from tests.helpers import PACKAGE, output_of, run_python
from tvmgo._native import locate

# ---------------------------------------------------------------- what importing does


def test_import_brings_in_neither_tvm_nor_tvm_ffi_nor_numpy():
    assert (
        output_of("""
        import sys
        import tvmgo
        print([name for name in ("tvm", "tvm_ffi", "numpy", "ml_dtypes", "onnx", "torch")
               if name in sys.modules])
    """)
        == "[]\n"
    )


def test_import_brings_in_little_that_takes_its_time():
    assert (
        output_of("""
        import sys
        before = set(sys.modules)
        import tvmgo
        brought = sys.modules.keys() - before
        print(len(brought) > 50, sorted(brought & {"asyncio", "concurrent.futures", "hashlib",
              "logging", "pathlib", "shutil", "statistics", "subprocess", "tempfile",
              "urllib.parse", "zipfile"}))
    """)
        == "True []\n"
    )


def test_import_starts_no_process_and_no_thread():
    assert (
        output_of("""
        import os, sys
        events = []
        def hook(event, args):
            if event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn",
                         "os.spawn", "os.system"):
                events.append(event)
        sys.addaudithook(hook)
        import tvmgo
        print(events, len(os.listdir("/proc/self/task")))
    """)
        == "[] 1\n"
    )


def test_import_opens_no_connection_and_writes_no_file():
    assert (
        output_of("""
        import sys
        events = []
        def hook(event, args):
            writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
            if event.startswith("socket.") or writes:
                path = str(args[0])
                if not path.endswith((".pyc", "__pycache__")) and ".pyc." not in path:
                    events.append((event, args[0]))
        sys.addaudithook(hook)
        import tvmgo
        print(events)
    """)
        == "[]\n"
    )


def test_import_says_nothing():
    done = run_python("import tvmgo")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_import_with_warnings_as_errors_works():
    assert output_of("import tvmgo; print(1)", arguments=["-W", "error", "-X", "dev"]) == "1\n"


def test_import_with_optimisation_works():
    assert (
        output_of("import tvmgo; print(tvmgo.convert_function(lambda: 5)())", arguments=["-OO"])
        == "5\n"
    )


def test_import_loads_libtvm_ffi_and_nothing_else():
    script = "import tvmgo; print(sorted(tvmgo._native.locate.libraries()))"
    assert output_of(script) == "['tvm_ffi']\n"


def test_calls_and_loading_import_neither_tvm_nor_tvm_ffi(kernels_path):
    assert (
        output_of(f"""
        import sys
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        kernels["sum_ints"](1, 2)
        tvmgo.list_global_functions()
        tvmgo.empty(3).copy_from(tvmgo.empty(3))
        tvmgo.cuda(0).exists
        print([name for name in ("tvm", "tvm_ffi", "numpy") if name in sys.modules])
    """)
        == "[]\n"
    )


def test_import_again_after_removal_from_sys_modules_works_or_raises():
    assert (
        run_python("""
        import sys
        import tvmgo
        for name in [name for name in sys.modules if name.startswith("tvmgo")]:
            del sys.modules[name]
        try:
            import tvmgo
        except ImportError:
            pass
    """).returncode
        == 0
    )


def test_every_name_in_all_is_there():
    assert [name for name in tvmgo.__all__ if not hasattr(tvmgo, name)] == []


# ---------------------------------------------------------------- libtvm_ffi


def test_import_without_tvm_ffi_says_what_to_install(tmp_path):
    (tmp_path / PACKAGE.name).symlink_to(PACKAGE)
    done = run_python("import tvmgo", arguments=["-S"], env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("ImportError: ")
    assert "pip install apache-tvm-ffi" in done.stderr


def beside_tvm_ffi(folder, distribution):
    """Return what importing tvmgo says beside a tvm_ffi that claims to be of another release."""
    package = Path(importlib.util.find_spec("tvm_ffi").submodule_search_locations[0])
    for path in (PACKAGE, package):
        (folder / path.name).symlink_to(path)
    (folder / distribution).mkdir()
    return run_python("import tvmgo", arguments=["-S"], env={"PYTHONPATH": str(folder)})


@pytest.mark.parametrize("version", ["0.1.13.post3", "0.1.16", "0.1.140", "1.0"])
def test_unknown_tvm_ffi_is_refused(version, tmp_path):
    done = beside_tvm_ffi(tmp_path, f"apache_tvm_ffi-{version}.dist-info")
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("ImportError: ")
    assert f"{version} is installed; `pip install 'apache-tvm-ffi{locate.FFI_RANGE}'`" in said


@pytest.mark.parametrize("version", ["0.1.14.post0", "0.1.15.post2", "0.1.15"])
def test_known_tvm_ffi_is_taken(version, tmp_path):
    assert beside_tvm_ffi(tmp_path, f"apache_tvm_ffi-{version}.dist-info").returncode == 0


def test_range_of_tvm_ffi_is_the_one_that_is_required():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert set(re.findall(r'"apache-tvm-ffi([^"]*)"', text)) == {locate.FFI_RANGE}
    oldest = re.search(r"FFI_FLOOR := (\S+)", (Path(__file__).parents[2] / "Makefile").read_text())
    assert locate.FFI_RANGE.startswith(f">={oldest[1]},")
