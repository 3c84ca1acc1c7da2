# SPDX-License-Identifier: Apache-2.0
"""Libraries for tests: compiled from C, with blobs inside, and patched where they are compiled."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path


def compile_library(source, target, *options):
    """Compile a C file to a library that finds the runtime's functions when it is loaded."""
    headers = Path(importlib.util.find_spec("tvm_ffi").origin).parent / "include"
    late = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    subprocess.run(
        [
            os.environ.get("CC", "cc"),
            "-std=c11",
            "-O1",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            f"-I{headers}",
            *options,
            str(source),
            "-o",
            str(target),
            "-pthread",
            *late,
        ],
        check=True,
    )
    return target


def compile_with_blob(source, content, target, *options):
    """Compile a C file that includes BLOB where it wants the bytes of `content`, as numbers."""
    listing = target.with_suffix(".inc")
    listing.write_text(",".join(map(str, content)) or "0")
    return compile_library(source, target, f'-DBLOB="{listing}"', *options)


class PatchedLibrary:
    """A compiled library whose blob is replaced by others of at most the same length."""

    def __init__(self, path, content, load):
        self.path, self.load_path = path, load
        self.file = path.read_bytes()
        self.at = self.file.index(content)
        self.size = len(content)

    def load(self, content):
        """Load the library with `content` for its blob."""
        assert len(content) <= self.size
        self.path.unlink()  # a new file, in case the old one is still in memory
        self.path.write_bytes(self.file[: self.at] + content + self.file[self.at + len(content) :])
        return self.load_path(self.path)
