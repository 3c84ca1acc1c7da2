# SPDX-License-Identifier: Apache-2.0
"""Modules: finding functions, imports, and who keeps whom alive."""

import gc
import os
import shutil

import numpy as np
import pytest

import tvmgo


def import_module(module, other):
    """Make `module` import `other`, as a linker of modules would."""
    tvmgo.get_global_function("ffi.ModuleImportModule")(module, other)


# ---------------------------------------------------------------- functions of a module


def test_get_function_finds_it(kernels):
    assert type(kernels.get_function("nargs")) is tvmgo.Function
    assert kernels.get_function("nargs")(1) == 1


@pytest.mark.parametrize("query", [True, False, 1, 0, None], ids=repr)
def test_get_function_finds_its_own_with_and_without_imports(kernels, query):
    assert kernels.get_function("nargs", query)() == 0
    assert kernels.get_function("nargs", query_imports=query)() == 0


def test_item_is_the_function(kernels):
    assert kernels["sum_ints"](1, 2) == 3


@pytest.mark.parametrize(
    "name",
    [
        "no such function",
        "",
        "nargs\0",
        "\0",
        "größer",
        "__tvm_ffi_nargs",
        "malloc",
        "\udcff",
        "x" * 10_000,
        "nargs ",
    ],
    ids=lambda name: ascii(name)[:20],
)
@pytest.mark.parametrize(
    "get",
    [
        lambda m, name: m[name],
        lambda m, name: m.get_function(name),
        lambda m, name: m.get_function(name, False),
    ],
    ids=["item", "method", "no imports"],
)
def test_missing_function_raises_key_and_attribute_error(kernels, get, name):
    with pytest.raises(tvmgo.TVMFunctionNotFoundError, match="has no function") as caught:
        get(kernels, name)
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_missing_function_error_names_it(kernels):
    with pytest.raises(KeyError, match="the library module has no function 'nowhere'"):
        kernels["nowhere"]


@pytest.mark.parametrize(
    "name", [None, 5, b"nargs", ("nargs",), object()], ids=lambda x: type(x).__name__
)
@pytest.mark.parametrize(
    "get",
    [lambda m, name: m[name], lambda m, name: m.get_function(name), lambda m, name: name in m],
    ids=["item", "method", "in"],
)
def test_name_that_is_no_str_raises_type_error(kernels, get, name):
    with pytest.raises(TypeError, match="name: expected a str"):
        get(kernels, name)


@pytest.mark.parametrize(
    "name, there",
    [("nargs", True), ("myadd", True), ("nowhere", False), ("", False), ("nargs\0", False)],
    ids=repr,
)
def test_in_tells_whether_there_is_such_a_function(kernels, name, there):
    assert (name in kernels) is there


def test_calling_a_module_calls_its_main_function(kernels):
    assert kernels(1, 2) == 44


def test_calling_a_module_without_main_raises_function_not_found(generation_path):
    with pytest.raises(tvmgo.TVMFunctionNotFoundError, match="main"):
        tvmgo.load_module(generation_path(1))()


def test_kind_of_a_library_is_library(kernels):
    assert kernels.kind == "library"


def test_repr_tells_the_kind(kernels):
    assert repr(kernels).startswith("<tvmgo.Module library at 0x")


def test_module_does_not_iterate(kernels):
    with pytest.raises(TypeError):
        list(kernels)


@pytest.mark.parametrize("attribute", ["kind", "imports"])
def test_setting_an_attribute_raises(kernels, attribute):
    with pytest.raises(AttributeError):
        setattr(kernels, attribute, 1)


# ---------------------------------------------------------------- imports


def test_imports_of_a_plain_library_are_none(kernels):
    assert kernels.imports == []


def test_imports_are_modules(kernels_path, generation_path):
    module, other = tvmgo.load_module(kernels_path), tvmgo.load_module(generation_path(1))
    import_module(module, other)
    assert module.imports == [other]
    assert type(module.imports[0]) is tvmgo.Module


def test_imports_result_is_a_copy(kernels_path, generation_path):
    module = tvmgo.load_module(kernels_path)
    import_module(module, tvmgo.load_module(generation_path(1)))
    module.imports.clear()
    assert len(module.imports) == 1


def test_get_function_looks_into_imports_unless_told_not_to(kernels_path, generation_path):
    module = tvmgo.load_module(kernels_path)
    import_module(module, tvmgo.load_module(generation_path(3)))
    assert module["generation"]() == 3
    assert "generation" in module
    with pytest.raises(tvmgo.TVMFunctionNotFoundError):
        module.get_function("generation", query_imports=False)


def test_get_function_looks_into_imports_of_imports(kernels_path, generation_path):
    module, between = tvmgo.load_module(kernels_path), tvmgo.load_module(kernels_path)
    import_module(between, tvmgo.load_module(generation_path(3)))
    import_module(module, between)
    assert module["generation"]() == 3


def test_get_function_prefers_its_own_then_the_first_import(kernels_path, generation_path):
    module = tvmgo.load_module(kernels_path)
    import_module(module, tvmgo.load_module(generation_path(3)))
    import_module(module, tvmgo.load_module(generation_path(4)))
    assert module["generation"]() == 3


# ---------------------------------------------------------------- lifetime


def test_function_outlives_its_module(kernels_path):
    function = tvmgo.load_module(kernels_path)["sum_ints"]
    gc.collect()
    assert function(1, 2) == 3


def test_function_outlives_its_module_of_a_replaced_file(generation_path, tmp_path):
    path = tmp_path / "model.so"
    functions = []
    for number in (1, 2):
        os.replace(shutil.copy(generation_path(number), tmp_path / "new.so"), path)
        functions.append(tvmgo.load_module(path)["generation"])
        gc.collect()
    os.remove(path)
    assert [function() for function in functions] == [1, 2]


def test_function_of_an_import_outlives_both_modules(kernels_path, generation_path):
    module = tvmgo.load_module(kernels_path)
    import_module(module, tvmgo.load_module(generation_path(3)))
    function = module["generation"]
    del module
    gc.collect()
    assert function() == 3


def test_module_passed_through_functions_is_the_same(kernels):
    identity = tvmgo.convert_function(lambda module: module)
    assert type(identity(kernels)) is tvmgo.Module
    assert identity(kernels) == kernels
    assert identity(kernels)["nargs"]() == 0


def test_myadd_of_three_arrays_adds(kernels):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 4), np.float32)
    out = tvmgo.empty(4)
    assert kernels["myadd"](tvmgo.array(x), tvmgo.array(y), out) is None
    assert out.numpy().tolist() == (x + y).tolist()


# ---------------------------------------------------------------- the program's own functions


def test_system_library_is_a_module():
    assert type(tvmgo.system_library()) is tvmgo.Module


def test_system_library_has_no_functions_here():
    assert "nargs" not in tvmgo.system_library()


def test_system_library_with_a_prefix_is_a_module():
    assert type(tvmgo.system_library("prefix_")) is tvmgo.Module
    assert type(tvmgo.system_library(prefix="prefix_")) is tvmgo.Module


@pytest.mark.parametrize("prefix", [5, b"prefix", object()], ids=lambda x: type(x).__name__)
def test_system_library_with_a_prefix_that_is_no_str_raises_type_error(prefix):
    with pytest.raises(tvmgo.TVMTypeError, match="^prefix: expected a str, got "):
        tvmgo.system_library(prefix)
