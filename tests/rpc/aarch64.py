# SPDX-License-Identifier: Apache-2.0
"""Cross-compilation end to end: MobileNet is compiled here for AArch64, uploaded to a server that runs under
QEMU, and run and timed there. ``python -m tests.rpc.aarch64`` does it and prints figures.

Needs Debian's qemu-user and g++-aarch64-linux-gnu, apt and pip with a network the first time: the other
machine's Python and wheels, and tvmgo built for it, are kept under ``.cache/aarch64``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import textwrap
import time

import numpy as np

import tvmgo
from examples.mobilenet import mobilenet_v1
from tests.helpers import CHECKOUT
from tests.rpc.peers import TVMGO_SERVER, Peer
from tvmgo import graph_executor
from tvmgo.compiler import export
from tvmgo.rpc import connect

CACHE = CHECKOUT / ".cache" / "aarch64"
PYTHON = "3.11"  # Debian 12's
DEBIAN = (
    f"python{PYTHON}-minimal libpython{PYTHON}-minimal libpython{PYTHON}-stdlib libexpat1 zlib1g libssl3 "
    "libffi8 libc6 libgcc-s1 libstdc++6 libbz2-1.0 liblzma5 libuuid1 libcrypt1"
).split()
WHEELS = "apache-tvm apache-tvm-ffi numpy"
APT = """
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
Dir::State "{0}";
Dir::State::status "{0}/status";
Dir::Cache "{0}/cache";
Dir::Etc::sourcelist "{0}/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Sandbox::User "root";
"""
SOURCE = (
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    "http://deb.debian.org/debian bookworm main\n"
)


def run(*command, **options):
    subprocess.run([*map(str, command)], check=True, **options)


def installed_version(package):
    from importlib.metadata import version

    return version(package)


def make_root(root):
    """Put Debian's Python for AArch64 into a folder."""
    state = root.parent / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "debs"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(SOURCE)
    (state / "apt.conf").write_text(APT.format(state))
    environment = {**os.environ, "APT_CONFIG": str(state / "apt.conf")}
    run("apt-get", "-q", "update", env=environment)
    run("apt-get", "-q", "download", *DEBIAN, env=environment, cwd=state / "debs")
    for package in (state / "debs").glob("*.deb"):
        run("dpkg-deb", "-x", package, root)
    shutil.rmtree(state)


def make_site(site):
    """Put the wheels for AArch64, and tvmgo built for it, into a folder."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" != PYTHON:
        raise SystemExit(f"this needs Python {PYTHON}, whose headers serve both machines")
    wheels = [f"{name}=={installed_version(name)}" for name in WHEELS.split()]
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
    run(*pip, "--only-binary", ":all:", "--python-version", PYTHON, *platforms, *wheels)
    source = site.parent / "source"
    shutil.rmtree(source, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(CHECKOUT / "tvmgo", source / "tvmgo", ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(CHECKOUT / name, source)
    link = f"-shared -L{site}/tvm_ffi/lib"
    compilers = {
        "CC": "aarch64-linux-gnu-gcc",
        "CXX": "aarch64-linux-gnu-g++",
        "LDSHARED": f"aarch64-linux-gnu-gcc {link}",
        "LDCXXSHARED": f"aarch64-linux-gnu-g++ {link}",
    }
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    run(*build, cwd=source, env={**os.environ, **compilers})
    for library in (source / "tvmgo" / "_core").glob("*.so"):
        library.rename(library.with_name(library.name.replace("x86_64", "aarch64")))
    shutil.copytree(source / "tvmgo", site / "tvmgo", dirs_exist_ok=True)


def make_environment():
    """Return the command that runs AArch64's Python, and where its packages are."""
    root, site = CACHE / "root", CACHE / "site"
    for folder, make in ((root, make_root), (site, make_site)):
        if not (folder / ".done").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make(folder)
            (folder / ".done").touch()
    return ["qemu-aarch64", "-L", root, root / "usr" / "bin" / f"python{PYTHON}"], site


LOCALLY = """
import sys, numpy as np, tvmgo
from tvmgo import graph_executor
folder = sys.argv[1]
module = graph_executor.create(
    open(f"{folder}/deploy.json").read(), tvmgo.load_module(f"{folder}/deploy.so"), tvmgo.cpu())
module.load_params(open(f"{folder}/deploy.params", "rb").read())
module.run(input=np.load(f"{folder}/input.npy"))
np.save(f"{folder}/output.npy", module.get_output(0).numpy())
"""


def results(files, session, image):
    """What the graph gives in a session, and its time there."""
    sent = []
    session.upload(files.library, progress=lambda *both: sent.append(both))
    module = graph_executor.create(
        files.graph.read_text(), session.load_module(files.library.name), session.cpu()
    )
    module.load_params(files.params.read_bytes())
    module.run(input=image)
    output = module.get_output(0).numpy()
    return output, module.benchmark(session.cpu(), number=1, repeat=1, input=image).mean


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    python, site = make_environment()
    python = [str(word) for word in python]
    work = CACHE / "work"
    work.mkdir(exist_ok=True)
    begin = time.monotonic()
    model = mobilenet_v1()
    there = export(model, work / "aarch64", target="aarch64", format="graph")
    here = export(model, work / "here", format="graph")
    print(f"exported twice in {time.monotonic() - begin:.0f} s")
    image = np.random.default_rng(0).random((1, 224, 224, 3), "float32")
    np.save(work / "aarch64" / "input.npy", image)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run(*python, "-c", textwrap.dedent(LOCALLY), work / "aarch64", env=environment, cwd=work)
    local = np.load(work / "aarch64" / "output.npy")

    server = Peer(
        [TVMGO_SERVER, "rpc", "server", "--port", "0", "--json"],
        python=python,
        env={"PYTHONPATH": str(site)},
    )
    try:
        with connect(*server.address, timeout=600) as session:
            print(f"the server is {session.machine}")
            try:
                session.upload(here.library)
            except tvmgo.TVMValueError as error:
                print(f"refused before it is sent: {error}")
            else:
                raise SystemExit("a library for x86-64 was sent")
            remote, seconds = results(there, session, image)
    finally:
        server.close()
    own = graph_executor.create(
        here.graph.read_text(), tvmgo.load_module(here.library), tvmgo.cpu()
    )
    own.load_params(here.params.read_bytes())
    own.run(input=image)
    apart = np.abs(own.get_output(0).numpy() - remote).max()
    same = remote.tobytes() == local.tobytes()
    print(f"through RPC and locally under QEMU, bit for bit: {'equal' if same else 'different'}")
    print(f"largest difference from x86-64: {apart:.1e}; {seconds:.2f} s a run under QEMU")
    raise SystemExit(not (same and apart < 1e-5))


if __name__ == "__main__":
    main()
