# SPDX-License-Identifier: Apache-2.0
"""Files whose lengths are wrong: an error or the same answer as ever, and nothing stays behind.

The system's loader believes what a library says, so whatever it would die of has to be refused
before it sees the file. Crashes are looked for, therefore that happens in a process of its own.
"""
import sys
from pathlib import Path

import pytest

import tvmgo
from conftest import compile_library
from helpers import resident_bytes, run_python
from test_graph_executor_core import create, document, var

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

HERE = Path(__file__).parent
MUCH = 32 << 20  # bytes of memory, for files of a few thousand

TRY_ALL = """
import gc, os, pathlib
import tvmgo
from elf_numbers import changes
from helpers import resident_bytes
tvmgo.runtime.load()
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
    tvmgo.get_global_function("ffi.ModuleGetKind")("no module")
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


@pytest.mark.parametrize("source, options, call", [
    ("classic/entries.c", (), "sorted(module.kind)"),
    ("classic/entries.c", ("-Wl,-s",), "sorted(module.kind)"),
    ("classic/entries.c", ("-Wl,-s", "-Wl,--hash-style=sysv"), "sorted(module.kind)"),
    ("kernels/kernels.c", ("-Wl,-s",), "module['nargs'](1, 2, 3)"),
], ids=["classic", "classic-stripped", "classic-sysv", "modern"])
def test_library_with_any_length_changed(tmp_path, source, options, call):
    path = compile_library(HERE / source, tmp_path / "library.so", *options)
    done = run_python(TRY_ALL.format(path=str(path), call=call, much=MUCH), path=[HERE])
    assert done.returncode == 0, f"{done.stdout[-200:]}\n{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def debug_information():
    """Have the runtime read its debug information, which the first backtrace in a process does."""
    with pytest.raises(tvmgo.TVMError) as caught:
        tvmgo.get_global_function("ffi.ModuleGetKind")("no module")
    assert caught.value.native_backtrace


@pytest.mark.usefixtures("debug_information")
@pytest.mark.parametrize("length", [2**20, 2**31, 2**40, 2**60, 2**63 - 1])
def test_memory_that_a_graph_claims_is_taken_when_it_is_used(length):
    before = resident_bytes()
    modules = []
    for _ in range(20):
        try:
            modules.append(create(document([var("x", (length,), "int8")], ["x"])))
        except (tvmgo.TVMError, MemoryError):
            pass
    assert resident_bytes() - before < MUCH
