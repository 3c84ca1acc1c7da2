# SPDX-License-Identifier: Apache-2.0
"""``python -m release.wheel``: the source distribution and the running Python's wheel, in dist/,
and all tests against the wheel.

The wheel is as it would be released: compiled against the C and C++ libraries of Debian 11 and
asking them for nothing newer than glibc 2.28 and GCC 8, without debug information (which goes into
an archive of its own), and the same bytes for the same sources.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from release import debian, suite
from release.command import run
from release.source import ROOT, build_sdist, build_wheel, copy_checkout

DIST = ROOT / "dist"
SYSROOT = ROOT / ".cache" / "debian-11"
COMPILER = "10"  # GCC of Debian 11
# The runtime below is found at run time: libtvm_ffi comes with apache-tvm-ffi, and libtvm_runtime
# is carried beside libtvm_runtime_extra, which names it.
FOUND_AT_RUN_TIME = ("libtvm_ffi.so", "libtvm_runtime.so")
# The oldest C library that a release is for; so old are those of apache-tvm and apache-tvm-ffi.
GLIBC = 28  # of 2
# Installed, tvmgo's own folders must stay below this.
MOST_BYTES = 12 << 20


def split_debug_information(library: Path, objcopy: str) -> Path | None:
    """Move a library's debug information into a file of its own, to which the library refers."""
    if ".debug_info" not in run("readelf", "--section-headers", "--wide", library):
        return None
    debug = library.with_name(library.name + ".debug")
    run(objcopy, "--only-keep-debug", library, debug)
    run(objcopy, "--strip-debug", library)
    run(objcopy, f"--add-gnu-debuglink={debug}", library)
    return debug


def write_debug_archive(path: Path, files: dict[str, Path]) -> None:
    """Pack debug files, without times and owners."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(path, "w:xz") as archive:
        for name, file in sorted(files.items()):
            archive.add(file, name, filter=anonymous)


def variables(compilers: str = "", sysroot: Path = SYSROOT) -> dict[str, str]:
    """Return the environment of builds, by `compilers` if these have another prefix or more options."""
    prefix, _, options = compilers.partition(" ")
    compiler = f"{sysroot}/usr/bin/{prefix}%s-{COMPILER} --sysroot={sysroot} {options}"
    return {
        "CC": compiler % "gcc",
        "CXX": compiler % "g++",
        # Nothing of this machine in the binary.
        "CFLAGS": f"-ffile-prefix-map={sysroot}=debian-11",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "315532800"),
    }


def build(python: str | Path, sdist: Path, work: Path) -> Path:
    """Build a Python's wheel and return it without debug information, which goes to DIST."""
    debian.unpack(SYSROOT, "bullseye", "amd64", f"g++-{COMPILER}")
    return separate_debug_information(build_wheel(python, sdist, work, **variables()), work)


def separate_debug_information(built: Path, work: Path, objcopy: str = "objcopy") -> Path:
    """Return a wheel without the debug information of its libraries, which goes to DIST."""
    unpacked = work / "unpacked"
    run(sys.executable, "-m", "wheel", "unpack", "--dest", unpacked, built)
    [content] = unpacked.iterdir()
    debug = {}
    for library in sorted(content.rglob("*.so")):
        if file := split_debug_information(library, objcopy):
            debug[str(file.relative_to(content))] = work / file.name
            file.rename(work / file.name)
    write_debug_archive(DIST / f"{built.stem}-debug.tar.xz", debug)
    built.unlink()
    run(sys.executable, "-m", "wheel", "pack", "--dest", work, content, **variables())
    [packed] = work.glob("*.whl")
    return packed


def tag(wheel: Path) -> Path:
    """Give the wheel the tag of the oldest platform that its symbols allow, in DIST."""
    before = set(DIST.glob("*.whl"))
    excluded = [f"--exclude={name}" for name in FOUND_AT_RUN_TIME]
    run(
        *(sys.executable, "-m", "auditwheel", "repair", "--plat", "auto", *excluded),
        *("--wheel-dir", DIST, wheel),
    )
    [tagged] = set(DIST.glob("*.whl")) - before
    found = re.search(r"manylinux_2_(\d+)_", tagged.name)
    if found is None or int(found[1]) > GLIBC:
        raise SystemExit(f"{tagged.name} asks for more than glibc 2.{GLIBC}")
    return tagged


def check(wheel: Path) -> None:
    """Refuse a wheel that is too large or whose metadata are wrong."""
    print(run(sys.executable, "-m", "auditwheel", "show", wheel))
    print(run(sys.executable, "-m", "twine", "check", "--strict", wheel, *DIST.glob("*.tar.gz")))
    size = sum(info.file_size for info in zipfile.ZipFile(wheel).infolist())
    print(f"{wheel.name}: {size:,} bytes installed")
    if size > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES:,} bytes")


def test(wheel: Path, checkout: Path, environment: Path) -> None:
    """Run the tests against the wheel: without apache-tvm what can be, and with it everything."""
    python = environment / "bin" / "python"
    run(sys.executable, "-m", "venv", environment)
    suite.install(python, wheel, "test-runtime")
    suite.require_no_apache_tvm(python)
    suite.run_tests(python, checkout, without=["apache_tvm"])
    suite.install(python, wheel, "test")
    suite.run_tests(python, checkout)


def begin(checkout: Path) -> Path:
    """Empty DIST, and return the source distribution."""
    shutil.rmtree(DIST, ignore_errors=True)
    return build_sdist(checkout, DIST, **variables())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tvmgo-wheel-") as folder:
        work = Path(folder)
        checkout = copy_checkout(work / "checkout")
        wheel = tag(build(sys.executable, begin(checkout), work))
        check(wheel)
        test(wheel, checkout, work / "environment")


if __name__ == "__main__":
    main()
