# SPDX-License-Identifier: Apache-2.0
"""Calls whose arguments were checked and converted beforehand."""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport int32_t

from tvmgo._core.device cimport device_name
from tvmgo._core.dtype cimport same_dtype, wrap_dtype
from tvmgo._core.function cimport (
    Function, call_checked, name_argument, refuse_keywords, release_packed, use_prepare,
)
from tvmgo._core.handle cimport count_handles, share
from tvmgo._core.native_call cimport call_native
from tvmgo._core.owned_any cimport clear
from tvmgo._core.pack cimport NEEDS_COPY, Packed, pack
from tvmgo._core.staging cimport call_staged
from tvmgo._core.tensor cimport shape_of, tensor_of
from tvmgo._core.unchecked cimport (
    unchecked_call_native, unchecked_call_with_names, unchecked_check, unchecked_pack,
)
from tvmgo._core.unpack cimport unpack_owned, unpack_result
from tvmgo._core.value cimport kind_name
from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.python cimport PySequence_Fast_ITEMS, PyVectorcall_NARGS
from tvmgo.capi.pytype cimport (
    TVMGoNameType, TVMGoTakeConstructor, TVMGoUseVectorcall, newfunc,
)
from tvmgo.exceptions import TVMTypeError, TVMValueError


@cython.final
@cython.no_gc_clear  # `c_args` borrows from `given`; other objects of a cycle can be cut instead
cdef class PreparedCall:
    """A function together with its arguments, made by `Function.prepare`.

    ``call()`` calls the function with the prepared arguments. Nothing is checked or converted
    again; arrays and buffers are passed with the contents they have at that moment.
    ``call(*args)`` calls the function once with other arguments of the same types. Unlike a plain
    call it refuses arrays whose element type, shape or device differs from the prepared ones. Both
    return what a plain call returns.

    Raises
    ------
    TypeError
        If the number of the other arguments or the type of one differs; the function is not called.
    ValueError
        If another array has another shape; the function is not called.
    TVMError
        The function's own error, as for a plain call.

    Notes
    -----
    Several threads may use one at the same time, as far as the function itself allows that. GIL
    as for a plain call. Keeps the function and the arguments alive.
    """

    cdef void* c_vectorcall         # the C function that answers calls, see TVMGoUseVectorcall
    cdef Function callee
    cdef tuple given
    cdef TVMFFIAny* c_args          # `count` of them; as many of `packed` in the same memory
    cdef Packed* packed             # owns every object among the arguments
    cdef int32_t count
    cdef bint staged                # some arguments have to be copied for each call

    def __dealloc__(self):
        cdef int32_t i
        for i in range(self.count):
            count_handles(-(self.packed[i].owned != NULL))
        release_packed(self.packed, self.count)
        PyMem_Free(self.c_args)

    @property
    def function(self):
        """The function that is called, as it was prepared."""
        return self.callee

    @property
    def args(self):
        """The prepared arguments, a tuple of the very objects that `Function.prepare` was given.

        What is written into an array or buffer among them counts at the next call; changes of lists
        and dicts do not.
        """
        return self.given

    def __call__(self, *args):
        # Calls go straight to `vectorcall`; this is what `call.__call__` finds.
        cdef TVMFFIAny result
        call_with(self, PySequence_Fast_ITEMS(<PyObject*>args), len(args), &result)
        return unpack_owned(&result)

    def __repr__(self):
        return f"<tvmgo.PreparedCall of {self.callee!r} with {self.count} arguments>"


cdef int call_with(PreparedCall self, PyObject* const* args, Py_ssize_t count,
                   TVMFFIAny* result) except -1:
    if count == 0:
        return call_prepared(self, result)
    if count != self.count:
        raise TVMTypeError(f"the call was prepared for {self.count} arguments, got {count}")
    return call_checked(self.callee, args, count, <unchecked_check>check_alike, self.c_args,
                        result)


cdef inline int call_prepared(PreparedCall self, TVMFFIAny* result) except -1:
    clear(result)
    if self.staged:
        return call_staged(&self.callee.c_entry, self.c_args, self.count, result)
    return call_native(&self.callee.c_entry, self.c_args, self.count, result)


cdef PyObject* call_general(PyObject* self, PyObject* const* args, Py_ssize_t count,
                            PyObject* names) except NULL:
    """Answers every kind of call."""
    cdef TVMFFIAny result
    if names != NULL:
        refuse_keywords(names)
    call_with(<PreparedCall>self, args, count, &result)
    return unpack_result(&result)


