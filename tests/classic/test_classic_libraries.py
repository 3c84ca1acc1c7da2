# SPDX-License-Identifier: Apache-2.0
"""Telling compiled libraries apart, and loading classic ones: what works and what says why not."""

import gc
import os
import random
import shutil
import struct
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.helpers import compile_library, output_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Return a function that compiles one of the sources with some macros defined, once."""
    directory = tmp_path_factory.mktemp("libraries")
    made = {}

    def compile_variant(source, *options):
        key = (source, *options)
        if key not in made:
            made[key] = compile_library(SOURCES / source, directory / f"{len(made)}.so", *options)
        return made[key]

    return compile_variant


@pytest.fixture
def variant(compiled, tmp_path):
    """Return a function that gives a file of its own of such a library."""

    def copy(source, *options):
        return shutil.copy2(compiled(source, *options), tmp_path)

    return copy


def generation(path):
    return tvmgo.get_global_function("tvmgo.library_generation")(str(path))


def load(path, format="so"):
    """Load by the function that all users of the runtime load shared libraries with."""
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("ffi.Module.load_from_file.so")(str(path), format)


def load_classic(path):
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("tvmgo.load_classic_library")(str(path))


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


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("loader", [load, load_classic])
def test_library_of_tvm_0_21_is_refused(variant, loader):
    with pytest.raises(ValueError, match="compiled by TVM 0.21.*compile the model again"):
        loader(variant("marks.c", "-DNEEDS_FFI"))


@pytest.mark.parametrize(
    "option, reason",
    [
        ("NEEDS_OLD_C_API", "it needs TVMArrayAlloc of the C API of TVM up to 0.20"),
        (
            "NEEDS_OLD_CXX",
            "C.. code compiled against the headers of an old TVM.*_ZN3tvm7runtime8Reg",
        ),
        ("NEEDS_SOMETHING_ELSE", "undefined symbol: a_function_of_nowhere"),
    ],
)
def test_library_with_missing_functions_is_refused(variant, option, reason):
    with pytest.raises(tvmgo.TVMError, match=reason):
        load(variant("marks.c", f"-D{option}"))


def test_variables_that_cannot_be_filled_are_left_alone(variant):
    module = load_classic(variant("marks.c", "-DCONSTANT_VARIABLES"))
    assert module["a_function"]() is None


def test_variable_that_is_not_the_only_name_of_its_place(variant):
    path = variant("marks.c", "-DLABELLED_VARIABLE")
    output_of(f"""
        import tvmgo
        module = tvmgo.load_module({str(path)!r})
        try:
            module["complain"]()
        except tvmgo.TVMError as error:
            assert str(error) == "filled"
    """)


def elf(machine=62, bits=64, order="<", kind=3):
    """A well-formed library for some machine that defines `__TVMFuncCall`."""
    word = "Q" if bits == 64 else "I"
    strings = b"\0__TVMFuncCall\0"
    symbol = "<IBBHQQ" if bits == 64 else "<IIIBBH"
    symbol = symbol.replace("<", order)
    header_size, program_size = (64, 56) if bits == 64 else (52, 32)
    base = header_size + 2 * program_size
    if bits == 64:
        symbols = bytes(24) + struct.pack(symbol, 1, 0x11, 0, 5, 0, 8)
    else:
        symbols = bytes(16) + struct.pack(symbol, 1, 0, 8, 0x11, 0, 5)
    hashes = struct.pack(order + "IIIII", 1, 2, 1, 0, 0)
    names_at, symbols_at = base, base + len(strings)
    hashes_at = symbols_at + len(symbols)
    dynamic_at = hashes_at + len(hashes)
    tags = [
        (5, names_at),
        (10, len(strings)),
        (6, symbols_at),
        (11, len(symbols) // 2),
        (4, hashes_at),
        (0, 0),
    ]
    dynamic = b"".join(struct.pack(order + 2 * word, *tag) for tag in tags)
    total = dynamic_at + len(dynamic)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        order + "HHI" + 3 * word + "IHHHHHH",
        kind,
        machine,
        1,
        0,
        header_size,
        0,
        0,
        header_size,
        program_size,
        2,
        0,
        0,
        0,
    )

    def program(type, at, size):
        if bits == 64:
            return struct.pack(order + "IIQQQQQQ", type, 6, at, at, at, size, size, 8)
        return struct.pack(order + "IIIIIIII", type, at, at, at, size, size, 6, 8)

    return (
        header
        + program(1, 0, total)
        + program(2, dynamic_at, len(dynamic))
        + strings
        + symbols
        + hashes
        + dynamic
    )


@pytest.mark.parametrize(
    "machine, bits, order, words",
    [
        (183, 64, "<", "AArch64 .64 bits, little-endian"),
        (40, 32, "<", "ARM .32 bits, little-endian"),
        (3, 32, "<", "i386 .32 bits"),
        (22, 64, ">", "S390 .64 bits, big-endian"),
        (20, 32, ">", "PowerPC .32 bits, big-endian"),
        (243, 64, "<", "RISC-V"),
        (9999, 64, "<", "machine number 9999"),
        (62, 32, "<", "x86-64 .32 bits"),
        (62, 64, ">", "x86-64 .64 bits, big-endian"),
    ],
)
def test_library_for_another_machine(tmp_path, machine, bits, order, words):
    path = tmp_path / "foreign.so"
    path.write_bytes(elf(machine, bits, order))
    assert generation(path) == "classic"
    for loader in (load, load_classic):
        with pytest.raises(ValueError, match=f"it was built for {words}.*, and this process is"):
            loader(path)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"MZ" + bytes(200), "PE file, a library for Windows"),
        (b"\xcf\xfa\xed\xfe" + bytes(200), "Mach-O"),
        (b"\xca\xfe\xba\xbe" + bytes(200), "Mach-O"),
    ],
)
def test_library_for_another_system(tmp_path, content, words):
    path = tmp_path / "foreign.so"
    path.write_bytes(content)
    for loader in (load, load_classic):
        with pytest.raises(ValueError, match=words):
            loader(path)
    with pytest.raises(ValueError, match="not a shared library"):
        generation(path)


@pytest.mark.parametrize("content", [b"", b"\x7fEL", b"just text " * 100])
def test_what_is_no_library(tmp_path, content):
    path = tmp_path / "text.so"
    path.write_bytes(content)
    for loader in (load, load_classic, generation):
        with pytest.raises(ValueError, match="text.so: it is not a shared library of ELF"):
            loader(path)


def test_missing_file_and_folder(tmp_path):
    for path, error in ((tmp_path / "missing.so", FileNotFoundError), (tmp_path, ValueError)):
        with pytest.raises(tvmgo.TVMError):
            load(path)
        for loader in (load_classic, generation):
            with pytest.raises(error) as caught:
                loader(path)
            assert isinstance(caught.value, tvmgo.TVMError)


def test_executable_is_refused(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(elf(kind=2))
    with pytest.raises(ValueError, match="not a shared library"):
        load(path)


# ---------------------------------------------------------------- hostile files


def test_library_cut_short_at_any_byte(variant):
    path = variant("entries.c", "-Wl,-s")
    tvmgo._native.locate.load()
    loader = tvmgo.get_global_function("ffi.Module.load_from_file.so")
    for size in reversed(range(os.path.getsize(path))):
        os.truncate(path, size)
        with pytest.raises(tvmgo.TVMError):
            loader(str(path), "so")


def test_small_library_cut_short_at_any_byte(tmp_path):
    path = tmp_path / "cut.so"
    content = elf()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError):
            generation(path)
    path.write_bytes(content)
    assert generation(path) == "classic"


def test_place_in_the_file_of_what_is_made_read_only_does_not_matter(variant):
    # LLVM BOLT moves code about and leaves there what no longer fits.
    path = Path(variant("every.c"))
    content = bytearray(path.read_bytes())
    for at in range(64, 64 + 56 * content[56], 56):
        if content[at : at + 4] == bytes.fromhex("52e57464"):  # PT_GNU_RELRO
            content[at + 8 : at + 16] = struct.pack("<Q", 2**40)  # p_offset
            content[at + 32 : at + 40] = struct.pack("<Q", 2**40)  # p_filesz
            break
    else:
        pytest.skip("the linker made no such part")
    path.write_bytes(content)
    assert generation(path) == "classic"
    assert load(path).kind == "classic_library"


@pytest.mark.parametrize("bits, order", [(64, "<"), (32, "<"), (64, ">"), (32, ">")])
def test_every_byte_of_the_headers_changed(tmp_path, bits, order):
    path = tmp_path / "changed.so"
    content = elf(bits=bits, order=order)
    for at in range(4, len(content)):
        for value in (0, 1, 2, 0x7F, 0x80, 0xFF, content[at] ^ 1, (content[at] + 1) % 256):
            changed = bytearray(content)
            changed[at] = value
            path.write_bytes(changed)
            try:
                assert generation(path) in ("classic", "undecided", "modern", "transitional")
            except ValueError:
                pass


SEGMENT = {"type": 0, "offset": 8, "address": 16, "file size": 32, "memory size": 40}


@pytest.mark.parametrize(
    "segment, field, value, words",
    [
        (0, "file size", 2**20, "reaches beyond the end of the file, which was cut short"),
        (0, "memory size", 64, "larger in the file than in memory"),
        (0, "memory size", 2**63, "reaches beyond the end of memory"),
        (0, "address", 2**63, "reaches beyond the end of memory"),
        (1, "type", 1, "overlap or are out of order"),
        (1, "offset", 64, "lies elsewhere in memory than in the file"),
        (1, "address", 2**20, "lies outside all segments"),
        (1, "memory size", 2**20, "lies outside those that are loaded"),
    ],
    ids=str,
)
def test_segment_that_does_not_fit(tmp_path, segment, field, value, words):
    path = tmp_path / "changed.so"
    content = bytearray(elf())
    at = 64 + 56 * segment + SEGMENT[field]
    size = 4 if field == "type" else 8
    content[at : at + size] = value.to_bytes(size, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        generation(path)


def test_random_changes_of_a_real_library(variant, tmp_path):
    content = Path(variant("every.c", "-Wl,-s")).read_bytes()
    path = tmp_path / "changed.so"
    numbers = random.Random(1)
    interesting = [0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, len(content), len(content) + 1]
    for _ in range(3000):
        changed = bytearray(content)
        for _ in range(numbers.choice([1, 1, 2, 8])):
            at = numbers.randrange(4, min(len(content), 0x1000) - 8)
            size = numbers.choice([1, 2, 4, 8])
            value = numbers.choice([numbers.choice(interesting), numbers.getrandbits(64)])
            changed[at : at + size] = (value % 256**size).to_bytes(size, "little")
        path.write_bytes(changed)
        try:
            generation(path)
        except ValueError:
            pass


def test_symbols_that_all_have_one_long_name_take_no_time(tmp_path):
    # 20000 symbols whose names overlap in a string of a megabyte.
    names, count = 1 << 20, 20000
    strings = b"\0" + b"x" * names + b"\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 5, 0, 8) * count
    hashes = struct.pack("<II", 0, count + 1)
    base = 64 + 2 * 56
    at = [base, base + len(strings), base + len(strings) + len(symbols)]
    dynamic_at = at[2] + len(hashes)
    tags = [(5, at[0]), (10, len(strings)), (6, at[1]), (11, 24), (4, at[2]), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    # The hash table claims chains which the file must have as well.
    padding = bytes(4 * (count + 1))
    total = dynamic_at + len(dynamic) + len(padding)
    header = elf()[:64]
    programs = struct.pack("<IIQQQQQQ", 1, 6, 0, 0, 0, total, total, 8) + struct.pack(
        "<IIQQQQQQ", 2, 6, dynamic_at, dynamic_at, dynamic_at, len(dynamic), len(dynamic), 8
    )
    path = tmp_path / "names.so"
    path.write_bytes(header + programs + strings + symbols + hashes + dynamic + padding)
    assert generation(path) == "undecided"


# ---------------------------------------------------------------- entry functions


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-DENTRY_IS_FUNCTION",),
        ("-DENTRY_IS_CALLED_MAIN", "-Wno-main"),
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
        if {workers} > 1:
            assert "nothing was raised" != message("parallel_nested") != "a task said why"
            assert "nothing was raised" != message("parallel", 100)
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
        tvmgo._native.locate.load()
        world = ctypes.CDLL(None)
        print(hasattr(world, "TVMFuncCall"))
        tvmgo.get_global_function("tvmgo.load_classic_library")({str(path)!r})
        print(*[hasattr(world, name) for name in (
            "TVMFuncCall", "TVMAPISetLastError", "TVMBackendGetFuncFromEnv", "TVMBackendRunOnce",
            "TVMBackendRegisterSystemLibSymbol", "TVMGoRegisterGraphExecutor", "__TVMFuncCall",
            "__tvm_module_ctx")])
    """)
    assert printed == "False\nTrue True True True True False False False\n"


