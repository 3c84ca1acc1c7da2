# SPDX-License-Identifier: Apache-2.0
"""The worlds of tvmgo and tvm_ffi."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np
import tvm_ffi

import tvmgo
from benchmarks import chain, kernels, threads
from benchmarks.world import TEXT, World, add, ndarray, nothing


@cache
def kept(load_module):
    """Load the kernels for good: the functions `constant` returns have their code in them."""
    return load_module(kernels.library())


class Binding(World):
    """Names that tvmgo and tvm_ffi share; what differs is how each gets there.

    ``f`` releases the GIL around the call, as both do unless told otherwise; ``f_kept`` keeps it.
    """

    def function(self, name: str, release_gil: bool = True):
        """Return a function of the kernels under one policy."""
        raise NotImplementedError

    def global_function(self, name: str):
        """Return a global function of the runtime."""
        raise NotImplementedError

    def callback(self, f):
        """Return a Python function as a function of the runtime."""
        raise NotImplementedError

    def tensor(self, array: np.ndarray):
        """Return the binding's own kind of array over NumPy's elements."""
        raise NotImplementedError

    @cached_property
    def nop(self):
        return self.function("nop")

    @cached_property
    def nop_kept(self):
        return self.function("nop", release_gil=False)

    @cached_property
    def checksum(self):
        return self.function("checksum")

    @cached_property
    def fail(self):
        return self.function("fail")

    @cached_property
    def fail_plainly(self):
        return self.function("fail_plainly")

    @cached_property
    def fail_alone(self):
        return self.function("make_fail_alone")()

    @cached_property
    def repeat(self):
        return self.function("repeat")

    @cached_property
    def repeat_kept(self):
        return self.function("repeat", release_gil=False)

    @cached_property
    def callback0(self):
        return self.callback(nothing)

    @cached_property
    def callback2(self):
        return self.callback(add)

    @cached_property
    def a(self):
        return self.tensor(ndarray(self.nbytes, 1))

    @cached_property
    def b(self):
        return self.tensor(ndarray(self.nbytes, 2))

    @cached_property
    def c(self):
        return self.tensor(ndarray(self.nbytes, 3))

    @cached_property
    def give_array(self):
        return self.function("constant")(self.a)

    @cached_property
    def give_str(self):
        return self.function("constant")(TEXT)

    @cached_property
    def give_list(self):
        return self.function("constant")(self.global_function("ffi.Array")(1, 2, 3))

    @cached_property
    def four_threads(self):
        return threads.Threads(4, self.function("work")).run


class TvmgoWorld(Binding):
    empty = staticmethod(tvmgo.empty)
    from_dlpack = staticmethod(tvmgo.from_dlpack)
    tensor = staticmethod(tvmgo.from_dlpack)
    callback = staticmethod(tvmgo.convert_function)
    global_function = staticmethod(tvmgo.get_global_function)

    def function(self, name, release_gil=True):
        function = kept(tvmgo.load_module)[name]
        function.release_gil = release_gil
        return function

    @property
    def filled(self):
        return self.memory.filled

    @property
    def target(self):
        return self.memory.target

    @cached_property
    def prepared(self):
        return self.nop.prepare(self.a, self.b, self.c)

    @cached_property
    def prepared_kept(self):
        return self.nop_kept.prepare(self.a, self.b, self.c)

    @cached_property
    def run(self):
        return chain.runner(kernels.library(), "add4", self.length)

    @cached_property
    def run_checked(self):
        return chain.runner(kernels.library(), "add4_checked", self.length)


class TvmFfiWorld(Binding):
    from_dlpack = staticmethod(tvm_ffi.from_dlpack)
    tensor = staticmethod(tvm_ffi.from_dlpack)
    callback = staticmethod(tvm_ffi.convert)
    global_function = staticmethod(tvm_ffi.get_global_func)

    def function(self, name, release_gil=True):
        function = kept(tvm_ffi.load_module).get_function(name)
        function.release_gil = release_gil
        return function

    @cached_property
    def filled(self):
        return tvm_ffi.from_dlpack(self.memory.filled)

    @cached_property
    def target(self):
        return tvm_ffi.from_dlpack(self.memory.target)

    @cached_property
    def copy(self):
        tvmgo._native.locate.load()  # tvm_ffi alone copies no tensors
        return tvm_ffi.get_global_func("runtime.TVMTensorCopyFromTo")
