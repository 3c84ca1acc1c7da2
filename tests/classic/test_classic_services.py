# SPDX-License-Identifier: Apache-2.0
"""What classic libraries ask of the runtime: functions by name, workspace and threads."""

import gc
import threading

import numpy as np
import pytest

import tvmgo
from tests.classic.arrays import aligned, raised
from tests.classic.loading import load_classic
from tests.helpers import output_of, run_python

# ---------------------------------------------------------------- looking functions up


def test_global_function_is_found_once_for_ever(fresh_path, global_name):
    every = load_classic(fresh_path)
    tvmgo.register_function(lambda x: x + 1, global_name)
    assert every["call_cached"](global_name, 1) == 2
    tvmgo.register_function(lambda x: x + 100, global_name, override=True)
    assert every["call_cached"](global_name, 1) == 2
    assert every["call_named"](global_name, 1) == 2  # the library's own memory of it
    tvmgo.remove_global_function(global_name)
    gc.collect()
    assert every["call_cached"](global_name, 1) == 2


def test_missing_function_is_named(every):
    error = raised(every["call_named"], "tests.nowhere")
    assert str(error) == (
        "Cannot find function tests.nowhere in the imported modules or global registry"
    )
    assert str(raised(every["fail_silently"])).startswith("fail_silently failed without")


def test_missing_function_is_found_when_it_comes(fresh_path, global_name):
    every = load_classic(fresh_path)
    raised(every["call_named"], global_name)
    tvmgo.register_function(lambda: 3, global_name)
    assert every["call_named"](global_name) == 3


def test_own_functions_are_not_looked_up(every):
    with pytest.raises(tvmgo.TVMError, match="Cannot find function sum"):
        every["call_named"]("sum")


def test_functions_of_the_runtime_are_found(fresh_path):
    every = load_classic(fresh_path)
    x = tvmgo.array(np.array([[3, 1, 2]], "float32"))
    order = tvmgo.empty((1, 3), "int32")
    tvmgo._native.companions.load_extra()
    every["call_named"]("tvm.contrib.sort.argsort", x, order, 1, True)
    assert np.asarray(order).tolist() == [[1, 2, 0]]


def test_two_modules_of_one_file_share_its_variables(every_path):
    first, second = load_classic(every_path), load_classic(every_path)
    assert repr(first) != repr(second)
    assert first["context_id"]() == second["context_id"]() != 0


def test_library_opened_again_starts_anew(fresh_path, global_name):
    for number in range(3):
        tvmgo.register_function(lambda number=number: number, global_name, override=True)
        module = load_classic(fresh_path)
        assert module["call_cached"](global_name) == number
        del module
        gc.collect()


def test_library_others_keep_open_keeps_its_functions(every_path):
    output_of(f"""
        import ctypes, gc, os, tvmgo
        tvmgo._native.locate.load()
        other = ctypes.CDLL({str(every_path)!r})
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        tvmgo.register_function(lambda: 1, "tests.first")
        assert load({str(every_path)!r})["call_cached"]("tests.first") == 1
        gc.collect()
        tvmgo.register_function(lambda: 2, "tests.first", override=True)
        for path in ({str(every_path)!r}, os.path.relpath({str(every_path)!r})):
            assert load(path)["call_cached"]("tests.first") == 1
            gc.collect()
    """)


# ---------------------------------------------------------------- other languages on the runtime


def test_tvm_ffi_s_python_calls_classic_functions(every_path):
    output_of(f"""
        import numpy as np, tvm_ffi, tvmgo
        every = tvmgo.load_module({str(every_path)!r})
        for name in ("add", "call", "call_named", "return_text", "fail_loudly"):
            tvmgo.register_function(every[name], "tests.classic." + name)
        def find(name):
            return tvm_ffi.get_global_func("tests.classic." + name)
        def tensor(values):
            return tvm_ffi.from_dlpack(tvmgo.array(np.asarray(values, "float32")))

        x, y, out = tensor([1, 2, 3]), tensor([4, 5, 6]), tensor([0, 0, 0])
        find("add")(x, y, out)
        assert np.from_dlpack(out).tolist() == [5, 7, 9]

        seen = []
        def look(t, number, text):
            seen.append((type(t), t.shape, number, text))
            return t
        returned = find("call")(tvm_ffi.convert(look), x, 2.5, "a text of some length")
        [(kind, shape, number, text)] = seen
        assert issubclass(kind, tvm_ffi.Tensor) and tuple(shape) == (3,)
        assert (number, text) == (2.5, "a text of some length")
        np.from_dlpack(returned)[0] = 7
        assert np.from_dlpack(x).tolist() == [7, 2, 3]

        tvm_ffi.register_global_func("tests.theirs", lambda n: n + 1)
        assert find("call_named")("tests.theirs", 41) == 42
        assert find("return_text")() == "on the stack, so copied at once"

        error = ZeroDivisionError("theirs")
        def fail():
            raise error
        for call, words in ((lambda: find("call")(tvm_ffi.convert(fail)), "theirs"),
                            (lambda: find("fail_loudly")(), "num_args == 3")):
            try:
                call()
            except Exception as caught:
                assert words in str(caught), caught
            else:
                raise AssertionError
    """)


