# SPDX-License-Identifier: Apache-2.0
"""Telling compiled libraries apart, and loading each as what it is."""

import os
import sys
from pathlib import Path

import pytest

import tvmgo
from tests.classic.loading import generation, load
from tests.helpers import output_of
from tests.libraries import compile_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


# ---------------------------------------------------------------- generations


@pytest.mark.parametrize(
    "options, expected",
    [
        ((), "undecided"),
        (("NO_FUNCTION",), "undecided"),
        (("DEFINES_BACKEND",), "undecided"),
        (("DEFINES_MODERN",), "modern"),
        (("DEFINES_MODERN", "DEFINES_FUNC_CALL", "NEEDS_FFI"), "modern"),
        (("DEFINES_MODERN_CONTEXT",), "modern"),
        (("DEFINES_MODERN", "DEFINES_TRANSITIONAL_CONTEXT"), "modern"),
        (("NEEDS_REGISTRATION",), "modern"),
        (("NEEDS_REGISTRATION", "NEEDS_FFI"), "modern"),
        (("DEFINES_TRANSITIONAL_CONTEXT",), "transitional"),
        (("DEFINES_TRANSITIONAL_POINTER",), "transitional"),
        (("NEEDS_FFI",), "transitional"),
        (("NEEDS_FFI", "DEFINES_FUNC_CALL"), "transitional"),
        (("DEFINES_FUNC_CALL",), "classic"),
        (("DEFINES_LAST_ERROR",), "classic"),
        (("DEFINES_MODULE_CONTEXT",), "classic"),
        (("DEFINES_MAIN",), "classic"),
        (("NEEDS_FUNC_CALL",), "classic"),
    ],
    ids=lambda value: "-".join(value).lower() or "nothing" if isinstance(value, tuple) else value,
)
@pytest.mark.parametrize("linker", ["", "-Wl,--hash-style=sysv", "-Wl,--hash-style=gnu", "-Wl,-s"])
def test_generation(compiled, options, expected, linker):
    path = compiled("marks.c", *(f"-D{option}" for option in options), *filter(None, [linker]))
    assert generation(path) == expected


def test_generation_without_section_headers(variant):
    path = Path(variant("marks.c", "-DDEFINES_FUNC_CALL"))
    content = bytearray(path.read_bytes())
    content[40:48] = bytes(8)  # where the section headers are
    content[60:62] = bytes(2)  # how many
    path.write_bytes(content)
    assert generation(path) == "classic"
    assert load(path).kind == "classic_library"


CALLED_BY_GENERATED_CODE = [
    f"TVMFFI{name}"
    for name in (
        "FunctionCall",
        "ErrorSetRaised",
        "ErrorSetRaisedFromCStr",
        "ErrorSetRaisedFromCStrParts",
        "ErrorMoveFromRaised",
        "HandleInitOnce",
        "HandleDeinitOnce",
        "ObjectIncRef",
        "ObjectDecRef",
        "EnvLookupFromImports",
        "EnvModLookupFromImports",
        "EnvRegisterSystemLibSymbol",
        "EnvModRegisterSystemLibSymbol",
    )
]


@pytest.mark.parametrize(
    "names, expected",
    [
        (CALLED_BY_GENERATED_CODE, "transitional"),
        ([*CALLED_BY_GENERATED_CODE, "TVMFFIFunctionSetGlobal"], "modern"),
        (["TVMFuncCall"], "classic"),
        (["TVMAPISetLastError"], "classic"),
        (["TVMBackendGetFuncFromEnv"], "classic"),
        (["TVMBackendRegisterSystemLibSymbol"], "classic"),
        (["TVMBackendAllocWorkspace"], "undecided"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_generation_by_what_a_library_calls(tmp_path, names, expected):
    source = tmp_path / "calls.c"
    source.write_text(
        "".join(f"void {name}(void);\n" for name in names)
        + "void f(void) {\n"
        + "".join(f"  {name}();\n" for name in names)
        + "}\n"
    )
    assert generation(compile_library(source, tmp_path / "calls.so")) == expected


def test_generation_of_what_the_runtime_consists_of():
    tvmgo._native.locate.load()
    for path in tvmgo._native.locate.libraries().values():
        assert generation(path) == "modern"


def test_generation_of_today_s_compiled_library(kernels_path):
    assert generation(kernels_path) == "modern"
    assert load(kernels_path).kind == "library"


# ---------------------------------------------------------------- the dispatcher


@pytest.mark.parametrize(
    "options, kind",
    [
        ((), "classic_library"),
        (("-DNO_FUNCTION",), "library"),
        (("-DDEFINES_MODERN",), "library"),
        (("-DDEFINES_FUNC_CALL",), "classic_library"),
        (("-DDEFINES_BACKEND",), "classic_library"),
    ],
    ids=str,
)
def test_kind_of_the_module(variant, options, kind):
    assert load(variant("marks.c", *options)).kind == kind


def test_generation_can_be_overridden(variant):
    path = variant("marks.c", "-DDEFINES_MODERN")
    assert load(path)["answer"]() == 42
    assert "a_function" not in load(path)
    assert load(path, "classic")["a_function"]() is None
    assert load(path, "modern")["answer"]() == 42
    undecided = variant("marks.c")
    assert load(undecided, "modern").kind == "library"
    assert load(undecided, "classic").kind == "classic_library"


@pytest.mark.parametrize("format", ["classic", "modern"])
def test_formats_of_their_own(variant, format):
    path = variant("marks.c")
    loader = tvmgo.get_global_function(f"ffi.Module.load_from_file.{format}")
    kinds = {"classic": "classic_library", "modern": "library"}
    assert loader(str(path), format).kind == kinds[format]


def test_load_module_takes_either(variant, kernels_path):
    assert tvmgo.load_module(variant("marks.c", "-DDEFINES_FUNC_CALL"))["a_function"]() is None
    assert tvmgo.load_module(kernels_path)["nargs"](1, 2) == 2
    assert tvmgo.load_module(variant("marks.c"), "classic").kind == "classic_library"
    assert tvmgo.load_module(variant("marks.c"), "modern").kind == "library"


@pytest.mark.parametrize("format", ["classic", "modern"])
def test_replaced_file_is_loaded_anew_in_every_format(variant, format):
    first, second = variant("entries.c"), variant("marks.c", "-DDEFINES_MODERN")
    entry = tvmgo.load_module(first, "classic")["get_seen"]
    os.replace(second, first)
    module = tvmgo.load_module(first, format)
    assert ("a_function" in module) == (format == "classic") and "get_seen" not in module
    assert entry() == 0
    os.truncate(first, 1000)
    with pytest.raises(tvmgo.TVMError, match="cut short"):
        tvmgo.load_module(first, format)


def test_tvm_ffi_loads_classic_libraries_too(variant):
    path = variant("entries.c")
    output_of(f"""
        import tvmgo, tvm_ffi
        tvmgo._native.locate.load()
        module = tvm_ffi.load_module({str(path)!r})
        assert module.kind == "classic_library"
        assert module(1, 2) == 102
        assert module.get_function("the_entry")(1) == 101
    """)


def test_path_without_a_slash(variant, monkeypatch):
    path = Path(variant("marks.c", "-DDEFINES_FUNC_CALL"))
    monkeypatch.chdir(path.parent)
    assert load(path.name).kind == "classic_library"


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_is_no_path(path):
    with pytest.raises(TypeError, match="argument 0 .path.*a path"):
        load(path)
