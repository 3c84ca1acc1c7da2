# SPDX-License-Identifier: Apache-2.0
"""What the recorded calls were made on: a directory of files, the library in it, and values."""

import contextlib
import functools
import os

import tvmgo
from conformance import kernels
from conformance.samples import files


def prepare(directory):
    """Put the files the recorded calls and the samples name into an empty directory."""
    files.prepare(directory, "classic")
    kernels.build("classic", "plain", directory)
    (directory / "notelf.so").write_text("not a library\n")
    (directory / "notelf_long.so").write_text("text " * 40)
    (directory / "empty.so").touch()
    (directory / "adir").mkdir()
    (directory / "adir" / "noext").write_text("no library and no extension\n")


@contextlib.contextmanager
def beside(directory):
    """Make the directory the current one for a while, the library in it loaded."""
    before = os.getcwd()
    os.chdir(directory)
    try:
        load_all()
        yield
    finally:
        os.chdir(before)


def load_all():
    """Load the runtime's libraries and the recorded one, so that none appears later on."""
    tvmgo._native.locate.load()
    tvmgo._native.companions.load_extra()
    deploy()


@functools.cache
def deploy():
    """Return the library on which gotvm was recorded."""
    return tvmgo.load_module("./deploy.so")


def kernel(name):
    """Return a function of that library."""
    return deploy().get_function(name)


def returned(kind):
    """Return a `Value` of a kind, as a function returned it."""
    if kind in ("null", "int", "uint", "float", "handle", "device", "dtype"):
        return kernel(f"ret_{kind}").invoke()
    results = {
        "int_big": 2**63 - 1,
        "str": "hello",
        "bytes": b"\x01\x00\x02",
        "func": lambda: 7,
        "module": deploy(),
        "array": tvmgo.array([1, 2], "float32"),
    }
    return tvmgo.convert_function(lambda: results[kind]).invoke()


@contextlib.contextmanager
def registered(function, *name, **options):
    """Register a function for a while. Gives the names that appeared."""
    before = set(tvmgo.list_global_functions())
    try:
        tvmgo.register_function(function, *name, **options)
        yield sorted(set(tvmgo.list_global_functions()) - before)
    finally:
        for added in set(tvmgo.list_global_functions()) - before:
            tvmgo.remove_global_function(added)


def callback(function):
    """Make a function of the runtime that gets `Value`s, as all callbacks in Go did."""
    return tvmgo.convert_function(function, values=True)


def received_by_callback(*args):
    """Return the `Value`s a callback gets when it is called with `args`."""
    received = []
    callback(lambda *values: received.extend(values)).invoke(*args)
    return received
