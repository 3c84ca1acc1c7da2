# SPDX-License-Identifier: Apache-2.0
"""Python callables as functions of the runtime (tvm-ffi ``TVMFFIFunctionCell``; gotvm
``ConvertFunction``)."""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from libc.stdint cimport int32_t
from libc.stdlib cimport free

from tvmgo._core.array cimport Array
from tvmgo._core.array_copy cimport write_back
from tvmgo._core.error cimport raise_pending, raise_to_native
from tvmgo._core.function cimport (
    FEW_ARGUMENTS, Function, name_result, recognise_callbacks, use_for_collected, wrap_function,
)
from tvmgo._core.handle cimport count_callbacks
from tvmgo._core.owned_any cimport clear
from tvmgo._core.pack cimport pack_owned, register_converter
from tvmgo._core.release cimport Deleter, release
from tvmgo._core.staging cimport call_with_owned
from tvmgo._core.unchecked cimport (
    unchecked_name_result, unchecked_pack_owned, unchecked_receive, unchecked_run_callback,
    unchecked_write_all_back,
)
from tvmgo._core.unpack cimport new_reference, unpack_borrowed
from tvmgo._core.value cimport value_from_borrowed
from tvmgo.capi cimport ffi
from tvmgo.capi.callback_object cimport TVMGoCallback, TVMGoNewCallback
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.gil cimport TVMGoEnterPython, TVMGoGil, TVMGoLeavePython
from tvmgo.capi.python cimport (
    Py_DECREF, Py_EnterRecursiveCall, Py_INCREF, Py_LeaveRecursiveCall, Py_None,
    PyFunction_Check, PyObject_Vectorcall,
)
from tvmgo.capi.object_header cimport (
    kTVMFFIObjectDeleterFlagBitMaskStrong, kTVMFFIObjectDeleterFlagBitMaskWeak,
)
from tvmgo._core.pack import is_foreign
from tvmgo._core.value import Value
from tvmgo.exceptions import TVMError, TVMTypeError

cdef extern from "tensor/call_with_copies.h" nogil:
    bint TVMGoIsBareOnHost(const TVMFFIAny* any)


cdef void release_callable(void* self, int flags) noexcept:
    count_callbacks(-1)
    Py_DECREF(<PyObject*>(<TVMGoCallback*>self).callable)


cdef void release_callback(void* self, int flags) noexcept nogil:
    # The runtime may drop its last reference in any thread, after Python has ended, too.
    if flags & kTVMFFIObjectDeleterFlagBitMaskStrong:
        release(self, flags, <Deleter><void*>release_callable)
    if flags & kTVMFFIObjectDeleterFlagBitMaskWeak:
        free(self)


cdef int run_callback(PyObject* callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                      bint values) except -1:
    cdef PyObject* few[FEW_ARGUMENTS]
    cdef PyObject** received = few      # owned references
    cdef PyObject* returned = NULL
    cdef int32_t i, ready = 0
    cdef int code = -1
    cdef bint bare_tensors = False      # on other devices than the host
    if count > FEW_ARGUMENTS:
        received = <PyObject**>PyMem_Malloc(count * sizeof(PyObject*))
        if received == NULL:
            raise MemoryError()
    while ready < count:
        received[ready] = (<unchecked_receive>receive)(&args[ready], values)
        if received[ready] == NULL:
            break
        bare_tensors |= args[ready].type_index == ffi.kTVMFFIDLTensorPtr
        ready += 1
    if ready == count:
        returned = call_received(callback, received, count)
    if returned != NULL:
        code = 0
        if bare_tensors:
            code = (<unchecked_write_all_back>write_all_back)(received, args, count, values)
        if code == 0:
            code = pack_returned(returned, result)
        Py_DECREF(returned)
    for i in range(ready):
        Py_DECREF(received[i])
    if received != few:
        PyMem_Free(received)
    return code


cdef inline PyObject* receive(const TVMFFIAny* any, bint values) except NULL:
    return new_reference(value_from_borrowed(any) if values else unpack_borrowed(any))


cdef inline PyObject* call_received(PyObject* callback, PyObject* const* received,
                                    int32_t count) noexcept:
    """The result as a new reference, or NULL with the exception set."""
    cdef PyObject* returned
    if PyFunction_Check(callback):  # the interpreter counts the recursion of these itself
        return PyObject_Vectorcall(callback, received, count, NULL)
    if Py_EnterRecursiveCall(b" while calling a callback"):
        return NULL
    returned = PyObject_Vectorcall(callback, received, count, NULL)
    Py_LeaveRecursiveCall()
    return returned


