# SPDX-License-Identifier: Apache-2.0
"""The compiled libraries the benchmarks call into."""
import atexit
import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path


@functools.cache
def library(name: str = "kernels") -> str:
    """Compile one C file of this folder once and return the library's path, gone when Python ends."""
    directory = tempfile.TemporaryDirectory(prefix="tvmgo-benchmarks-")
    atexit.register(directory.cleanup)
    headers = Path(importlib.util.find_spec("tvm_ffi").origin).parent / "include"
    target = os.path.join(directory.name, f"{name}.so")
    late = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Werror", "-shared",
                    "-fPIC", f"-I{headers}", str(Path(__file__).with_name(f"{name}.c")), "-o",
                    target, *late], check=True)
    return target
