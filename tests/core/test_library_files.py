# SPDX-License-Identifier: Apache-2.0
"""Libraries whose files change while they are loaded: overwritten, renamed, gone, or too large."""

import ctypes
import mmap
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import tvmgo
from tests.helpers import output_of
from tests.libraries import compile_library
from tvmgo._native import copies, library_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have other loaders")


def maps():
    return Path("/proc/self/maps").read_text()


@pytest.fixture
def counter_path(tmp_path):
    """A library that counts its calls: whoever shares its variables sees the same count."""
    (tmp_path / "counter.c").write_text("""
        #include <tvm/ffi/c_api.h>
        #include <string.h>
        static int64_t count;
        __attribute__((visibility("default"))) int64_t* tvmgo_test_count(void) { return &count; }
        __attribute__((visibility("default"))) int __tvm_ffi_count(
            void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
          result->type_index = kTVMFFIInt;
          result->v_int64 = ++count;
          return 0;
        }
    """)
    return compile_library(tmp_path / "counter.c", tmp_path / "counter.so")


@pytest.fixture
def small_limit(monkeypatch):
    """Every library is too large to be copied unasked."""
    monkeypatch.setattr(library_files, "COPY_LIMIT", 100)


@pytest.fixture
def no_memory_files(monkeypatch):
    def refuse(*_):
        raise OSError

    monkeypatch.setattr(copies, "_create_in_memory", refuse)


# ---------------------------------------------------------------- overwritten in place


@pytest.mark.parametrize("private", [None, True])
def test_overwritten_library_goes_on_working(generation_path, tmp_path, private):
    path = tmp_path / "model.so"
    modules = []
    for number in (1, 2, 3):
        shutil.copyfile(generation_path(number), path)  # the same inode
        modules.append(tvmgo.load_module(path, private=private))
        assert [module["generation"]() for module in modules] == list(range(1, number + 1))
    path.write_bytes(b"")
    assert [module["generation"]() for module in modules] == [1, 2, 3]


def test_overwritten_classic_library_goes_on_working(tmp_path):
    path = tmp_path / "classic.so"
    functions = []
    for number in (1, 2):
        (tmp_path / "classic.c").write_text(f"""
            #include <stdint.h>
            void* __tvm_module_ctx;
            int get(void* args, int* codes, int n, int64_t* result, int* code, void* resource) {{
              *result = {number}; *code = 0; return 0;
            }}
        """)
        library = compile_library(tmp_path / "classic.c", tmp_path / f"classic{number}.so")
        shutil.copyfile(library, path)
        module = tvmgo.load_module(path)
        assert module.kind == "classic_library"
        functions.append(module["get"])
    assert [function() for function in functions] == [1, 2]


def test_overwritten_library_without_memory_files_goes_on_working(
    generation_path, tmp_path, monkeypatch, no_memory_files
):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(library_files, "_FOLDERS", ("/no/such/folder", None))
    path = tmp_path / "model.so"
    shutil.copyfile(generation_path(1), path)
    first = tvmgo.load_module(path)
    assert f"{tmp_path}/temporary/" in maps() and "memfd:model.so" not in maps()
    shutil.copyfile(generation_path(2), path)
    assert tvmgo.load_module(path)["generation"]() == 2
    assert first["generation"]() == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_overwritten_library_that_is_mapped_in_place_is_refused(generation_path, tmp_path):
    path = tmp_path / "model.so"
    # In a process of its own, whose loaded library is spoiled.
    output_of(f"""
        import shutil
        import pytest
        import tvmgo
        first, second, path = {str(generation_path(1))!r}, {str(generation_path(2))!r}, {str(path)!r}
        shutil.copyfile(first, path)
        module = tvmgo.load_module(path, private=False)
        assert tvmgo.load_module(path, private=False)["generation"]() == 1
        shutil.copyfile(second, path)
        for _ in range(2):
            with pytest.raises(tvmgo.TVMError, match="was overwritten .* rename that .os.replace"):
                tvmgo.load_module(path, private=False)
        assert tvmgo.load_module(path)["generation"]() == 2  # a copy
        import os
        os._exit(0)  # the first library cannot even be closed
    """)


