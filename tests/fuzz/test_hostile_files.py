# SPDX-License-Identifier: Apache-2.0
"""Files whose lengths are wrong: an error or the same answer as ever, and nothing stays behind.

The system's loader believes what a library says, so whatever it would die of has to be refused
before it sees the file. Crashes are looked for, therefore that happens in a process of its own.
"""

import sys
from pathlib import Path

import pytest

import tvmgo
from tests.blobs import number, numbers, text
from tests.graph.executors import make
from tests.graphs import var
from tests.helpers import resident_bytes, run_python
from tests.libraries import compile_library, compile_with_blob

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

TESTS = Path(__file__).parents[1]
MUCH = 32 << 20  # bytes of memory, for files of a few thousand

TRY_ALL = """
import gc, os, pathlib
import tvmgo
from tests.fuzz.elf_numbers import changes
from tests.helpers import resident_bytes
tvmgo._native.locate.load()
tvmgo._native.library_files._TICK = 0  # nobody else writes to these files
content, path = pathlib.Path({path!r}).read_bytes(), pathlib.Path({path!r} + ".changed.so")

def answer():
    module = tvmgo.load_module(path)
    return {call}

def state():
    gc.collect()
    maps = pathlib.Path("/proc/self/maps").read_text()
    return (tvmgo.live_objects(), sorted(tvmgo.list_global_functions()),
            len(os.listdir("/proc/self/fd")), str(path) in maps)

path.write_bytes(content)
try:
    # The first error with a backtrace reads the debug information of the runtime, once.
    tvmgo.get_global_function("ffi.ArrayGetItem")([1], 5)
except tvmgo.TVMError as error:
    assert error.native_backtrace
expected = answer()
before, memory, refused = state(), resident_bytes(), 0
for what, place, number in changes(content):
    print(what, flush=True)
    path.unlink()  # a new file, in case the old one is still in memory
    path.write_bytes(content[:place] + number + content[place + len(number):])
    try:
        assert answer() == expected
    except (tvmgo.TVMError, KeyError):
        refused += 1
assert state() == before
grown = resident_bytes() - memory
assert grown < {much}, grown
assert refused > 300, refused
print("alive", refused)
"""


# ---------------------------------------------------------------- libraries


@pytest.mark.parametrize(
    "source, options, call",
    [
        ("classic/sources/entries.c", (), "sorted(module.kind)"),
        ("classic/sources/entries.c", ("-Wl,-s",), "sorted(module.kind)"),
        ("classic/sources/entries.c", ("-Wl,-s", "-Wl,--hash-style=sysv"), "sorted(module.kind)"),
        ("kernels/kernels.c", ("-Wl,-s",), "module['nargs'](1, 2, 3)"),
    ],
    ids=["classic", "classic-stripped", "classic-sysv", "modern"],
)
def test_library_with_any_length_changed(tmp_path, source, options, call):
    path = compile_library(TESTS / source, tmp_path / "library.so", *options)
    done = run_python(TRY_ALL.format(path=str(path), call=call, much=MUCH))
    assert done.returncode == 0, f"{done.stdout[-200:]}\n{done.stderr[-2000:]}"


# ---------------------------------------------------------------- modules embedded in today's libraries

LIBRARY = text("_lib")


@pytest.fixture
def load_with_modules(tmp_path):
    """Return a function that loads a library of today with these bytes for its embedded modules."""

    def load(content, format="so"):
        source = TESTS / "fuzz/sources/todays_modules.c"
        return tvmgo.load_module(
            compile_with_blob(source, content, tmp_path / "modules.so"), format
        )

    return load


def test_modules_of_today_s_library_are_loaded(load_with_modules):
    module = load_with_modules(text(numbers([0, 0]) + numbers([]) + LIBRARY))
    assert module.kind == "library" and module.imports == [] and "f" in module


@pytest.mark.parametrize(
    "content, words",
    [
        (number(2**40), "larger than the file"),
        (number(-1), "larger than the file"),
        (text(b""), "rows"),
        (text(number(2**40)), "rows"),
        (text(number(2**61)), "rows"),
        (text(numbers([]) + numbers([])), "rows"),
        (text(numbers([0]) + numbers([])), "rows"),
        (text(numbers([0, 2**30]) + numbers([]) + LIBRARY), "as many rows"),
        (text(numbers([0, 5, 1]) + numbers([1]) + LIBRARY + LIBRARY), "rows that do not go back"),
        (text(numbers([0, 1]) + numbers([7]) + LIBRARY), "imports that are modules"),
        (text(numbers([0, 1]) + numbers([0]) + LIBRARY), "imports itself"),
        (text(numbers([0, 0]) + numbers([]) + number(2**40)), "a module's kind"),
        (text(numbers([0, 0]) + numbers([]) + text("cuda") + number(2**40)), "a module at byte"),
    ],
    ids=lambda x: x if isinstance(x, str) else str(len(x)),
)
def test_wrong_modules_of_today_s_library_are_refused(load_with_modules, content, words):
    with pytest.raises(ValueError, match=f"embedded modules.*{words}"):
        load_with_modules(content)
    with pytest.raises(ValueError, match=f"embedded modules.*{words}"):
        load_with_modules(content, "modern")


# ---------------------------------------------------------------- graphs


@pytest.fixture(scope="module")
def debug_information():
    """Have the runtime read its debug information, which the first backtrace in a process does."""
    with pytest.raises(tvmgo.TVMError) as caught:
        tvmgo.get_global_function("ffi.ArrayGetItem")([1], 5)
    assert caught.value.native_backtrace


@pytest.mark.usefixtures("debug_information")
@pytest.mark.parametrize("length", [2**20, 2**31, 2**40, 2**60, 2**63 - 1])
def test_memory_that_a_graph_claims_is_taken_when_it_is_used(length):
    before = resident_bytes()
    modules = []
    for _ in range(20):
        try:
            modules.append(make([var("x", (length,), "int8")], ["x"]))
        except (tvmgo.TVMError, MemoryError):
            pass
    assert resident_bytes() - before < MUCH