# ---------------------------------------------------------------- workspace and threads


@pytest.mark.parametrize("nbytes", [1, 64, 100, 1 << 20])
def test_workspace(every, nbytes):
    assert every["use_workspace"](nbytes) == 6


def test_workspace_on_a_device_that_is_not_there_is_an_error(every):
    error = raised(every["workspace_nowhere"])
    assert "without" not in str(error)
    assert every["use_workspace"](64) == 6


def test_parallel_fill(every):
    out = tvmgo.empty((1000,), "float32")
    assert every["parallel_fill"](out) >= 1
    assert np.asarray(out).tolist() == list(range(1000))


PARALLEL = """
    import numpy as np, tvmgo, threading
    tvmgo._native.locate.load()
    m = tvmgo.get_global_function("tvmgo.load_classic_library")({path!r})
    out = tvmgo.empty((1000,), "float32")
    workers = m["parallel_fill"](out)
    assert np.asarray(out).tolist() == list(range(1000))

    assert m["parallel_barrier"](out) == workers
    total = workers * (workers + 1) / 2
    assert np.asarray(out)[workers:2 * workers].tolist() == [total] * workers

    def message(name, *args):
        try:
            m[name](*args)
        except Exception as error:
            return str(error)
        return "nothing was raised"

    assert message("parallel_fail", 1) == "a task said why"
    silent = "a parallel task failed without an error message (code -1)"
    assert message("parallel_fail", 2) == silent
    assert message("parallel_fail", 7) == silent.replace("-1", "7")
    assert message("fail_silently") == "fail_silently failed without an error message (code -1)"
    m["parallel_fail"](0)

    tvmgo.register_function(lambda t: seen.append((threading.get_ident(), t.shape)), "tests.see")
    seen = []
    m["parallel_call"]("tests.see", out)
    assert len(seen) == workers and {{shape for _, shape in seen}} == {{(1000,)}}

    def fail(t):
        raise ZeroDivisionError("in a worker")
    tvmgo.register_function(fail, "tests.fail")
    for _ in range(3):
        try:
            m["parallel_call"]("tests.fail", out)
        except ZeroDivisionError as error:
            assert str(error) == "in a worker"
        else:
            raise AssertionError
    assert "Cannot find function tests.nowhere" in message("parallel_call", "tests.nowhere", out)
    assert message("parallel_nested") == "nothing was raised"
    if workers > 1:
        assert "number of threads used" in message("parallel_fill", out, 100)
    print(workers)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_parallel_launch(every_path, workers):
    printed = output_of(
        PARALLEL.format(path=str(every_path)), env={"TVM_NUM_THREADS": str(workers)}
    )
    assert printed == f"{workers}\n"


def test_calls_from_many_threads(fresh_path, global_name):
    every = load_classic(fresh_path)
    tvmgo.register_function(lambda x: x + 1, global_name)
    problems = []

    def work(seed):
        try:
            x = tvmgo.array(np.full(16, seed, "float32"))
            out = tvmgo.empty((16,), "float32")
            misaligned = aligned(np.full(16, seed), 4)
            for i in range(200):
                every["add"](x, misaligned, out)
                assert (np.asarray(out) == 2 * seed).all()
                assert every["call_named"](global_name, seed) == seed + 1
                text = f"text {seed} {i} of this thread"
                assert every["identity"](text) == text
                assert str(raised(every["fail_silently"])).startswith("fail_silently failed")
                assert str(raised(every["add"], x)).startswith("Assert fail")
                assert every["two_texts"](lambda: f"[{seed}]") == f"[{seed}]" * 2
        except Exception as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_loading_and_closing_from_many_threads(fresh_path):
    problems = []

    def work():
        try:
            for _ in range(100):
                assert load_classic(fresh_path)["filled"]() == (1 << 10) - 1
        except Exception as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_library_that_needs_the_runtime_is_refused_without_it(every_path):
    done = run_python(f"""
        import tvmgo
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        try:
            load({str(every_path)!r})
        except tvmgo.TVMError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert "it needs TVMBackendAllocWorkspace of libtvm_runtime, which is not loaded" in done.stdout
