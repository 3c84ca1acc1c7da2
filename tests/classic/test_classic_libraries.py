# SPDX-License-Identifier: Apache-2.0
"""What loaded classic libraries offer and import: entry functions, old signatures, C names."""

import gc
import sys
import threading

import numpy as np
import pytest

import tvmgo
from tests.classic.loading import load
from tests.helpers import output_of
from tests.libraries import compile_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


# ---------------------------------------------------------------- entry functions


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-DENTRY_IS_FUNCTION",),
        ("-DENTRY_IS_CALLED_MAIN",),
    ],
    ids=["name", "function", "main"],
)
def test_calling_the_module_calls_its_entry(variant, options):
    module = load(variant("entries.c", *options))
    assert module(1, 2, 3) == 103
    assert module["main"](1) == 101
    if "-DENTRY_IS_CALLED_MAIN" not in options:
        assert module["__tvm_main__"](1) == 101


@pytest.mark.parametrize("option", ["-DENTRY_IS_UNENDING", "-DENTRY_IS_ELSEWHERE"])
def test_entry_that_names_no_function_is_none(variant, option):
    module = load(variant("entries.c", option))
    assert "main" not in module
    with pytest.raises(KeyError):
        module()


# ---------------------------------------------------------------- the signatures of 0.2 to 0.6


def test_functions_with_three_parameters(variant):
    module = load(variant("entries.c"))
    assert module["old_set"](41) is None
    assert module["get_seen"]() == 41
    assert module["old_without_parameters"]() is None
    assert module["get_seen"]() == 42
    with pytest.raises(tvmgo.TVMError, match="^old_set: expected an integer$"):
        module["old_set"](2.5)
    out = tvmgo.empty((4,), "float32")
    module["old_add"](np.arange(4, dtype="float32"), np.ones(4, "float32"), out)
    assert np.asarray(out).tolist() == [1, 2, 3, 4]


# ---------------------------------------------------------------- libraries that import the C names


