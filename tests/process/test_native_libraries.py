# SPDX-License-Identifier: Apache-2.0
"""The libraries below: where they are looked for, when they are loaded, and what works without."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.helpers import PACKAGE, output_of, run_python

REAL = tvmgo._native.locate.load() or Path(tvmgo._native.locate.libraries()["tvm_runtime"])


def package_of(name):
    return Path(importlib.util.find_spec(name).origin).parent


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A directory of packages like an environment without apache-tvm: tvm_ffi, NumPy and tvmgo."""
    directory = tmp_path_factory.mktemp("bare")
    numpy = package_of("numpy")
    for package in (package_of("tvm_ffi"), numpy, numpy.parent / "numpy.libs", PACKAGE):
        if package.exists():
            (directory / package.name).symlink_to(package)
    return directory


def in_bare(bare, code, *, more=(), **env):
    """Run `code`, which must end well and silently, with the packages in `bare` and `more` only."""
    search = os.pathsep.join(map(str, [*more, bare]))
    return output_of(code, arguments=["-S"], env={"PYTHONPATH": search, **env})


def link_runtime(directory, name=REAL.name):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).symlink_to(REAL)
    return directory / name


def install_tvm(directory, content="", distribution="apache_tvm-0.27.0"):
    """Make a folder look as if a distribution with the package `tvm` were installed there."""
    (directory / "tvm" / "lib").mkdir(parents=True)
    (directory / "tvm" / "__init__.py").write_text(content)
    (directory / f"{distribution}.dist-info").mkdir()
    return directory / "tvm" / "lib"


LIBRARIES = """
    import tvmgo
    print(sorted(tvmgo._native.locate.libraries()))
"""

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
    assert output_of(LIBRARIES) == "['tvm_ffi']\n"


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


# ---------------------------------------------------------------- without a runtime


def test_without_a_runtime_callbacks_work(bare):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        adder = tvmgo.convert_function(lambda x: lambda y: x + y)
        print(adder(1)(2), adder.invoke(3).type_code)
    """,
        )
        == "3 10\n"
    )


def test_without_a_runtime_the_registry_works(bare):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        tvmgo.register_function(lambda x: x + 1, "mine")
        print(tvmgo.get_global_function("mine")(1), "mine" in tvmgo.list_global_functions())
        tvmgo.remove_global_function("mine")
        print("mine" in tvmgo.list_global_functions(), "ffi.Array" in tvmgo.list_global_functions())
    """,
        )
        == "2 True\nFalse True\n"
    )


def test_without_a_runtime_arrays_work(bare):
    assert (
        in_bare(
            bare,
            """
        import numpy as np
        import tvmgo
        array = tvmgo.empty((2, 2)).copy_from(np.ones(4, np.float32))
        np.asarray(array)[0, 0] = 5
        print(array.numpy().tolist(), tvmgo.convert_function(lambda x: x)(np.zeros(3)).shape)
    """,
        )
        == "[[5.0, 1.0], [1.0, 1.0]] (3,)\n"
    )


def test_without_a_runtime_a_missing_name_is_a_key_error(bare):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        try:
            tvmgo.get_global_function("runtime.NumThreads")
        except KeyError:
            print("KeyError")
    """,
        )
        == "KeyError\n"
    )


@pytest.mark.parametrize(
    "call",
    [
        "tvmgo.load_module({path!r})",
        "tvmgo.system_library()",
        "tvmgo.empty(1, device=tvmgo.cuda(0))",
    ],
    ids=["load_module", "system_library", "cuda"],
)
def test_without_a_runtime_what_needs_it_says_what_to_install(bare, kernels_path, call):
    answer = json.loads(
        in_bare(
            bare,
            f"""
        import json
        import tvmgo
        try:
            {call.format(path=str(kernels_path))}
        except ImportError as error:
            print(json.dumps([isinstance(error, tvmgo.TVMError), str(error)]))
    """,
        )
    )
    assert answer[0] is True
    assert "pip install apache-tvm" in answer[1]
    assert "TVMGO_RUNTIME_LIBRARY" in answer[1]


def test_without_a_runtime_a_missing_file_is_a_file_not_found_error(bare):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        try:
            tvmgo.load_module("nowhere.so")
        except FileNotFoundError:
            print("FileNotFoundError")
    """,
        )
        == "FileNotFoundError\n"
    )


