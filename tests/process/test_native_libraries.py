# SPDX-License-Identifier: Apache-2.0
"""The libraries below: where they are looked for, and when they are loaded."""

import json
import sys

import numpy as np
import pytest

import tvmgo
from tests.helpers import output_of
from tests.process.environments import REAL, in_bare, install_tvm, link_runtime

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


def test_extra_library_is_loaded_with_a_compiled_library_that_looks_functions_up(generation_path):
    path = generation_path(77, "-DLOOKS_UP")
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


# ---------------------------------------------------------------- asking for functions


def test_has_function_finds_what_is_there():
    assert tvmgo._native.locate.has_function("ffi.Array") is True


@pytest.mark.parametrize("name", ["tests.temporary", "tests.temporär", "tests.tempo\0rary"])
def test_has_function_tells_whether_a_name_is_there_now(name):
    assert not tvmgo._native.locate.has_function(name)
    tvmgo.register_function(lambda: 1, name)
    try:
        assert tvmgo._native.locate.has_function(name)
    finally:
        tvmgo.remove_global_function(name)
    assert not tvmgo._native.locate.has_function(name)


@pytest.mark.parametrize("name", ["", "ffi", "ffi.Array2", "ffi.Array\0", "\0", "ü" * 10000])
def test_has_function_does_not_find_what_is_not_there(name):
    assert tvmgo._native.locate.has_function(name) is False


def test_has_function_keeps_no_reference(global_name, live_objects):
    tvmgo.register_function(lambda: 1, global_name)
    for _ in range(10):
        assert tvmgo._native.locate.has_function(global_name)
    tvmgo.remove_global_function(global_name)
    assert tvmgo.live_objects() == live_objects


@pytest.mark.parametrize("times", range(3))
def test_has_function_while_other_threads_register(times):
    # libtvm_ffi guards its table by nothing: asked while it grows, it misses what is there.
    assert (
        output_of("""
        import threading, tvmgo
        missed, done = [], threading.Event()
        def look():
            while not done.is_set():
                if not tvmgo._native.locate.has_function("ffi.Array"):
                    missed.append(1)
        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        function = tvmgo.convert_function(lambda: 1)
        for i in range(150_000):
            tvmgo.register_function(function, f"tests.{i}", override=True)
        done.set()
        for thread in threads:
            thread.join()
        print(len(missed))
    """)
        == "0\n"
    )


# ---------------------------------------------------------------- the rest


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
