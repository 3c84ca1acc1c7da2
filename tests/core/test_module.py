# SPDX-License-Identifier: Apache-2.0
"""Modules: loading files, finding functions, imports, and who keeps whom alive."""

import gc
import os
import pathlib
import shutil

import numpy as np
import pytest

import tvmgo
from tests.helpers import compile_library, output_of


class PathLike:
    def __init__(self, answer):
        self.answer = answer

    def __fspath__(self):
        return self.answer


def import_module(module, other):
    """Make `module` import `other`, as a linker of modules would."""
    tvmgo.get_global_function("ffi.ModuleImportModule")(module, other)


# ---------------------------------------------------------------- load_module


@pytest.mark.parametrize(
    "make",
    [
        str,
        pathlib.Path,
        os.fsencode,
        lambda p: PathLike(str(p)),
        lambda p: PathLike(os.fsencode(p)),
        lambda p: type("Mine", (str,), {})(p),
    ],
    ids=["str", "Path", "bytes", "PathLike", "PathLike bytes", "str subclass"],
)
def test_load_module_takes_every_kind_of_path(kernels_path, make):
    assert tvmgo.load_module(make(kernels_path))["nargs"](1, 2) == 2


@pytest.mark.parametrize("format", [None, "so", "dll", "dylib", "dso"])
def test_load_module_takes_every_word_for_a_shared_library(kernels_path, format):
    assert tvmgo.load_module(kernels_path, format).kind == "library"


@pytest.mark.parametrize("suffix", ["so", "dll", "dylib", "dso"])
def test_load_module_takes_the_format_from_the_name(kernels_path, tmp_path, suffix):
    path = shutil.copy(kernels_path, tmp_path / f"kernels.{suffix}")
    assert tvmgo.load_module(path)["nargs"]() == 0


def test_load_module_with_a_format_ignores_the_name(kernels_path, tmp_path):
    path = shutil.copy(kernels_path, tmp_path / "kernels.model.v1")
    assert tvmgo.load_module(path, "so")["nargs"]() == 0


def test_load_module_takes_arguments_by_keyword(kernels_path):
    assert tvmgo.load_module(path=kernels_path, format="so").kind == "library"


@pytest.mark.parametrize("name", ["kernels.so", "./kernels.so", "../here/kernels.so"])
def test_load_module_finds_a_relative_path_in_the_current_directory(
    kernels_path, tmp_path, monkeypatch, name
):
    (tmp_path / "here").mkdir()
    shutil.copy(kernels_path, tmp_path / "here" / "kernels.so")
    monkeypatch.chdir(tmp_path / "here")
    assert tvmgo.load_module(name)["nargs"]() == 0


def test_load_module_does_not_look_where_the_systems_loader_looks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        tvmgo.load_module("libtvm_ffi.so")


@pytest.mark.parametrize(
    "name",
    ["größer.so", "with space.so", "日本語.so", "a" * 200 + ".so", "%s.so", "sur\udcffrogate.so"],
    ids=lambda name: ascii(name)[:20],
)
def test_load_module_takes_any_file_name(kernels_path, tmp_path, name):
    path = shutil.copy(kernels_path, tmp_path / name)
    assert tvmgo.load_module(path)["nargs"]() == 0


@pytest.mark.parametrize(
    "path", ["no such file.so", "no such directory/kernels.so", "no such file", "nothing.foo"]
)
def test_load_module_of_a_missing_file_raises_file_not_found_error(path):
    with pytest.raises(FileNotFoundError, match=path) as caught:
        tvmgo.load_module(path)
    assert isinstance(caught.value, tvmgo.TVMError)


@pytest.mark.parametrize(
    "path", ["", "\0", "kernels.so\0", "nul\0inside.so", b"", b"a\0b.so", PathLike("")], ids=repr
)
def test_load_module_of_an_impossible_path_raises_value_error(path):
    with pytest.raises(ValueError, match="path: expected the path of a file"):
        tvmgo.load_module(path)


@pytest.mark.parametrize(
    "path",
    [None, 5, 2.5, ["kernels.so"], object(), bytearray(b"kernels.so"), PathLike(5), PathLike(None)],
    ids=lambda x: type(x).__name__,
)
def test_load_module_of_no_path_raises_type_error(path):
    with pytest.raises(TypeError):
        tvmgo.load_module(path)


def test_load_module_without_a_path_raises_type_error():
    with pytest.raises(TypeError):
        tvmgo.load_module()


def test_load_module_of_a_path_that_raises_raises_the_same(kernels_path):
    exception = KeyError("from __fspath__")

    class Failing:
        def __fspath__(self):
            raise exception

    with pytest.raises(KeyError) as caught:
        tvmgo.load_module(Failing())
    assert caught.value is exception


@pytest.mark.parametrize(
    "format",
    ["foo", "SO", "So", " so", "so ", ".so", "größer", "nul\0", "static_library_no", "so\0"],
    ids=repr,
)
def test_load_module_of_an_unknown_format_raises_value_error(kernels_path, format):
    with pytest.raises(ValueError, match="is not registered") as caught:
        tvmgo.load_module(kernels_path, format)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_load_module_of_an_empty_format_takes_it_from_the_path(kernels_path):
    assert tvmgo.load_module(kernels_path, "")["sum_ints"](1, 2) == 3


def test_load_module_of_an_unknown_format_shows_it_and_the_known_ones(kernels_path):
    with pytest.raises(ValueError, match=r"`\.foo`.*so, dll, dylib, dso"):
        tvmgo.load_module(kernels_path, "foo")


