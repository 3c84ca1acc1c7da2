# SPDX-License-Identifier: Apache-2.0
"""Compiles the parsers with their targets under AddressSanitizer and UBSan.

libtvm_ffi itself is as installed; its memory is watched all the same, as malloc is replaced.
"""

import importlib.util
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
CXX = HERE.parents[1] / "tvmgo" / "cxx"

# What parses untrusted files, and what is made of it: the executor, which runs what was parsed, and
# the loader of constants, which hands them out. Compiled as two, since
# reading the headers takes longer than the rest.
SOURCES = {
    "runtime": ["ffi/*.cc", "parallel/*.cc", "tensor/*.cc", "profiling/*.cc", "graph/*.cc"],
    "formats": ["formats/*.cc", "classic/loading/const_loader.cc"],
}
OPTIONS = [
    "-std=c++17",
    "-O1",
    "-g1",
    "-Wall",
    "-fno-omit-frame-pointer",
    "-fno-sanitize-recover=all",
]
SANITIZERS = "address,undefined"


def clang():
    """Return a compiler that has libFuzzer, or None."""
    compiler = shutil.which("clang++")
    if compiler is None:
        return None
    library = subprocess.run(
        [compiler, "--print-file-name=libclang_rt.fuzzer-x86_64.a"], capture_output=True, text=True
    ).stdout.strip()
    probe = subprocess.run(
        [compiler, "-x", "c++", "-fsanitize=fuzzer,address", "-o", os.devnull, "-"],
        input='extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }',
        capture_output=True,
        text=True,
    )
    return compiler if library and probe.returncode == 0 else None


def build(directory, *, guided=False):
    """Compile the fuzzer into `directory` and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    compiler = clang() if guided else os.environ.get("CXX", "c++")
    if compiler is None:
        raise SystemExit("coverage-guided fuzzing needs clang++ with libFuzzer")
    ffi = Path(importlib.util.find_spec("tvm_ffi").origin).parent
    sources = [
        HERE / "run_graph.cc",
        HERE / "targets.cc",
        HERE / ("guided.cc" if guided else "driver.cc"),
    ]
    for name, patterns in SOURCES.items():
        sources.insert(0, directory / f"{name}.cc")
        parts = sorted(path for pattern in patterns for path in CXX.glob(pattern))
        sources[0].write_text("".join(f'#include "{part}"\n' for part in parts))
    sanitize = f"-fsanitize={SANITIZERS}"

    def compile_one(source):
        target = directory / f"{source.stem}{'-guided' if guided else ''}.o"
        subprocess.run(
            [
                compiler,
                *OPTIONS,
                sanitize,
                *(["-fsanitize=fuzzer-no-link"] if guided else []),
                f"-I{CXX}",
                f"-I{CXX.parent}",
                f"-I{HERE}",
                f"-I{ffi / 'include'}",
                "-c",
                str(source),
                "-o",
                str(target),
            ],
            check=True,
        )
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    fuzzer = directory / ("fuzz-guided" if guided else "fuzz")
    subprocess.run(
        [
            compiler,
            sanitize,
            *(["-fsanitize=fuzzer"] if guided else []),
            *map(str, objects),
            f"-L{ffi / 'lib'}",
            "-ltvm_ffi",
            f"-Wl,-rpath,{ffi / 'lib'}",
            "-o",
            str(fuzzer),
        ],
        check=True,
    )
    return fuzzer
