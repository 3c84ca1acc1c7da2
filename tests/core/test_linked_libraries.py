# SPDX-License-Identifier: Apache-2.0
"""Object files and archives of them, which are linked to a library when they are loaded."""

import io
import os
import shutil
import subprocess
import sys
import tarfile

import pytest

import tvmgo
from tests.libraries import compile_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the object files are ELF files")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """Return a function that gives the object file of a function that returns a number."""
    folder = tmp_path_factory.mktemp("objects")

    def compile_object(number, name):
        source = folder / f"{name}.c"
        source.write_text(f"""
            #include <tvm/ffi/c_api.h>
            int __tvm_ffi_{name}(void* self, const TVMFFIAny* args, int32_t num_args,
                                 TVMFFIAny* result) {{
              result->type_index = kTVMFFIInt;
              result->v_int64 = {number};
              return 0;
            }}
        """)
        return compile_library(
            source, folder / f"{name}.o", "-c", "-Wno-unused-command-line-argument"
        )

    return compile_object


def write_tar(path, members, mode="w"):
    """Write an archive of (name, content) pairs, whatever the names are."""
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["lib0.o", "lib0.obj", "lib0.so", "lib0"])
@pytest.mark.parametrize("format", [None, "so", "o"])
def test_object_file(objects, tmp_path, name, format):
    path = shutil.copy(objects(1, "one"), tmp_path / name)
    if name == "lib0" and format is None:
        with pytest.raises(ValueError, match="does not tell the format"):
            tvmgo.load_module(path)
        return
    module = tvmgo.load_module(path, format)
    assert module.kind == "library" and module["one"]() == 1
    assert os.listdir(tmp_path) == [name]


def test_classic_object_file(tmp_path):
    (tmp_path / "lib0.c").write_text("""
        void* __tvm_module_ctx;
        int get(void* args, int* codes, int n, long* result, int* code, void* resource) {
          *result = 5; *code = 0; return 0;
        }
    """)
    subprocess.run(
        ["cc", "-c", "-fPIC", "-o", tmp_path / "lib0.o", tmp_path / "lib0.c"], check=True
    )
    module = tvmgo.load_module(tmp_path / "lib0.o")
    assert module.kind == "classic_library" and module["get"]() == 5
    assert tvmgo.load_module(tmp_path / "lib0.o", "classic")["get"]() == 5


@pytest.mark.parametrize(
    "name, mode",
    [
        ("deploy.tar", "w"),
        ("deploy.tar", "w:gz"),
        ("deploy.tar.gz", "w:gz"),
        ("deploy.tgz", "w:gz"),
    ],
)
@pytest.mark.parametrize("format", [None, "tar", "so"])
def test_archive_of_several_objects(objects, tmp_path, name, mode, format):
    members = [
        ("./lib0.o", objects(1, "one").read_bytes()),
        ("folder/lib0.o", objects(2, "two").read_bytes()),  # one name in two folders
        ("metadata.json", b"{}"),
    ]
    module = tvmgo.load_module(write_tar(tmp_path / name, members, mode), format)
    assert [module[function]() for function in ("one", "two")] == [1, 2]
    assert os.listdir(tmp_path) == [name]


def test_archive_under_a_librarys_name(objects, tmp_path):
    path = write_tar(tmp_path / "deploy.so", [("lib0.o", objects(1, "one").read_bytes())])
    assert tvmgo.load_module(path)["one"]() == 1


def test_archive_with_hostile_names(objects, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    names = [
        "../escaped.o",
        f"{tmp_path}/absolute.o",
        "-o evil.o",
        "$(touch evil).o",
        "@evil",
        "\\n.o",
    ]
    members = [
        (name, objects(number, f"f{number}").read_bytes()) for number, name in enumerate(names)
    ]
    path = write_tar(tmp_path / "here" / "deploy.tar", members)
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("link.o")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    module = tvmgo.load_module(path)
    assert [module[f"f{number}"]() for number in range(len(names))] == list(range(len(names)))
    assert os.listdir(tmp_path) == ["here"] and os.listdir() == ["deploy.tar"]


def test_archive_of_the_linker(objects, tmp_path):
    subprocess.run(
        ["ar", "rc", tmp_path / "lib.a", objects(1, "one"), objects(2, "two")], check=True
    )
    module = tvmgo.load_module(tmp_path / "lib.a")
    assert [module[function]() for function in ("one", "two")] == [1, 2]
    inside = write_tar(tmp_path / "deploy.tar", [("lib.a", (tmp_path / "lib.a").read_bytes())])
    assert tvmgo.load_module(inside)["two"]() == 2


def test_archive_with_a_source(objects, tmp_path):
    # As the parts of a library that TVM writes in C.
    source = b"int helper(void) { return 1; }\n"
    members = [("devc.c", source), ("lib0.o", objects(1, "one").read_bytes())]
    assert tvmgo.load_module(write_tar(tmp_path / "deploy.tar", members))["one"]() == 1
    members = [("lib0.c", b'#include "tvm/nowhere.h"\n')]
    with pytest.raises(tvmgo.TVMError, match="(?s)cannot be linked: .*tvm/nowhere.h"):
        tvmgo.load_module(write_tar(tmp_path / "source.tar", members))


@pytest.mark.parametrize(
    "members, message",
    [
        ([], "holds no object file; expected"),
        ([("a.json", b"{}")], "holds no object file, only 'a.json'; expected"),
        (
            [("deploy.so", b"\x7fELF" + bytes(60))],
            "holds no .*, only 'deploy.so'; unpack it, and load the",
        ),
    ],
    ids=["empty", "json", "library"],
)
def test_archive_without_objects_is_refused(tmp_path, members, message):
    with pytest.raises(ValueError, match=f"path: .*deploy.tar' {message}"):
        tvmgo.load_module(write_tar(tmp_path / "deploy.tar", members))


@pytest.mark.parametrize("content", [b"no archive at all" * 100, b"\x1f\x8b broken", b"x"])
def test_damaged_archive_is_refused(tmp_path, content):
    (tmp_path / "deploy.tar").write_bytes(content)
    with pytest.raises(ValueError, match="is no readable tar archive"):
        tvmgo.load_module(tmp_path / "deploy.tar")


def test_archive_cut_short_is_refused(objects, tmp_path):
    path = write_tar(tmp_path / "deploy.tar", [("lib0.o", objects(1, "one").read_bytes())])
    os.truncate(path, 1000)
    with pytest.raises(tvmgo.TVMError, match="deploy.tar"):
        tvmgo.load_module(path)


@pytest.mark.parametrize("in_archive", [False, True])
def test_object_for_another_processor_is_refused(objects, tmp_path, in_archive):
    content = bytearray(objects(1, "one").read_bytes())
    content[18:20] = (183).to_bytes(2, "little")  # AArch64
    path = tmp_path / "lib0.o"
    path.write_bytes(content)
    if in_archive:
        path = write_tar(tmp_path / "deploy.tar", [("lib0.o", bytes(content))])
    with pytest.raises(ValueError, match="another processor .ELF machine 183, this process is 62"):
        tvmgo.load_module(path)


def test_object_that_is_damaged_is_refused(tmp_path):
    path = tmp_path / "lib0.o"
    path.write_bytes(b"\x7fELF\2\1\1" + bytes(9) + b"\1\0\x3e\0" + bytes(500))
    with pytest.raises(tvmgo.TVMError, match="lib0.o' cannot be linked: "):
        tvmgo.load_module(path)
    path.write_bytes(b"")
    with pytest.raises(
        ValueError, match='is no object file; for a shared library, pass format="so'
    ):
        tvmgo.load_module(path)


def test_object_that_needs_what_is_not_there_is_refused(tmp_path):
    (tmp_path / "lib0.c").write_text(
        "void* __tvm_module_ctx; int nowhere(void); int f(void) { return nowhere(); }"
    )
    subprocess.run(
        ["cc", "-c", "-fPIC", "-o", tmp_path / "lib0.o", tmp_path / "lib0.c"], check=True
    )
    with pytest.raises(tvmgo.TVMError, match="nowhere"):
        tvmgo.load_module(tmp_path / "lib0.o")


def test_without_a_compiler_the_message_says_how(objects, tmp_path, monkeypatch):
    path = shutil.copy(objects(1, "one"), tmp_path / "lib0.o")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(tvmgo.TVMError, match=r"no compiler .*install one, .*CXX .*`g\+\+ -shared"):
        tvmgo.load_module(path)
    monkeypatch.setenv("CXX", "/no/such/compiler -O2")
    with pytest.raises(tvmgo.TVMError, match="'/no/such/compiler' cannot be run: No such file"):
        tvmgo.load_module(path)


def test_compiler_named_in_the_environment_is_used(objects, tmp_path, monkeypatch):
    path = shutil.copy(objects(1, "one"), tmp_path / "lib0.o")
    log = tmp_path / "log"
    compiler = tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\necho "$@" > {log}\nexec {shutil.which("cc")} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", f"{compiler} -Wl,--build-id")
    assert tvmgo.load_module(path)["one"]() == 1
    assert log.read_text().startswith("-Wl,--build-id -shared -fPIC")