cdef PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t nargsf,
                          PyObject* names) except NULL:
    """Answers plain calls without arguments and leaves the others to a function of their own.

    Both in one function would save registers in every call that only the others need.
    """
    cdef TVMFFIAny result
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    if count != 0 or names != NULL or (<PreparedCall>self).staged:
        return (<unchecked_call_with_names>call_general)(self, args, count, names)
    clear(&result)
    if (<unchecked_call_native>call_native)(
            &(<PreparedCall>self).callee.c_entry, (<PreparedCall>self).c_args,
            (<PreparedCall>self).count, &result) != 0:
        return NULL
    return unpack_result(&result)


# ---------------------------------------------------------------- other arguments

cdef int check_alike(const TVMFFIAny* expected, const TVMFFIAny* args,
                     Py_ssize_t count) except -1:
    """Refuse arguments of other types than the prepared ones."""
    cdef Py_ssize_t i
    for i in range(count):
        check_argument(&expected[i], &args[i], i)
    return 0


cdef int check_argument(const TVMFFIAny* expected, const TVMFFIAny* any,
                        Py_ssize_t index) except -1:
    if any.type_index != expected.type_index and kind_name(any) != kind_name(expected):
        raise TVMTypeError(f"argument {index}: the call was prepared for {kind_name(expected)}, "
                           f"got {kind_name(any)}")
    if any.type_index != ffi.kTVMFFITensor:
        return 0
    return check_tensor(tensor_of(expected.v_ptr), tensor_of(any.v_ptr), index)


cdef int check_tensor(DLTensor* expected, DLTensor* tensor, Py_ssize_t index) except -1:
    if not same_dtype(expected.dtype, tensor.dtype):
        raise TVMTypeError(f"argument {index}: the call was prepared for elements of type "
                           f"{wrap_dtype(expected.dtype)}, got {wrap_dtype(tensor.dtype)}")
    if (expected.device.device_type != tensor.device.device_type
            or expected.device.device_id != tensor.device.device_id):
        raise TVMTypeError(f"argument {index}: the call was prepared for an array on "
                           f"{device_name(expected.device)}, got one on "
                           f"{device_name(tensor.device)}")
    if not same_shape(expected, tensor):
        raise TVMValueError(f"argument {index}: the call was prepared for an array of shape "
                            f"{shape_of(expected)}, got {shape_of(tensor)}")
    return 0


cdef bint same_shape(DLTensor* a, DLTensor* b) noexcept:
    cdef int i
    if a.ndim != b.ndim:
        return False
    for i in range(a.ndim):
        if a.shape[i] != b.shape[i]:
            return False
    return True


# ---------------------------------------------------------------- making one

cdef Py_ssize_t vectorcall_offset():
    cdef PreparedCall sample = <PreparedCall>construct(<PyTypeObject*>PreparedCall, (), NULL)
    return <char*>&sample.c_vectorcall - <char*><void*>sample


cdef newfunc construct = TVMGoTakeConstructor(
    <PyTypeObject*>PreparedCall, b"Function.prepare")
TVMGoNameType(<PyTypeObject*>PreparedCall, b"tvmgo.PreparedCall")
TVMGoUseVectorcall(<PyTypeObject*>PreparedCall, vectorcall_offset())


def prepare(Function function, tuple args):
    """Do the work of `Function.prepare`."""
    cdef PreparedCall self = <PreparedCall>construct(<PyTypeObject*>PreparedCall, (), NULL)
    cdef int32_t count = len(args)
    cdef int found, seen = 0
    cdef TVMFFIAny* any
    self.c_vectorcall = <void*>vectorcall
    self.callee = function
    self.given = args
    self.c_args = <TVMFFIAny*>PyMem_Malloc((count + 1) * (sizeof(TVMFFIAny) + sizeof(Packed)))
    if self.c_args == NULL:
        raise MemoryError()
    self.packed = <Packed*>(self.c_args + count)
    while self.count < count:
        any = &self.c_args[self.count]
        found = (<unchecked_pack>pack)(<PyObject*>args[self.count], any, &self.packed[self.count])
        if found < 0:
            name_argument(self.count)
        seen |= found
        if any.type_index >= ffi.kTVMFFIStaticObjectBegin:
            if self.packed[self.count].owned == NULL:
                # The Python object holds it, too, but the garbage collector may cut that.
                self.packed[self.count].owned = share(any.v_ptr)
            count_handles(1)
        self.count += 1
    self.staged = function.c_compiled and seen & NEEDS_COPY
    return self


use_prepare(prepare)