def test_without_a_runtime_other_devices_do_not_exist(bare):
    assert (
        in_bare(bare, "import tvmgo; print(tvmgo.cpu().exists, tvmgo.cuda().exists)")
        == "True False\n"
    )


def test_without_a_runtime_the_graph_executor_can_be_created(bare):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        find = tvmgo.get_global_function
        print(find("tvm.graph_executor.create") == find("tvm.graph_runtime.create")
              or "tvm.graph_runtime.create" in tvmgo.list_global_functions())
    """,
        )
        == "True\n"
    )


# ---------------------------------------------------------------- finding the runtime


CALL_KERNEL = """
    import sys
    import tvmgo
    module = tvmgo.load_module({kernels!r})
    print(module["sum_ints"](1, 2), tvmgo._native.locate.libraries()["tvm_runtime"])
"""


def test_runtime_of_an_installed_tvm_is_found(kernels_path):
    assert output_of(CALL_KERNEL.format(kernels=str(kernels_path))) == f"3 {REAL}\n"


def test_runtime_of_an_installed_tvm_is_found_without_importing_it(bare, kernels_path, tmp_path):
    library = link_runtime(install_tvm(tmp_path, "raise RuntimeError('tvm was imported')\n"))
    assert (
        in_bare(bare, CALL_KERNEL.format(kernels=str(kernels_path)), more=[tmp_path])
        == f"3 {library}\n"
    )


def test_runtime_on_the_loaders_path_is_found(bare, kernels_path, tmp_path):
    link_runtime(tmp_path)
    assert in_bare(
        bare, CALL_KERNEL.format(kernels=str(kernels_path)), LD_LIBRARY_PATH=str(tmp_path)
    ) == (f"3 {REAL.name}\n")


def test_runtime_named_by_the_environment_is_found(bare, kernels_path, tmp_path):
    library = link_runtime(tmp_path, "my own runtime.so")
    assert in_bare(
        bare, CALL_KERNEL.format(kernels=str(kernels_path)), TVMGO_RUNTIME_LIBRARY=str(library)
    ) == (f"3 {library}\n")


def test_runtime_named_by_the_environment_comes_before_an_installed_one(kernels_path, tmp_path):
    library = link_runtime(tmp_path)
    assert output_of(
        CALL_KERNEL.format(kernels=str(kernels_path)), env={"TVMGO_RUNTIME_LIBRARY": str(library)}
    ) == (f"3 {library}\n")


def test_runtime_of_an_installed_tvm_comes_before_the_loaders_path(bare, kernels_path, tmp_path):
    link_runtime(tmp_path / "elsewhere")
    library = link_runtime(install_tvm(tmp_path))
    assert (
        in_bare(
            bare,
            CALL_KERNEL.format(kernels=str(kernels_path)),
            more=[tmp_path],
            LD_LIBRARY_PATH=str(tmp_path / "elsewhere"),
        )
        == f"3 {library}\n"
    )


def test_empty_environment_variable_is_as_good_as_none(kernels_path):
    assert (
        output_of(CALL_KERNEL.format(kernels=str(kernels_path)), env={"TVMGO_RUNTIME_LIBRARY": ""})
        == f"3 {REAL}\n"
    )


@pytest.mark.parametrize(
    "distribution", ["apache_tvm-0.26.0", "apache_tvm-0.28.0", "another_tvm-0.27.0"]
)
def test_tvm_that_was_not_tested_is_passed_over(bare, kernels_path, tmp_path, distribution):
    (install_tvm(tmp_path / "packages", distribution=distribution) / REAL.name).write_text("none")
    library = link_runtime(tmp_path / "libraries")
    code = CALL_KERNEL.format(kernels=str(kernels_path))
    more, path = [tmp_path / "packages"], str(library.parent)
    assert in_bare(bare, code, more=more, LD_LIBRARY_PATH=path) == f"3 {library.name}\n"


def test_tvm_package_without_libraries_is_passed_over(bare, kernels_path, tmp_path):
    (tmp_path / "packages" / "tvm").mkdir(parents=True)  # such as a source tree lying about
    link_runtime(tmp_path / "libraries")
    assert (
        in_bare(
            bare,
            CALL_KERNEL.format(kernels=str(kernels_path)),
            more=[tmp_path / "packages"],
            LD_LIBRARY_PATH=str(tmp_path / "libraries"),
        )
        == f"3 {REAL.name}\n"
    )


@pytest.mark.parametrize("value", ["/no/such/libtvm_runtime.so", "text", "directory"])
@pytest.mark.parametrize(
    "call",
    [
        "tvmgo.load_module({path!r})",
        "tvmgo.get_global_function('no such name')",
        "tvmgo.list_global_functions()",
        "tvmgo.system_library()",
        "tvmgo.empty(1, device=tvmgo.cuda(0))",
    ],
    ids=["load_module", "get_global_function", "list_global_functions", "system_library", "cuda"],
)
def test_environment_variable_that_names_no_library_raises_an_error_that_names_it(
    kernels_path, tmp_path, value, call
):
    if value == "text":
        value = tmp_path / "text.so"
        value.write_text("no library")
    elif value == "directory":
        value = tmp_path
    answer = json.loads(
        output_of(
            f"""
        import json
        import tvmgo
        try:
            {call.format(path=str(kernels_path))}
        except ImportError as error:
            print(json.dumps([isinstance(error, tvmgo.TVMError), str(error)]))
    """,
            env={"TVMGO_RUNTIME_LIBRARY": str(value)},
        )
    )
    assert answer[0] is True
    assert "TVMGO_RUNTIME_LIBRARY" in answer[1]
    assert str(value) in answer[1]


def test_environment_variable_that_names_no_library_does_not_disturb_what_needs_none():
    assert (
        output_of(
            """
        import tvmgo
        tvmgo.register_function(lambda x: x + 1, "mine")
        print(tvmgo.get_global_function("mine")(1), tvmgo.empty(2).shape, tvmgo.cpu().exists)
    """,
            env={"TVMGO_RUNTIME_LIBRARY": "/no/such/libtvm_runtime.so"},
        )
        == "2 (2,) True\n"
    )


def test_broken_runtime_of_an_installed_tvm_raises_import_error_that_names_it(
    bare, kernels_path, tmp_path
):
    broken = install_tvm(tmp_path) / REAL.name
    broken.write_text("no library")
    assert str(broken) in in_bare(
        bare,
        f"""
        import tvmgo
        try:
            tvmgo.load_module({str(kernels_path)!r})
        except ImportError as error:
            print(error)
    """,
        more=[tmp_path],
    )


def test_runtime_somebody_else_loaded_is_used_not_loaded_again(bare, kernels_path, tmp_path):
    assert (
        in_bare(
            bare,
            f"""
        import ctypes
        import tvmgo
        ctypes.CDLL({str(REAL)!r}, ctypes.RTLD_GLOBAL)
        print(tvmgo.load_module({str(kernels_path)!r})["sum_ints"](1, 2))
    """,
        )
        == "3\n"
    )


def test_runtime_is_loaded_once_by_many_threads(kernels_path):
    assert (
        output_of(f"""
        import threading
        import tvmgo
        barrier = threading.Barrier(8)
        answers = []
        def load():
            barrier.wait()
            answers.append(tvmgo.load_module({str(kernels_path)!r})["sum_ints"](1, 2))
        threads = [threading.Thread(target=load) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(answers, sorted(tvmgo._native.locate.libraries()))
    """)
        == f"{[3] * 8} ['tvm_ffi', 'tvm_runtime']\n"
    )


def test_runtime_is_there_before_a_compiled_library_is_loaded(kernels_path):
    """A kernel's pointers to the runtime are filled in when it is loaded, not later."""
    assert "runtime" in output_of(f"""
        import tvmgo
        tvmgo.load_module({str(kernels_path)!r})
        print(sorted(tvmgo._native.locate.libraries()))
    """)


# ---------------------------------------------------------------- the rest of the runtime


def test_extra_library_is_loaded_when_a_function_of_it_is_first_missing():
    assert (
        output_of("""
        import tvmgo
        tvmgo.get_global_function("runtime.NumThreads")
        print(sorted(tvmgo._native.locate.libraries()))
        tvmgo.get_global_function("tvm.contrib.sort.argsort")
        print(sorted(tvmgo._native.locate.libraries()))
    """)
        == "['tvm_ffi', 'tvm_runtime']\n['tvm_ffi', 'tvm_runtime', 'tvm_runtime_extra']\n"
    )


def test_extra_library_sorts():
    values = np.array([3.0, 1.0, 2.0], np.float32)
    order = tvmgo.empty(3, "int32")
    tvmgo.get_global_function("tvm.contrib.sort.argsort")(tvmgo.array(values), order, 0, True)
    assert order.numpy().tolist() == np.argsort(values).tolist()


def test_extra_library_is_loaded_with_a_compiled_library_that_names_its_functions(generation_path):
    path = generation_path(77, '-DMENTION="tvm.contrib.sort.argsort"')
    assert (
        output_of(f"""
        import tvmgo
        tvmgo.load_module({str(path)!r})
        print(sorted(tvmgo._native.locate.libraries()))
    """)
        == "['tvm_ffi', 'tvm_runtime', 'tvm_runtime_extra']\n"
    )


def test_extra_library_is_not_loaded_with_a_compiled_library_that_does_not(kernels_path):
    assert (
        output_of(f"""
        import tvmgo
        tvmgo.load_module({str(kernels_path)!r})
        print(sorted(tvmgo._native.locate.libraries()))
    """)
        == "['tvm_ffi', 'tvm_runtime']\n"
    )


def test_extra_library_is_beside_the_runtime_on_the_loaders_path(bare, tmp_path):
    link_runtime(tmp_path / "path")
    extra = REAL.name.replace("runtime", "runtime_extra")
    (tmp_path / "path" / extra).symlink_to(REAL.with_name(extra))
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        tvmgo.get_global_function("tvm.contrib.sort.argsort")
        print(tvmgo._native.locate.libraries()["tvm_runtime_extra"])
    """,
            LD_LIBRARY_PATH=str(tmp_path / "path"),
        )
        == f"{extra}\n"
    )


def test_extra_library_in_the_current_directory_is_none(bare, tmp_path):
    link_runtime(tmp_path / "path")
    extra = REAL.name.replace("runtime", "runtime_extra")
    (tmp_path / extra).symlink_to(REAL.with_name(extra))
    assert (
        in_bare(
            bare,
            f"""
        import os
        import tvmgo
        os.chdir({str(tmp_path)!r})
        try:
            tvmgo.get_global_function("tvm.contrib.sort.argsort")
        except KeyError:
            print("KeyError")
    """,
            LD_LIBRARY_PATH=str(tmp_path / "path"),
        )
        == "KeyError\n"
    )


def test_extra_library_that_is_not_there_leaves_a_key_error(bare, tmp_path):
    assert (
        in_bare(
            bare,
            """
        import tvmgo
        try:
            tvmgo.get_global_function("tvm.contrib.sort.argsort")
        except KeyError:
            print("KeyError", sorted(tvmgo._native.locate.libraries()))
    """,
            TVMGO_RUNTIME_LIBRARY=str(link_runtime(tmp_path)),
        )
        == "KeyError ['tvm_ffi', 'tvm_runtime']\n"
    )


def test_libraries_result_is_a_copy():
    tvmgo._native.locate.libraries().clear()
    assert tvmgo._native.locate.libraries() != {}


@pytest.mark.skipif(not tvmgo.cuda(0).exists, reason="no CUDA device")
def test_array_on_a_gpu_comes_back():
    source = np.arange(6, dtype=np.float32).reshape(2, 3)
    there = tvmgo.array(source, device=tvmgo.cuda(0))
    assert str(there.device) == "cuda:0"
    assert there.numpy().tolist() == source.tolist()
    assert tvmgo.array(there).numpy().tolist() == source.tolist()
    with pytest.raises(BufferError):
        memoryview(there)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_forked_child_can_call_functions(kernels_path):
    assert (
        output_of(f"""
        import os
        import tvmgo
        kernels = tvmgo.load_module({str(kernels_path)!r})
        function = tvmgo.convert_function(lambda x: kernels["sum_ints"](x, 1))
        function(1)
        child = os.fork()
        if child == 0:
            os._exit(function(2) - 3)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
        == "0\n"
    )
