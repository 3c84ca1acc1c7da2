# SPDX-License-Identifier: Apache-2.0
"""What several test files need: other processes, arrays of other libraries, raw buffers, memory use."""

import contextlib
import ctypes
import os
import re
import site
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import threading
from pathlib import Path

import numpy as np

import tvmgo

PACKAGE = Path(tvmgo.__file__).parent
CHECKOUT = Path(__file__).parents[1]


def search_path(*first):
    """Return a PYTHONPATH with which another process finds what this one does, after `first`.

    The package that is tested comes before the checkout, where its sources are.
    """
    given = filter(None, [os.environ.get("PYTHONPATH")])
    return os.pathsep.join([*map(str, first), *given, str(PACKAGE.parent), str(CHECKOUT)])


def run_python(code, *, path=(), env=(), arguments=(), timeout=300):
    """Run `code` in a fresh interpreter and return the finished process, whatever became of it.

    It finds the same packages as this one, after those in `path`, and is in an empty folder.
    """
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TVM"))
    }
    environment["PYTHONPATH"] = search_path(*path)
    environment["PYTHONFAULTHANDLER"] = "1"
    environment.update(env)
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run(
            [sys.executable, *arguments, "-c", textwrap.dedent(code)],
            env=environment,
            cwd=empty,
            capture_output=True,
            text=True,
            timeout=timeout,
        )


def run_module(name, *arguments, timeout=600):
    """Run a module of the tests in a fresh interpreter, which finds the package that is tested."""
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run(
            [sys.executable, "-m", name, *arguments],
            env={**os.environ, "PYTHONPATH": search_path()},
            cwd=empty,
            capture_output=True,
            text=True,
            timeout=timeout,
        )


def environment_of(folder, requirements, python=sys.executable, finish=None):
    """Return the interpreter of an environment, which is made in a folder unless it is there.

    `finish` is called with the interpreter of a new one.
    """
    interpreter, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *requirements], check=True)
        if finish is not None:
            finish(interpreter)
        complete.touch()
    return interpreter


def environment_with(folder, requirements):
    """The same; all but the requirements and what these need is taken from the environment that runs this."""
    return environment_of(folder, requirements, finish=show_own_packages)


def show_own_packages(interpreter):
    """Have another interpreter find the checkout and what this one has, after packages of its own."""
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([interpreter, "-c", find], check=True, capture_output=True, text=True)
    others = "\n".join([str(CHECKOUT), sysconfig.get_path("purelib"), *site.getsitepackages()])
    Path(found.stdout.strip(), "tvmgo_checkout.pth").write_text(others + "\n")


FORK_SERVER = """
import ast, os, signal, sys, traceback
namespace = {{"__name__": "__main__"}}
exec({setup!r}, namespace)
for line in sys.stdin:
    script, output = ast.literal_eval(line)
    child = os.fork()
    if child == 0:
        signal.alarm({timeout})
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1), os.dup2(file, 2)
        try:
            exec(script, namespace)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class ForkServer:
    """Runs each of many scripts in a process of its own that has executed `setup` already."""

    def __init__(self, setup, directory, timeout=300):
        environment = {
            **os.environ,
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": search_path(),
        }
        self.output = Path(directory, "output")
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORK_SERVER.format(setup=setup, timeout=timeout)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, script):
        """Return the exit code of `script`, negative for a signal, and what it wrote."""
        self.process.stdin.write(ascii((script, str(self.output))) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        return code, self.output.read_text(errors="replace")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def output_of(code, **options):
    """Run `code` in a fresh interpreter, which must end well and silently; return its output."""
    done = run_python(code, **options)
    assert (done.returncode, done.stderr) == (0, ""), (
        f"exit code {done.returncode}, stdout {done.stdout!r}\n{done.stderr}"
    )
    return done.stdout


class Exporter:
    """An array of some other library: nothing but DLPack's two methods around an ndarray."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OldExporter(Exporter):
    """The same from before DLPack 1.0: takes a stream and nothing else."""

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__()


def name_of(x):
    """Return the `repr` of a test's parameter without addresses, so that it names it in every run."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(x))


def f32(*values):
    """Return an ndarray of these numbers."""
    return np.array(values, "float32")


def address_of(x):
    """Return the address of the first element of a host array, as NumPy sees it through `x`."""
    return np.asarray(x).ctypes.data


def resident_bytes():
    """Return the physical memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---------------------------------------------------------------- Python's C buffer protocol

SIMPLE, WRITABLE, FORMAT, ND = 0x0, 0x1, 0x4, 0x8
STRIDES = 0x10 | ND
C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS = 0x20 | STRIDES, 0x40 | STRIDES, 0x80 | STRIDES
FULL = 0x100 | STRIDES | WRITABLE | FORMAT


class PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [ctypes.py_object, ctypes.POINTER(PyBuffer), ctypes.c_int]
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = [ctypes.POINTER(PyBuffer)]
_release_buffer.restype = None


@contextlib.contextmanager
def raw_buffer(x, flags):
    """Give the Py_buffer that a C consumer asking with `flags` receives."""
    view = PyBuffer()
    _get_buffer(x, ctypes.byref(view), flags)
    try:
        yield view
    finally:
        _release_buffer(ctypes.byref(view))


def in_threads(work, count):
    """Run `work(number)` in so many threads at once.

    Return what they return, or raise the first error.
    """
    barrier = threading.Barrier(count)
    answers, errors = [None] * count, []

    def run(number):
        try:
            barrier.wait()
            answers[number] = work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers
