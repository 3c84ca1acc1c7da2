# SPDX-License-Identifier: Apache-2.0
"""``tvmgo doctor``: what it says beforehand is what happens."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blobs import with_library
from tests.classic.conftest import compile_embedded, compiled, variant  # noqa: F401, fixtures
from tests.classic.models import FACTORY
from tests.classic.test_classic_refusals import elf
from tests.helpers import output_of
from tests.libraries import compile_library
from tvmgo import Model, TVMError, doctor
from tvmgo._native.needed_libraries import missing_libraries

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")


def checks_of(report):
    return {check.subject.partition(": ")[2]: check for check in report.checks}


def only_problem(path):
    """The single check that fails; loading fails too."""
    [problem] = doctor(path).problems
    with pytest.raises(TVMError):
        Model.load(path)
    return problem


def test_a_model_that_runs(two_inputs, tvmgo_says):
    said = tvmgo_says("doctor", two_inputs, "--json")
    told = said.document
    assert told["runs"] is True
    assert [info["name"] for info in told["inputs"]] == ["x", "w"]
    assert [info["name"] for info in told["outputs"]] == ["y", "z"]
    said = tvmgo_says("doctor", two_inputs)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"{two_inputs}: will run here\n")
    assert "inputs: x: int64 [3], w: int64 [3]" in said.out


def test_nothing_is_opened(two_inputs):
    (two_inputs / "c.c").write_text(
        "#include <stdlib.h>\n__attribute__((constructor)) static void run(void) { abort(); }\n"
        "int __tvm_ffi_f(void) { return 0; }\n"
    )
    compile_library(two_inputs / "c.c", two_inputs / "deploy.so")
    names = output_of(
        f"""
        import tvmgo
        report = tvmgo.doctor({str(two_inputs)!r})
        print(*[check.subject for check in report.problems])
        print("deploy.so" in open("/proc/self/maps").read())
        """
    )
    assert names == "deploy.so: functions\nFalse\n"  # whose kernels only this process has


@pytest.mark.parametrize(
    ("options", "ok", "found"),
    [
        (["DEFINES_MODERN"], True, "today's"),
        (["DEFINES_FUNC_CALL"], True, "classic"),
        (["NEEDS_FFI"], False, "TVM 0.21"),
        ([], None, "no mark of any TVM"),
    ],
)
def test_generation(write_one, compiled, options, ok, found):  # noqa: F811
    folder = write_one("double")
    library = compiled("marks.c", *(f"-D{option}" for option in options))
    shutil.copy(library, folder / "deploy.so")
    check = checks_of(doctor(folder))["generation"]
    assert check.ok is ok and check.found.startswith(found)


def test_transitional_library_does_not_run(write_one, compiled):  # noqa: F811
    folder = write_one("double")
    shutil.copy(compiled("marks.c", "-DNEEDS_FFI"), folder / "deploy.so")
    assert "compile the model again" in only_problem(folder).advice


@pytest.mark.parametrize(
    ("content", "subject", "found"),
    [
        (elf(183, 64, "<"), "deploy.so: architecture", "AArch64, 64 bits, little-endian"),
        (elf(22, 64, ">"), "deploy.so: architecture", "S390, 64 bits, big-endian"),
        (elf(40, 32, "<"), "deploy.so: architecture", "ARM, 32 bits, little-endian"),
        (b"MZ" + bytes(200), "deploy.so: kind", "it is not a shared library of ELF"),
        (b"text", "deploy.so: kind", "it is not a shared library of ELF"),
        (b"", "deploy.so: kind", "it is not a shared library of ELF"),
    ],
)
def test_files_of_other_machines(write_one, tvmgo_says, content, subject, found):
    folder = write_one("double")
    (folder / "deploy.so").write_bytes(content)
    problem = only_problem(folder)
    assert problem.subject == subject and problem.found.endswith(found) and problem.advice
    said = tvmgo_says("doctor", folder)
    assert (said.status, said.err) == (1, "")
    assert said.out.startswith(f"{folder}: will NOT run here\n") and problem.advice in said.out
    said = tvmgo_says("doctor", folder, "--json")
    assert said.status == 1 and json.loads(said.out)["runs"] is False


def test_library_cut_short(write_one):
    folder = write_one("double")
    content = (folder / "deploy.so").read_bytes()
    for part in (0.1, 0.5, 0.9):
        (folder / "deploy.so").write_bytes(content[: int(len(content) * part)])
        assert only_problem(folder).subject == "deploy.so: kind"


def test_instructions_that_no_processor_here_has(write_one, tmp_path):
    folder = write_one("double")
    flags = Path("/proc/cpuinfo").read_text().split()
    lacking = [name for name in ("xop", "fma4") if name not in flags]
    (tmp_path / "c.c").write_text(
        f'const char tvmgo_cpu_features[] = "64bit,sse2,{",".join(lacking)}";\n'
        "int __tvm_ffi_f(void) { return 0; }\n"
    )
    compile_library(tmp_path / "c.c", folder / "deploy.so")
    if lacking:
        assert only_problem(folder).found == f"needs {', '.join(lacking)}, which this one lacks"
    (tmp_path / "c.c").write_text('const char tvmgo_cpu_features[] = "64bit,sse2";\n')
    compile_library(tmp_path / "c.c", folder / "deploy.so")
    assert checks_of(doctor(folder))["processor"].found == "this one has all of sse2"


def test_library_that_needs_another(write_one, tmp_path):
    folder = write_one("double")
    (tmp_path / "c.c").write_text("int tvmgo_test_needed(void) { return 0; }\n")
    needed = compile_library(tmp_path / "c.c", tmp_path / "libtvmgo_needed.so")
    source = "int tvmgo_test_needed(void);\nint __tvm_ffi_f(void) { return tvmgo_test_needed(); }\n"
    (tmp_path / "d.c").write_text(source)
    late = ["-Wl,--no-as-needed", f"-L{tmp_path}", "-l:libtvmgo_needed.so", "-lm"]
    compile_library(tmp_path / "d.c", folder / "deploy.so", *late)
    problem = only_problem(folder)
    assert problem.subject == "deploy.so: libraries"
    assert "libtvmgo_needed.so not found" in problem.found and "libm.so.6" in problem.found
    compile_library(tmp_path / "d.c", folder / "deploy.so", *late, "-Wl,-rpath,$ORIGIN/lib")
    assert not doctor(folder).runs
    (folder / "lib").mkdir()
    shutil.copy(needed, folder / "lib")
    assert doctor(folder).runs
    Model.load(folder).close()


def test_libraries_of_the_system_are_found(tmp_path):
    """All that Python itself is linked to, and nothing that there is not."""
    said = subprocess.run(["ldd", sys.executable], capture_output=True, text=True).stdout
    names = [line.split()[0] for line in said.splitlines() if "=>" in line]
    assert names and missing_libraries(tmp_path / "x.so", [*names, "libnot.so.7"], []) == [
        "libnot.so.7"
    ]


def test_library_in_a_folder_of_the_environment(tmp_path, monkeypatch):
    (tmp_path / "libnot.so.7").write_bytes(b"")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path}")
    assert missing_libraries(tmp_path / "x.so", ["libnot.so.7"], []) == []


def test_kernels_without_a_graph(write_one):
    folder = write_one("double")
    assert only_problem(folder / "deploy.so").subject == "deploy.so: program"


def test_factory(compile_embedded):  # noqa: F811
    path = compile_embedded(FACTORY)
    report = doctor(path)
    assert report.runs and report.inputs is None
    assert checks_of(report)["program"].found.startswith("a factory")
    assert checks_of(report)["generation"].found.startswith("classic")
    Model.load(path).close()


def test_embedded_modules_that_are_no_program(compile_embedded):  # noqa: F811
    path = compile_embedded(with_library("metadata_module", b""))
    assert [check.subject for check in doctor(path).problems] == [f"{path.name}: program"]


def test_object_file(write_one, tmp_path, monkeypatch):
    folder = write_one("double")
    (tmp_path / "c.c").write_text("int __tvm_ffi_f(void) { return 0; }\n")
    subprocess.run(["cc", "-c", "-fPIC", tmp_path / "c.c", "-o", folder / "deploy.o"], check=True)
    (folder / "deploy.so").unlink()
    assert doctor(folder).runs
    Model.load(folder).close()
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    assert "there is no compiler" in only_problem(folder).found


def test_files_that_are_not_a_model(write_one, tvmgo_says):
    folder = write_one("double")
    shutil.copy(folder / "deploy.so", folder / "other.so")
    said = tvmgo_says("doctor", folder)
    assert (said.status, said.out) == (1, "")
    assert "expected one library" in said.err and len(said.err.splitlines()) == 1