def test_large_library_is_mapped_in_place(generation_path, tmp_path, small_limit):
    path = str(shutil.copy(generation_path(1), tmp_path / "model.so"))
    module = tvmgo.load_module(path)
    assert path in maps()
    assert module["generation"]() == 1
    del module
    module = tvmgo.load_module(path, private=True)
    assert path not in maps() and "memfd:model.so" in maps()
    assert module["generation"]() == 1


def test_large_library_that_is_closed_may_be_overwritten(generation_path, tmp_path, small_limit):
    path = tmp_path / "model.so"
    for number in (1, 2):
        shutil.copyfile(generation_path(number), path)
        assert tvmgo.load_module(path)["generation"]() == number


def test_large_libraries_that_are_renamed_are_loaded_anew(generation_path, tmp_path, small_limit):
    path = tmp_path / "model.so"
    modules = []
    for number in (1, 2, 3):
        os.replace(shutil.copy(generation_path(number), tmp_path / "new.so"), path)
        modules.append(tvmgo.load_module(path))
        modules.append(tvmgo.load_module(path))
    assert [module["generation"]() for module in modules] == [1, 1, 2, 2, 3, 3]
    assert maps().count(f"{path}\n") > 0  # in place


# ---------------------------------------------------------------- one library in memory


@pytest.mark.parametrize("private", [None, True, False])
def test_library_loaded_twice_has_one_set_of_variables(counter_path, private):
    first = tvmgo.load_module(counter_path, private=private)
    second = tvmgo.load_module(counter_path, private=private)
    linked = counter_path.with_name("linked.so")
    linked.symlink_to(counter_path)
    third = tvmgo.load_module(linked, private=private)
    assert [module["count"]() for module in (first, second, third, first)] == [1, 2, 3, 4]


