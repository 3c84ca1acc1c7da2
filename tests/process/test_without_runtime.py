# SPDX-License-Identifier: Apache-2.0
"""What works in an environment without TVM's runtime, and what says that it is missing."""

import json

import pytest

from tests.process.environments import in_bare


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
