# SPDX-License-Identifier: Apache-2.0
"""What the recorded calls were made on: a directory of files, the library in it, and values."""

import contextlib
import os
from functools import cached_property

import tvmgo
from conformance import kernels


class World:
    """The surroundings in which facts are executed.

    Parameters
    ----------
    directory : pathlib.Path
        Where the files are; the recorded calls name them relative to it.
    """

    def __init__(self, directory):
        self.directory = directory

    @classmethod
    def made_in(cls, directory):
        """Put the files the recorded calls name into an empty directory."""
        kernels.build("classic", "deploy", directory)
        kernels.build("classic", "plain", directory)
        (directory / "notelf.so").write_text("not a library\n")
        (directory / "notelf_long.so").write_text("text " * 40)
        (directory / "empty.so").touch()
        (directory / "adir").mkdir()
        (directory / "adir" / "noext").write_text("no library and no extension\n")
        return cls(directory)

    @contextlib.contextmanager
    def entered(self):
        """Make its directory the current one for a while."""
        before = os.getcwd()
        os.chdir(self.directory)
        try:
            yield self
        finally:
            os.chdir(before)

    @cached_property
    def deploy(self):
        """The library on which gotvm was recorded."""
        return tvmgo.load_module(self.directory / "deploy.so")

    def kernel(self, name):
        """Return a function of that library."""
        return self.deploy.get_function(name)

    def returned(self, kind):
        """Return a `Value` of a kind, as a function returned it."""
        if kind in ("null", "int", "uint", "float", "handle", "device", "dtype"):
            return self.kernel(f"ret_{kind}").invoke()
        results = {
            "int_big": 2**63 - 1,
            "str": "hello",
            "bytes": b"\x01\x00\x02",
            "func": lambda: 7,
            "module": self.deploy,
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