# Without unwind tables an exception that enters the library's frames ends the process.
@pytest.mark.parametrize(
    "options",
    [
        ("-fno-asynchronous-unwind-tables", "-fno-exceptions"),
        ("-Wl,-z,relro,-z,now",),
        ("-Wl,-z,norelro,-z,lazy",),
        ("-DSYSTEM_LIB",),
    ],
    ids=["c_target", "read_only_imports", "writable_imports", "system_lib"],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_library_that_imports_the_services(variant, options, workers):
    path = variant("imports.c", *options)
    output_of(
        f"""
        import gc, tvmgo
        tvmgo._native.locate.load()
        load = tvmgo.get_global_function("ffi.Module.load_from_file.so")
        m = load({str(path)!r}, "so")
        assert m.kind == "classic_library"
        tvmgo.register_function(lambda x: x + 1, "tests.next")
        assert m["call_named"]("tests.next", 5) == 6
        assert m["use_workspace"]() == 5
        assert m["parallel"]() == {workers}
        assert m["run_once"]() == m["run_once"]() == 1

        def message(name, *args):
            try:
                m[name](*args)
            except Exception as error:
                return str(error)
            return "nothing was raised"

        assert message("fail_loudly") == "imported: it failed"
        for _ in range(3):
            assert message("parallel_fail") == "a task said why"
            assert message("fail_silently").startswith("fail_silently failed without an error")
        assert message("parallel_nested") == "a task said why"
        if {workers} > 1:
            assert "number of threads used" in message("parallel", 100)
        assert m["parallel"]() == {workers}
        assert "start_up" not in m and "__tvm_module_ctx" not in m

        def fail(x):
            raise ZeroDivisionError
        tvmgo.register_function(fail, "tests.next", override=True)
        del m
        gc.collect()
        m = load({str(path)!r}, "so")
        try:
            m["call_named"]("tests.next", 5)
        except ZeroDivisionError:
            print("ok")
    """,
        env={"TVM_NUM_THREADS": str(workers)},
    )


# Once global, a name is everybody's, the runtime's own code included if it is loaded later.
def test_names_exported_before_the_runtime_is_loaded(variant):
    first, second = variant("marks.c", "-DNEEDS_FUNC_CALL"), variant("imports.c")
    output_of(f"""
        import tvmgo
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        load({str(first)!r})
        try:
            load({str(second)!r})
        except tvmgo.TVMError as error:
            assert "of libtvm_runtime, which is not loaded" in str(error)
        else:
            raise AssertionError
        tvmgo._native.locate.load()
        m = load({str(second)!r})
        assert m["use_workspace"]() == 5 and m["parallel"]() >= 1
    """)


def test_runtime_that_others_loaded_for_themselves_only(variant):
    tvmgo._native.locate.load()
    runtime = tvmgo._native.locate.libraries()["tvm_runtime"]
    output_of(f"""
        import ctypes, tvmgo
        ctypes.CDLL({runtime!r})
        assert not hasattr(ctypes.CDLL(None), "TVMBackendParallelLaunch")
        m = tvmgo.load_module({str(variant("imports.c"))!r})
        assert m["use_workspace"]() == 5 and m["parallel"]() >= 1
    """)


def test_the_exported_names_are_all_that_is_exported(variant):
    path = variant("imports.c")
    printed = output_of(f"""
        import ctypes, tvmgo
        world = ctypes.CDLL(None)
        print(*[hasattr(world, name) for name in ("TVMFuncCall", "TVMBackendParallelLaunch")])
        tvmgo.load_module({str(path)!r})
        print(*[hasattr(world, name) for name in (
            "TVMFuncCall", "TVMAPISetLastError", "TVMBackendGetFuncFromEnv", "TVMBackendRunOnce",
            "TVMBackendRegisterSystemLibSymbol", "TVMGoRegisterGraphExecutor", "__TVMFuncCall",
            "__tvm_module_ctx")])
    """)
    assert printed == "True False\nTrue True True True True False False False\n"


def test_system_library_opened_by_others_before_the_runtime_is_loaded(variant):
    path = variant("imports.c", "-DSYSTEM_LIB", "-DWITHOUT_RUNTIME")
    output_of("""
        import ctypes, tvmgo
        assert tvmgo.system_library().kind != "classic_library"
    """)
    output_of(f"""
        import ctypes, tvmgo
        assert "tvm_runtime" not in tvmgo._native.locate.libraries()
        library = ctypes.CDLL({str(path)!r})
        tvmgo.register_function(lambda x: x + 1, "tests.next")
        assert tvmgo.system_library()["call_named"]("tests.next", 5) == 6
    """)


def test_system_library_has_the_functions_of_both_generations(variant, tmp_path):
    classic = variant("imports.c", "-DSYSTEM_LIB", '-DPREFIX="mine_"', "-DWITHOUT_RUNTIME")
    (tmp_path / "modern.c").write_text("""
        #include <tvm/ffi/c_api.h>
        #include <tvm/ffi/extra/c_env_api.h>
        static int seven(void* self, const TVMFFIAny* args, int32_t n, TVMFFIAny* result) {
          result->type_index = kTVMFFIInt;
          result->v_int64 = 7;
          return 0;
        }
        __attribute__((constructor)) static void start_up(void) {
          TVMFFIEnvModRegisterSystemLibSymbol("__tvm_ffi_mine_seven", (void*)seven);
        }
    """)
    modern = compile_library(tmp_path / "modern.c", tmp_path / "modern.so")
    output_of(f"""
        import ctypes, tvmgo
        ctypes.CDLL({str(modern)!r})
        assert tvmgo.system_library("mine_")["seven"]() == 7
        ctypes.CDLL({str(classic)!r})
        module = tvmgo.system_library("mine_")
        assert module["seven"]() == 7 and module["run_once"]() == 1
        assert "seven" not in tvmgo.system_library() and "nothing" not in module
        try:
            tvmgo.system_library(5)
        except TypeError as error:
            assert "prefix" in str(error), error
    """)


def test_system_library_opened_by_others(variant):
    path = variant("imports.c", "-DSYSTEM_LIB", '-DPREFIX="mine_"')
    output_of(f"""
        import ctypes, tvmgo
        tvmgo.system_library()  # anything that needs the runtime
        library = ctypes.CDLL({str(path)!r})
        module = tvmgo.get_global_function("tvmgo.classic_system_library")("mine_")
        tvmgo.register_function(lambda x: x + 1, "tests.next")
        assert module["call_named"]("tests.next", 5) == 6
        assert module["use_workspace"]() == 5
        assert module["mine_use_workspace"]() == 5
        assert "nothing" not in module and "__tvm_module_ctx" not in module
        other = tvmgo.get_global_function("tvmgo.classic_system_library")()
        assert "use_workspace" not in other and other["mine_use_workspace"]() == 5
    """)


# An old TVM in the same process is the one that its own libraries are to find.
def test_names_that_others_export_are_left_to_them(variant, tmp_path):
    (tmp_path / "other.c").write_text("int TVMFuncCall(void) { return 77; }\n")
    other = compile_library(tmp_path / "other.c", tmp_path / "other.so")
    output_of(f"""
        import ctypes
        ctypes.CDLL({str(other)!r}, ctypes.RTLD_GLOBAL)
        import tvmgo
        tvmgo.load_module({str(variant("every.c"))!r})
        world = ctypes.CDLL(None)
        assert world.TVMFuncCall() == 77
        assert not hasattr(world, "TVMBackendRegisterSystemLibSymbol")
    """)


def test_names_are_left_to_an_old_tvm_that_is_installed(variant, tmp_path):
    (tmp_path / "tvm").mkdir()
    (tmp_path / "tvm" / "__init__.py").touch()
    code = """
        import ctypes, tvmgo
        print(hasattr(ctypes.CDLL(None), "TVMFuncCall"))
    """
    assert output_of(code, path=[tmp_path]) == "False\n"
    assert output_of(code) == "True\n"


# With RTLD_GLOBAL the system gives a library's variables to all libraries opened after it.
def test_library_has_its_own_variables_where_another_was_opened_for_all(variant, every_path):
    output_of(f"""
        import ctypes, os, tvmgo
        tvmgo.register_function(lambda x: x + 1, "tests.next")
        others = ctypes.CDLL({str(every_path)!r}, os.RTLD_GLOBAL)
        theirs = [ctypes.c_void_p.in_dll(others, name) for name in
                  ("__tvm_module_ctx", "__TVMFuncCall", "__TVMBackendParallelLaunch")]
        modules = [tvmgo.load_module(path) for path in
                   {[str(variant("every.c", f"-DNUMBER={number}")) for number in range(2)]!r}]
        for module in modules:
            assert module["call_named"]("tests.next", 5) == 6
            assert module["parallel_fill"](tvmgo.empty((1000,), "float32")) >= 1
        assert len({{module["context_id"]() for module in modules}}) == 2
        assert all(pointer.value is None for pointer in theirs)
        assert tvmgo.load_module({str(every_path)!r})["call_named"]("tests.next", 6) == 7
    """)


@pytest.mark.parametrize("system", [False, True])
def test_property_mask_says_serialisable_and_runnable(variant, system):
    module = load(variant("entries.c"))
    if system:
        module = tvmgo.get_global_function("tvmgo.classic_system_library")()
    assert module.kind == "classic_library"
    assert tvmgo.get_global_function("ffi.ModuleGetPropertyMask")(module) == 3


# Start-up code, which registers the names, runs only once while a library is in memory.


def test_registered_names_outlive_the_module(variant):
    path = variant("imports.c", "-DSYSTEM_LIB", "-Wl,-z,nodelete")
    for _ in range(3):
        module = load(path)
        assert module["use_workspace"]() == 5
        del module
        gc.collect()


def test_registered_names_are_found_by_all_threads(variant):
    path = variant("imports.c", "-DSYSTEM_LIB")
    threads, together, results = 4, threading.Barrier(4), []

    def open_and_close():
        for _ in range(300):
            together.wait()
            results.append("use_workspace" in load(path))

    workers = [threading.Thread(target=open_and_close) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == threads * 300 and all(results)
