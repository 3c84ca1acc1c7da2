# SPDX-License-Identifier: Apache-2.0
"""Kernels in C, one folder per calling convention, compiled by the suite when it runs.

``arithmetic.h`` computes and knows no convention. A folder such as ``ffi`` wraps it into libraries,
one per source file.
"""

import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent

# Without contraction a*b+c is rounded twice everywhere, on machines with fused instructions too.
FLAGS = ["-O2", "-ffp-contract=off", "-fPIC", "-shared"]
if sys.platform == "darwin":  # there the linker must be told that libtvm_ffi comes at run time
    FLAGS += ["-undefined", "dynamic_lookup"]


def tvm_ffi_headers():
    """Return the folder of the C headers in the installed tvm_ffi, which is not imported."""
    spec = importlib.util.find_spec("tvm_ffi")
    return Path(spec.submodule_search_locations[0]) / "include"


def build(convention, name, directory):
    """Compile one library with the system's C compiler.

    Parameters
    ----------
    convention : str
        The folder of the source: ``"ffi"`` is today's calling convention, ``"classic"`` that of TVM
        0.7 to 0.20.
    name : str
        The source without ``.c``, and the library without ``.so``.
    directory : pathlib.Path
        Where the library goes.

    Returns
    -------
    pathlib.Path
        The library.

    Raises
    ------
    RuntimeError
        If the compiler fails; the message is the compiler's.
    """
    library = directory / f"{name}.so"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command = [
        *compiler,
        *FLAGS,
        f"-I{HERE}",
        f"-I{tvm_ffi_headers()}",
        str(HERE / convention / f"{name}.c"),
        "-o",
        str(library),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}\n{result.stderr}")
    return library