@pytest.mark.parametrize(
    "name", ["kernels", "kernels.foo", "kernels.", "kernels.6", ".so", "a.so.b"]
)
def test_load_module_of_a_name_without_a_format_raises_value_error(kernels_path, tmp_path, name):
    path = shutil.copy(kernels_path, tmp_path / name)
    message = f"^path: the name '{name}' .* pass format=\"so\"$"
    with pytest.raises(tvmgo.TVMValueError, match=message):
        tvmgo.load_module(path)
    assert tvmgo.load_module(path, format="so")["nargs"](1) == 1


@pytest.mark.parametrize("name", ["kernels.so.6", "kernels.so.1.2.3"])
def test_load_module_of_a_library_with_a_version_in_its_name(kernels_path, tmp_path, name):
    path = shutil.copy(kernels_path, tmp_path / name)
    assert tvmgo.load_module(path)["nargs"](1, 2) == 2


@pytest.mark.parametrize("format", [5, b"so", ["so"], object()], ids=lambda x: type(x).__name__)
def test_load_module_of_a_format_that_is_no_str_raises_type_error(kernels_path, format):
    with pytest.raises(TypeError, match="format: expected a str"):
        tvmgo.load_module(kernels_path, format)


@pytest.mark.parametrize(
    "contents, reason",
    [
        (b"", "not a shared library"),
        (b"\x7fELF", "too short"),
        (b"short text", "not a shared library"),
        (b"no library at all, only some text\n" * 100, "not a shared library"),
        (b"tvm.contrib.sort.argsort " * 100, "not a shared library"),
        (b"\0" * 5000, "not a shared library"),
    ],
    ids=["empty", "short", "short text", "text", "text that names a function", "zeros"],
)
@pytest.mark.parametrize("format", ["so", "modern", "classic"])
def test_load_module_of_no_library_raises_value_error(tmp_path, contents, reason, format):
    path = tmp_path / "broken.so"
    path.write_bytes(contents)
    with pytest.raises(tvmgo.TVMValueError, match=f"broken.so: .*{reason}"):
        tvmgo.load_module(path, format)


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_load_module_of_a_truncated_library_raises_tvm_error(kernels_path, tmp_path, part):
    data = kernels_path.read_bytes()
    path = tmp_path / "truncated.so"
    path.write_bytes(data[: int(len(data) * part)])
    script = f"""
        import tvmgo
        try:
            tvmgo.load_module({str(path)!r})["nargs"]
        except tvmgo.TVMError as error:
            print("refused")
    """
    if part < 0.5:
        assert output_of(script) == "refused\n"
    else:  # the system's loader does not look at everything; tvmgo must only not hide its answer
        assert output_of(script) in ("refused\n", "")


def test_load_module_of_a_directory_raises_tvm_error(tmp_path):
    (tmp_path / "directory.so").mkdir()
    with pytest.raises(tvmgo.TVMError, match="directory"):
        tvmgo.load_module(tmp_path / "directory.so")


def test_load_module_of_a_dangling_link_raises_file_not_found_error(tmp_path):
    (tmp_path / "link.so").symlink_to(tmp_path / "nowhere.so")
    with pytest.raises(FileNotFoundError):
        tvmgo.load_module(tmp_path / "link.so")


def test_load_module_of_a_library_with_a_missing_symbol_raises_tvm_error_that_names_it(tmp_path):
    (tmp_path / "needy.c").write_text(
        "int not_there_at_all(void);\nint call(void) { return not_there_at_all(); }\n"
    )
    path = compile_library(tmp_path / "needy.c", tmp_path / "needy.so", "-Wl,-z,now")
    with pytest.raises(tvmgo.TVMError, match="not_there_at_all"):
        tvmgo.load_module(path)


def test_load_module_after_a_failure_works(kernels_path, tmp_path):
    path = tmp_path / "later.so"
    path.write_bytes(b"not yet")
    with pytest.raises(tvmgo.TVMError):
        tvmgo.load_module(path)
    os.replace(shutil.copy(kernels_path, tmp_path / "new.so"), path)
    assert tvmgo.load_module(path)["nargs"]() == 0


def test_load_module_twice_gives_two_modules(kernels_path):
    first, second = tvmgo.load_module(kernels_path), tvmgo.load_module(kernels_path)
    assert first != second
    assert first["nargs"](1) == second["nargs"](1) == 1


def test_load_module_of_a_replaced_file_loads_the_new_code(generation_path, tmp_path):
    path = tmp_path / "model.so"
    modules = []
    for number in (1, 2, 3):
        os.replace(shutil.copy(generation_path(number), tmp_path / "new.so"), path)
        modules.append(tvmgo.load_module(path))
    assert [module["generation"]() for module in modules] == [1, 2, 3]


def test_load_module_of_a_link_that_points_elsewhere_now_loads_the_new_code(
    generation_path, tmp_path
):
    link = tmp_path / "current.so"
    answers = []
    for number in (1, 2, 1):
        link.unlink(missing_ok=True)
        link.symlink_to(generation_path(number))
        answers.append(tvmgo.load_module(link)["generation"]())
    assert answers == [1, 2, 1]


def test_load_module_of_a_replaced_file_leaves_no_copy_behind(
    generation_path, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "model.so"
    for number in (1, 2):
        os.replace(shutil.copy(generation_path(number), tmp_path / "new.so"), path)
        assert tvmgo.load_module(path)["generation"]() == number
    assert list((tmp_path / "temporary").iterdir()) == []


def test_load_module_of_a_file_removed_afterwards_goes_on_working(kernels_path, tmp_path):
    path = shutil.copy(kernels_path, tmp_path / "gone.so")
    module = tvmgo.load_module(path)
    os.remove(path)
    assert module["sum_ints"](1, 2) == 3


def test_load_is_load_module():
    from tvmgo.module import load

    assert load is tvmgo.load_module


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
    with pytest.raises(TypeError):
        tvmgo.system_library(prefix)