def test_system_library_opened_by_others(variant):
    path = variant("imports.c", "-DSYSTEM_LIB", '-DPREFIX="mine_"')
    helper = variant("marks.c", "-DNEEDS_FUNC_CALL")
    output_of(f"""
        import ctypes, tvmgo
        tvmgo._native.locate.load()
        load = tvmgo.get_global_function("tvmgo.load_classic_library")
        load({str(helper)!r})  # makes the C names visible
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


# ---------------------------------------------------------------- a graph over a classic library


def network_graph():
    shapes = [[1, 12, 10, 3], [101, 3], [101], [1, 1, 1, 3], [1, 3], [1, 101], [1, 101]]
    import json

    def operator(name, function, inputs):
        return {
            "op": "tvm_op",
            "name": name,
            "inputs": [[i, 0, 0] for i in inputs],
            "attrs": {
                "func_name": function,
                "num_inputs": str(len(inputs)),
                "num_outputs": "1",
                "flatten_data": "0",
            },
        }

    nodes = [{"op": "null", "name": name, "inputs": []} for name in ("image", "w", "b")]
    nodes += [
        operator("pool", "mean_of_channels", [0]),
        operator("flat", "__nop", [3]),
        operator("dense", "weigh", [4, 1, 2]),
        operator("head", "normalise_squares", [5]),
    ]
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": [0, 1, 2],
            "heads": [[6, 0, 0]],
            "node_row_ptr": list(range(8)),
            "attrs": {
                "shape": ["list_shape", shapes],
                "dltype": ["list_str", ["float32"] * 7],
                "storage_id": ["list_int", [0, 1, 2, 3, 3, 4, 5]],
                "device_index": ["list_int", [1] * 7],
            },
        }
    )


def network_result(image, w, b):
    """The same in NumPy, single precision, in the same order."""
    f = np.float32
    pixels = image.reshape(-1, 3)
    mean = np.zeros(3, f)
    for row in pixels:
        mean = mean + row
    mean = mean / f(len(pixels))
    y = b.copy()
    for k in range(3):
        y = y + mean[k] * w[:, k]
    total = f(0)
    for value in y:
        total = total + value * value
    return y * y / total


def test_network_bit_for_bit(compiled, tmp_path):
    module = load(shutil.copy2(compiled("network.c", "-O2", "-ffp-contract=off"), tmp_path))
    assert module.kind == "classic_library"
    numbers = np.random.default_rng(3)
    image = numbers.random((1, 12, 10, 3), "float32")
    w = numbers.random((101, 3), "float32") - np.float32(0.5)
    b = numbers.random(101, "float32")
    executor = tvmgo.get_global_function("tvm.graph_executor.create")(network_graph(), module, 1, 0)
    for name, value in (("image", image), ("w", w), ("b", b)):
        executor["set_input"](name, tvmgo.array(value))
    executor["run"]()
    result = np.asarray(executor["get_output"](0)).reshape(-1)
    assert result.tobytes() == network_result(image, w, b).tobytes()


def test_one_executor_per_thread(compiled, tmp_path):
    module = load(shutil.copy2(compiled("network.c", "-O2", "-ffp-contract=off"), tmp_path))
    create = tvmgo.get_global_function("tvm.graph_executor.create")
    problems = []

    def work(seed):
        numbers = np.random.default_rng(seed)
        inputs = [numbers.random(shape, "float32") for shape in ((1, 12, 10, 3), (101, 3), (101,))]
        expected = network_result(*inputs).tobytes()
        executor = create(network_graph(), module, 1, 0)
        for index, value in enumerate(inputs):
            executor["set_input"](index, tvmgo.array(value))
        for _ in range(50):
            executor["run"]()
            if np.asarray(executor["get_output"](0)).tobytes() != expected:
                problems.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    gc.collect()
