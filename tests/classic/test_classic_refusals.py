# SPDX-License-Identifier: Apache-2.0
"""Libraries that cannot be loaded, damaged ones among them: each error says why."""

import os
import random
import struct
import sys
from pathlib import Path

import pytest

import tvmgo
from tests.classic.loading import generation, load, load_classic
from tests.helpers import output_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


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
