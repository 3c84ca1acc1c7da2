# SPDX-License-Identifier: Apache-2.0
"""Calls whose arguments were checked and converted beforehand."""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyTypeObject
from libc.stdint cimport int32_t
from libc.string cimport memcpy

from tvmgo._core.convert cimport (
    NEEDS_COPY, Packed, PyObject, clear, pack, quiet_pack, take, unpack_owned,
)
from tvmgo._core.function cimport (
    Function, call_like, name_argument, refuse_keywords, release_packed, use_prepare,
)
from tvmgo._core.handle cimport live
from tvmgo._core.native_call cimport call_native, quiet_call
from tvmgo._core.staging cimport call_staged
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.pytype cimport (
    TVMGoNameType, TVMGoTakeConstructor, TVMGoUseVectorcall, newfunc,
)
from tvmgo.exceptions import TVMTypeError

cdef extern from "Python.h":
    PyObject** PySequence_Fast_ITEMS(PyObject* sequence)
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf)


@cython.final
@cython.no_gc_clear  # the cells borrow from `args`; other objects of a cycle can be cut instead
cdef class PreparedCall:
    """A function together with its arguments, made by `Function.prepare`.

    ``call()`` calls the function with the prepared arguments: arrays and buffers hold then what
    they hold, nothing is checked or converted again. ``call(*args)`` calls it with fresh
    arguments of the same types instead, this once; arrays must have the element type, shape and
    device of the prepared ones, which a plain call does not ask for. Both return what a plain call
    returns.

    Raises
    ------
    TypeError
        If the number of fresh arguments or the type of one differs; the function is not called.
    ValueError
        If a fresh array has another shape; the function is not called.
    TVMError
        The function's own error, as for a plain call.

    Notes
    -----
    Several threads may use one at the same time, as far as the function itself allows that. GIL
    as for a plain call. Keeps the function and the arguments alive.
    """

    cdef void* c_vectorcall         # the C function that answers calls, see TVMGoUseVectorcall
    cdef readonly Function function
    cdef readonly tuple args
    cdef TVMFFIAny* cells           # of the arguments; as many of packed, in the same memory
    cdef Packed* packed             # owns every object among the cells
    cdef int32_t count
    cdef bint staged                # some arguments have to be copied for each call

    def __dealloc__(self):
        cdef int32_t i
        for i in range(self.count):
            live.handles -= self.packed[i].owned != NULL
        release_packed(self.packed, self.count)
        PyMem_Free(self.cells)

    def __call__(self, *args):
        # Calls go straight to `vectorcall`; this is what `call.__call__` finds.
        cdef TVMFFIAny result
        call_fresh(self, PySequence_Fast_ITEMS(<PyObject*>args), len(args), &result)
        return unpack_owned(&result)

    def __repr__(self):
        return f"<tvmgo.PreparedCall of {self.function!r} with {self.count} arguments>"


# Without Cython's test of the result.
ctypedef PyObject* (*quiet_answer)(PyObject* self, PyObject* const* args, Py_ssize_t count,
                                   PyObject* names) noexcept


cdef int call_fresh(PreparedCall self, PyObject* const* args, Py_ssize_t count,
                    TVMFFIAny* result) except -1:
    if count == 0:
        return call_prepared(self, result)
    if count != self.count:
        raise TVMTypeError(f"the call was prepared for {self.count} arguments, got {count}")
    return call_like(self.function, args, count, self.cells, result)


cdef inline int call_prepared(PreparedCall self, TVMFFIAny* result) except -1:
    clear(result)
    if self.staged:
        return call_copied(self, result)
    return call_native(&self.function.c_entry, self.cells, self.count, result)


cdef int call_copied(PreparedCall self, TVMFFIAny* result) except -1:
    """Call with cells of its own, which staging changes."""
    cdef size_t nbytes = self.count * sizeof(TVMFFIAny)
    cdef TVMFFIAny* cells = <TVMFFIAny*>PyMem_Malloc(nbytes)
    if cells == NULL:
        raise MemoryError()
    memcpy(cells, self.cells, nbytes)
    try:
        return call_staged(&self.function.c_entry, cells, self.count, result)
    finally:
        PyMem_Free(cells)


cdef PyObject* answer_rarer(PyObject* self, PyObject* const* args, Py_ssize_t count,
                            PyObject* names) except NULL:
    cdef TVMFFIAny result
    if names != NULL:
        refuse_keywords(names)
    call_fresh(<PreparedCall>self, args, count, &result)
    return take(&result)


cdef PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t nargsf,
                          PyObject* names) except NULL:
    """Answers calls without arguments itself, which so save no registers that only others need."""
    cdef TVMFFIAny result
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    if count != 0 or names != NULL or (<PreparedCall>self).staged:
        return (<quiet_answer>answer_rarer)(self, args, count, names)
    clear(&result)
    if (<quiet_call>call_native)(&(<PreparedCall>self).function.c_entry, (<PreparedCall>self).cells,
                                 (<PreparedCall>self).count, &result) != 0:
        return NULL
    return take(&result)


cdef Py_ssize_t vectorcall_offset():
    cdef PreparedCall sample = <PreparedCall>construct(<PyTypeObject*>PreparedCall, (), NULL)
    return <char*>&sample.c_vectorcall - <char*><void*>sample


cdef newfunc construct = TVMGoTakeConstructor(<PyTypeObject*>PreparedCall)
TVMGoNameType(<PyTypeObject*>PreparedCall, b"tvmgo.PreparedCall")
TVMGoUseVectorcall(<PyTypeObject*>PreparedCall, vectorcall_offset())


def prepare(Function function, tuple args):
    """Do the work of `Function.prepare`."""
    cdef PreparedCall self = <PreparedCall>construct(<PyTypeObject*>PreparedCall, (), NULL)
    cdef int32_t count = len(args)
    cdef int found, seen = 0
    cdef TVMFFIAny* cell
    self.c_vectorcall = <void*>vectorcall
    self.function = function
    self.args = args
    self.cells = <TVMFFIAny*>PyMem_Malloc((count + 1) * (sizeof(TVMFFIAny) + sizeof(Packed)))
    if self.cells == NULL:
        raise MemoryError()
    self.packed = <Packed*>(self.cells + count)
    while self.count < count:
        cell = &self.cells[self.count]
        found = (<quiet_pack>pack)(<PyObject*>args[self.count], cell, &self.packed[self.count])
        if found < 0:
            name_argument(self.count)
        seen |= found
        if cell.type_index >= ffi.kTVMFFIStaticObjectBegin:
            if self.packed[self.count].owned == NULL:
                # The Python object holds it, too, but the garbage collector may cut that.
                ffi.TVMFFIObjectIncRef(cell.v_ptr)
                self.packed[self.count].owned = cell.v_ptr
            live.handles += 1
        self.count += 1
    self.staged = function.c_compiled and seen & NEEDS_COPY
    return self


use_prepare(prepare)