def test_library_loaded_by_many_threads_has_one_set_of_variables(counter_path):
    modules, together = [], threading.Barrier(8)

    def load():
        together.wait()
        modules.append(tvmgo.load_module(counter_path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [module["count"]() for module in modules] == list(range(1, 9))


def test_library_that_others_have_opened_is_that_library(counter_path):
    opened = ctypes.CDLL(str(counter_path))
    opened.tvmgo_test_count.restype = ctypes.POINTER(ctypes.c_int64)
    opened.tvmgo_test_count().contents.value = 40
    module = tvmgo.load_module(counter_path)
    assert module["count"]() == 41
    assert tvmgo.load_module(counter_path, private=True)["count"]() == 1


def test_copy_that_is_closed_is_made_again(counter_path):
    for _ in range(3):
        module = tvmgo.load_module(counter_path)
        assert module["count"]() == 1
        del module
        assert "memfd:counter.so" not in maps()


def test_library_is_loaded_by_a_forked_child(counter_path):
    output_of(f"""
        import os
        import tvmgo
        module = tvmgo.load_module({str(counter_path)!r})
        assert module["count"]() == 1
        if os.fork() == 0:
            os.closerange(3, 100)
            again = tvmgo.load_module({str(counter_path)!r})
            os._exit(again["count"]() - 2)
        assert os.wait()[1] == 0
    """)


def test_copies_leave_no_file_open(generation_path):
    before = set(os.listdir("/proc/self/fd"))
    module = tvmgo.load_module(generation_path(1), private=True)
    assert set(os.listdir("/proc/self/fd")) == before
    assert module["generation"]() == 1


# ---------------------------------------------------------------- names


def test_copy_keeps_the_name_of_the_file(generation_path, tmp_path):
    name = "größer " + "x" * 200 + ".so"
    module = tvmgo.load_module(shutil.copy(generation_path(1), tmp_path / name))
    assert "memfd:größer " in maps()
    symbol = ctypes.CDLL(None).dladdr
    assert symbol is not None and module["generation"]() == 1


@pytest.mark.parametrize("private", [None, True])
def test_errors_name_the_file_as_its_user_does(tmp_path, private):
    (tmp_path / "needy.c").write_text("int nowhere(void);\nint call(void) { return nowhere(); }\n")
    for format in ("modern", "classic"):
        path = compile_library(tmp_path / "needy.c", tmp_path / f"{format}.so", "-Wl,-z,now")
        with pytest.raises(tvmgo.TVMError, match=rf"{path}.*nowhere") as caught:
            tvmgo.load_module(path, format, private=private)
        assert "tvmgo-" not in str(caught.value) and "memfd" not in str(caught.value)


@pytest.mark.parametrize("private", [None, True, False])
@pytest.mark.parametrize("replaced", [False, True])
def test_library_that_needs_another_beside_it(tmp_path, private, replaced):
    (tmp_path / "helper.c").write_text("int answer(void) { return 42; }\n")
    compile_library(tmp_path / "helper.c", tmp_path / "libhelper.so")
    (tmp_path / "main.c").write_text("""
        #include <tvm/ffi/c_api.h>
        int answer(void);
        __attribute__((visibility("default"))) int __tvm_ffi_ask(
            void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
          result->type_index = kTVMFFIInt;
          result->v_int64 = answer();
          return 0;
        }
    """)
    needs = (f"-L{tmp_path}", "-Wl,--no-as-needed", "-lhelper", "-Wl,-rpath,$ORIGIN")
    path = compile_library(tmp_path / "main.c", tmp_path / "main.so", *needs)
    module = tvmgo.load_module(path, private=private)
    if replaced:
        new = compile_library(tmp_path / "main.c", tmp_path / "new.so", *needs)
        os.replace(new, path)
        module = tvmgo.load_module(path, private=private)
    assert module["ask"]() == 42
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
    assert ("main.so (deleted)" in maps() or "memfd:main.so" in maps()) or private is not True


# ---------------------------------------------------------------- what cannot be done


def test_copy_that_cannot_be_made(generation_path, tmp_path, monkeypatch):
    path = str(shutil.copy(generation_path(1), tmp_path / "model.so"))
    monkeypatch.setattr(library_files, "make_copy", lambda *_: None)
    with pytest.raises(OSError, match=f"private: no copy of '{path}' can be made"):
        tvmgo.load_module(path, private=True)
    module = tvmgo.load_module(path)
    assert path in maps() and module["generation"]() == 1


def test_no_folder_for_temporary_files(generation_path, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise FileNotFoundError("no usable temporary directory")

    path = str(shutil.copy(generation_path(1), tmp_path / "model.so"))
    monkeypatch.setattr("os.mkdir", fail)
    module = tvmgo.load_module(path)
    assert path in maps() and module["generation"]() == 1


def test_copies_that_may_not_be_run_are_not_used(generation_path, tmp_path, monkeypatch):
    tried = []

    def refuse(*arguments, **options):
        tried.append(arguments)
        raise PermissionError

    path = str(shutil.copy(generation_path(1), tmp_path / "model.so"))
    monkeypatch.setattr(mmap, "mmap", refuse)
    module = tvmgo.load_module(path)
    assert tried and path in maps() and module["generation"]() == 1


def test_library_that_is_being_written_to_is_refused(generation_path, tmp_path, monkeypatch):
    path = tmp_path / "model.so"
    shutil.copyfile(generation_path(1), path)
    monkeypatch.setattr(library_files, "_ATTEMPTS", 2)
    make_copy = copies.make_copy

    def write_meanwhile(*arguments):
        copied = make_copy(*arguments)
        with open(path, "ab") as file:
            file.write(b"more")
        return copied

    monkeypatch.setattr(library_files, "make_copy", write_meanwhile)
    with pytest.raises(tvmgo.TVMError, match="is being written to; write a new library to another"):
        tvmgo.load_module(path)


def test_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.so")
    for path in (tmp_path / "pipe.so", "/dev/null"):
        with pytest.raises(ValueError, match="is no regular file"):
            tvmgo.load_module(path, "so")


@pytest.mark.parametrize("private", [0, 1, "yes", [], 2.5], ids=repr)
def test_private_that_is_no_bool_is_refused(generation_path, private):
    with pytest.raises(TypeError, match="private: expected True, False or None, got"):
        tvmgo.load_module(generation_path(1), private=private)


# ---------------------------------------------------------------- file systems that clone


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.btrfs") is None, reason="needs root and btrfs"
)
def test_clone_on_a_file_system_that_can(generation_path, tmp_path, small_limit):
    image, folder = tmp_path / "image", tmp_path / "mounted"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(128 << 20)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)]).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        path = folder / "model.so"
        modules = []
        for number in (1, 2):
            shutil.copyfile(generation_path(number), path)
            modules.append(tvmgo.load_module(path))
        assert [module["generation"]() for module in modules] == [1, 2]
        assert str(path) not in maps() and "memfd:model" not in maps()
        assert os.listdir(folder) == ["model.so"]
        del modules
    finally:
        subprocess.run(["umount", str(folder)], check=True)
