# SPDX-License-Identifier: Apache-2.0
"""Loading modules: paths, formats, files that are no libraries, and files that are replaced."""

import errno
import os
import pathlib
import shutil

import pytest

import tvmgo
from tests.helpers import name_of, output_of
from tests.libraries import compile_library


class PathLike:
    def __init__(self, answer):
        self.answer = answer

    def __fspath__(self):
        return self.answer


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
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, os.path.abspath(path))


@pytest.mark.parametrize(
    "path", ["", "\0", "kernels.so\0", "nul\0inside.so", b"", b"a\0b.so", PathLike("")], ids=name_of
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


# Instructions

# As LLVM and as Linux call them, where that differs.
LINUX_NAMES = {
    "sse3": "pni", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "lzcnt": "abm", "bmi": "bmi1",
    "avxvnni": "avx_vnni", "avx512vbmi2": "avx512_vbmi2", "avx512vnni": "avx512_vnni",
    "avx512bitalg": "avx512_bitalg", "avx512vpopcntdq": "avx512_vpopcntdq",
    "avx512fp16": "avx512_fp16", "avx512bf16": "avx512_bf16",
}  # fmt: skip
FEATURES = [
    *("ssse3", "movbe", "popcnt", "bmi2", "gfni", "avx", "f16c", "fma", "fma4", "xop", "avx2"),
    *("avx512f", "avx512dq", "avx512ifma", "avx512cd", "avx512bw", "avx512vl", "avx512vbmi"),
    *LINUX_NAMES,
]


def library_for(features, path):
    source = path / "library.c"
    source.write_text(f'const char tvmgo_cpu_features[] = "{features}";\n')
    return compile_library(source, path / "library.so")


@pytest.fixture(scope="module")
def features_of_this_cpu():
    with open("/proc/cpuinfo") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    return {name for name in FEATURES if LINUX_NAMES.get(name, name) in flags}


@pytest.mark.parametrize("feature", FEATURES)
def test_load_module_knows_what_this_cpu_has(feature, features_of_this_cpu, tmp_path):
    path = library_for(f"64bit,{feature},of-the-future", tmp_path)
    if feature in features_of_this_cpu:
        tvmgo.load_module(path)
        return
    with pytest.raises(tvmgo.TVMError, match=f"was compiled for processors with {feature}, which"):
        tvmgo.load_module(path)


def test_load_module_of_a_library_that_needs_nothing(tmp_path):
    tvmgo.load_module(library_for("", tmp_path))