cdef inline int pack_returned(PyObject* returned, TVMFFIAny* result) noexcept:
    """Like `pack_owned`; the error says that it is about the return value."""
    if returned == Py_None:  # what most return
        clear(result)
        return 0
    if (<unchecked_pack_owned>pack_owned)(<object>returned, result) != 0:
        return (<unchecked_name_result>name_result)()
    return 0


cdef int write_all_back(PyObject* const* received, const TVMFFIAny* args, int32_t count,
                        bint values) except -1:
    cdef int32_t i
    for i in range(count):
        if args[i].type_index == ffi.kTVMFFIDLTensorPtr:
            arg = <object>received[i]
            copy = arg.as_array() if values else arg
            write_back((<Array>copy).c_handle, <ffi.DLTensor*>args[i].v_ptr)
    return 0


cdef int run_with_gil(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                      bint values) noexcept:
    if (<unchecked_run_callback>run_callback)(<PyObject*>(<TVMGoCallback*>self).callable, args,
                                              count, result, values) != 0:
        return hand_over_exception()
    return 0


cdef inline bint has_bare_tensor(const TVMFFIAny* args, int32_t count) noexcept nogil:
    cdef int32_t i
    for i in range(count):
        if TVMGoIsBareOnHost(&args[i]):
            return True
    return False


ctypedef int (*with_gil_held)(void* self, const TVMFFIAny* args, int32_t count,
                              TVMFFIAny* result, bint values) noexcept nogil


cdef inline int enter_callback(void* self, const TVMFFIAny* args, int32_t count,
                               TVMFFIAny* result, bint values) noexcept nogil:
    cdef TVMGoGil gil
    cdef int code
    if has_bare_tensor(args, count):  # the copies are made, and written back, without the GIL
        return call_with_owned(call_with_values if values else call_with_objects, self, args,
                               count, result)
    gil = TVMGoEnterPython()
    code = (<with_gil_held><void*>run_with_gil)(self, args, count, result, values)
    TVMGoLeavePython(gil)
    return code


# What the runtime calls.
cdef int call_with_objects(void* self, const TVMFFIAny* args, int32_t count,
                           TVMFFIAny* result) noexcept nogil:
    return enter_callback(self, args, count, result, False)


cdef int call_with_values(void* self, const TVMFFIAny* args, int32_t count,
                          TVMFFIAny* result) noexcept nogil:
    return enter_callback(self, args, count, result, True)


cdef int hand_over_exception() noexcept:
    """Make the exception that is set the runtime's raised error."""
    try:
        raise_pending()
    except BaseException as error:
        raise_to_native(error)
    return -1


cdef void* new_callback(object callable, ffi.TVMFFISafeCallType entry) except NULL:
    cdef TVMGoCallback* self = TVMGoNewCallback(<void*>callable, entry, release_callback)
    if self == NULL:
        raise MemoryError()
    Py_INCREF(<PyObject*>callable)  # given back by release_callback
    count_callbacks(1)
    return self


cdef void* callback_from_callable(object callable) except NULL:
    return new_callback(callable, call_with_objects)


register_converter("callable", callback_from_callable)


def convert_function(f, values=False):
    """Make a function of the runtime from a Python callable.

    Parameters
    ----------
    f : callable or Function
        Called with plain Python objects; its result may be anything a function can be passed,
        or None. Kept alive until the runtime has dropped the last reference to the function.
        A `Function` is returned as it is, and tvm_ffi's as a `Function`.
    values : bool, default False
        Call `f` with `Value` objects instead.

    Returns
    -------
    Function

    Raises
    ------
    TypeError
        If `f` is not callable.

    Notes
    -----
    `f` runs with the GIL, in the thread that calls the function. Arrays arrive without a copy,
    except a bare ``DLTensor*`` that compiled code builds on its stack: `f` gets a copy, and what
    it changes there is written back when it returns. An exception leaves the outermost call as the
    same object.
    Source: ``TVMFFIFunctionCell``; gotvm ``ConvertFunction``.
    """
    if isinstance(f, Function):
        return f
    if is_foreign(f):
        return Value(f).as_function()
    if not callable(f):
        raise TVMTypeError(f"f: expected a callable, got {type(f).__name__}")
    return wrap_function(new_callback(f, call_with_values if values else call_with_objects))


def _collected(*args):
    raise TVMError("the function was garbage collected together with what it called")


use_for_collected(new_callback(_collected, call_with_objects))
recognise_callbacks(call_with_objects, call_with_values)
