# SPDX-License-Identifier: Apache-2.0
"""The worlds of those who are no binding of the runtime: NumPy, ctypes, bare C, plain Python."""

from __future__ import annotations

import array
import ctypes
from functools import cache, cached_property

import numpy as np
from tvm_ffi import libinfo

from benchmarks import chain, kernels, threads
from benchmarks.bindings import TvmgoWorld
from benchmarks.world import World, add, ndarray, nothing


class NumPyWorld(World):
    @cached_property
    def a(self):
        return ndarray(self.nbytes, 1)

    @cached_property
    def b(self):
        return ndarray(self.nbytes, 2)

    @cached_property
    def c(self):
        return ndarray(self.nbytes, 0)

    @property
    def target(self):
        return self.target_view

    @cached_property
    def filled(self):
        return np.from_dlpack(self.memory.filled)


class Any(ctypes.Structure):
    """TVMFFIAny: one value as the C API passes it."""

    _fields_ = [
        ("type_index", ctypes.c_int32),
        ("padding", ctypes.c_uint32),
        ("value", ctypes.c_int64),
    ]


@cache
def c_api(loader=ctypes.CDLL):
    """Return libtvm_ffi through ctypes: a CDLL releases the GIL around a call, a PyDLL keeps it."""
    return loader(libinfo.find_libtvm_ffi())


@cache
def c_function(name: str) -> ctypes.c_void_p:
    """Return the handle of a kernel as a function of the runtime, which is never freed."""
    kernel = getattr(ctypes.CDLL(kernels.library()), f"__tvm_ffi_{name}")
    handle = ctypes.c_void_p()
    assert c_api().TVMFFIFunctionCreate(None, kernel, None, ctypes.byref(handle)) == 0
    return handle


class CtypesWorld(World):
    """The C API called with cells that were filled before: no argument is converted."""

    @cached_property
    def function(self):
        return c_function("nop")

    @cached_property
    def call(self):
        return c_api().TVMFFIFunctionCall

    @cached_property
    def call_kept(self):
        return c_api(ctypes.PyDLL).TVMFFIFunctionCall

    @cached_property
    def result(self):
        return ctypes.byref(Any())

    @staticmethod
    def ints(*values):
        """Cells that hold ints, whatever their kind: the function looks at none of them."""
        return (Any * len(values))(*(Any(1, 0, value) for value in values))

    @cached_property
    def cells0(self):
        return None

    @cached_property
    def cells1(self):
        return self.ints(1)

    @cached_property
    def cells2(self):
        return self.ints(1, 2)

    @cached_property
    def cells3(self):
        return self.ints(1, 2, 3)


class CLoopWorld(TvmgoWorld):
    """Loops written in C, entered once per sample: `repeat` calls through the bare C API."""

    @cached_property
    def repeat_error(self):
        return self.function("repeat_error")

    @cached_property
    def repeat_raise(self):
        return self.function("repeat_raise")

    @cached_property
    def repeat_add4(self):
        return self.function("repeat_add4")

    @cached_property
    def repeat_add4_checked(self):
        return self.function("repeat_add4_checked")


class MemcpyWorld(World):
    """memcpy in a loop written in C."""

    @cached_property
    def source_address(self):
        return ctypes.c_void_p(self.source.ctypes.data)

    @cached_property
    def filled_address(self):
        return ctypes.c_void_p(np.from_dlpack(self.memory.filled).ctypes.data)

    @cached_property
    def target_address(self):
        return ctypes.c_void_p(self.target_view.ctypes.data)

    @cached_property
    def array_address(self):
        return ctypes.c_void_p(self.target_array.ctypes.data)

    @cached_property
    def size(self):
        return ctypes.c_size_t(self.nbytes)

    @cached_property
    def copy_again(self):
        return self._function("copy_again")

    @cached_property
    def copy_fresh(self):
        return self._function("copy_fresh")

    @staticmethod
    def _function(name):
        return getattr(ctypes.PyDLL(kernels.library("memory")), name)


class CMethodWorld(World):
    """A method of an extension module that takes anything and does nothing."""

    a, b, c = 1, 2, 3

    @cached_property
    def nop(self):
        return kernels.extension("floor").nop


class BareCWorld(CMethodWorld):
    """Hand-written C that converts nothing and checks nothing, but does what nobody can leave out:
    gives the GIL away or takes it, and calls.
    """

    @cached_property
    def _floor(self):
        return kernels.extension("floor")

    @cached_property
    def nop(self):
        return self._floor.direct(c_function("nop").value, False)

    @cached_property
    def nop_kept(self):
        return self._floor.direct(c_function("nop").value, True)

    @cached_property
    def fail_plainly(self):
        return self._floor.direct(c_function("fail_plainly").value, False)

    @property
    def fail_alone(self):
        return self.fail_plainly

    @property
    def prepared(self):
        return self.nop

    @property
    def prepared_kept(self):
        return self.nop_kept

    @cached_property
    def repeat(self):
        return self._floor.repeat

    @cached_property
    def repeat_kept(self):
        return self._floor.repeat_kept

    callback0 = staticmethod(nothing)
    callback2 = staticmethod(add)


class StandardLibraryWorld(World):
    @cached_property
    def filled(self):
        return array.array("f", self.source)


class PythonWorld(World):
    a, b, c = 1, 2, 3
    callback0 = staticmethod(nothing)
    callback2 = staticmethod(add)

    @staticmethod
    def nop(a=None, b=None, c=None):
        """The empty Python function."""

    @staticmethod
    def fail():
        raise ValueError("this kernel always fails")

    fail_plainly = fail_alone = fail


class OneThreadWorld(TvmgoWorld):
    @cached_property
    def one_thread(self):
        return threads.Threads(1, self.function("work")).run


class ClassicWorld(World):
    @cached_property
    def run(self):
        return chain.runner(kernels.library("classic_kernels"), "add4", self.length)

    @cached_property
    def run_checked(self):
        return chain.runner(kernels.library("classic_kernels"), "add4_checked", self.length)
