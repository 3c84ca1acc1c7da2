# SPDX-License-Identifier: Apache-2.0
"""Errors of the runtime as Python exceptions, and Python exceptions as errors of the runtime.

Source: tvm-ffi's ``TVMFFIErrorCell``; gotvm ``TVMGetLastError`` (which asked for the text in a
second call; here the error is taken from the call that failed).
"""
from cpython.exc cimport PyErr_Occurred
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF

from tvmgo._core.handle cimport cell, drop, type_index
from tvmgo._core.release cimport Deleter, release
from tvmgo.capi cimport ffi
from tvmgo.capi.python cimport PyErr_SetObject
from tvmgo import exceptions


# The runtime's error kind -> class. A kind that is not here, such as "InternalError" (a failed
# check inside the runtime), becomes a plain TVMError that keeps the kind as an attribute.
ERROR_CLASSES = {
    cls.kind: cls
    for cls in map(vars(exceptions).get, exceptions.__all__)
    if cls is not exceptions.TVMFunctionNotFoundError
}


# The same where no global name has to be looked up.
cdef dict classes = ERROR_CLASSES
cdef object base_class = exceptions.TVMError


cdef str text(const ffi.TVMFFIByteArray* view):
    return view.data[:view.size].decode("utf-8", "backslashreplace")


cdef int set_native_error() noexcept:
    cdef void* c_error = NULL
    ffi.TVMFFIErrorMoveFromRaised(&c_error)
    if PyErr_Occurred() != NULL:
        # A signal handler ran inside the call and raised; that exception is already set.
        if c_error != NULL:
            drop(c_error)
        return -1
    try:
        if c_error == NULL:
            exception = base_class("a native call failed without an error message")
        else:
            exception = exception_from_error(c_error)
    except BaseException as error:  # no memory for it, say
        exception = error
    PyErr_SetObject(type(exception), exception)
    return -1


cdef object exception_from_error(void* c_error):
    cdef ffi.TVMFFIErrorCell* c_cell = <ffi.TVMFFIErrorCell*>cell(c_error)
    cdef void* context = c_cell.extra_context
    try:
        if context != NULL and type_index(context) == ffi.kTVMFFIOpaquePyObject:
            origin = <object>(<ffi.TVMFFIOpaqueObjectCell*>cell(context)).handle
            if isinstance(origin, BaseException):
                return origin
        kind = text(&c_cell.kind)
        cls = classes.get(kind)
        exception = (base_class if cls is None else cls)(text(&c_cell.message))
        if cls is None:
            exception.kind = kind
        if c_cell.backtrace.size != 0:
            exception._native_frames = text(&c_cell.backtrace)
        return exception
    finally:
        drop(c_error)


cdef void give_back(void* py_object, int flags) noexcept:
    Py_DECREF(<object>py_object)


cdef void release_exception(void* py_object) noexcept nogil:
    release(py_object, 0, <Deleter><void*>give_back)


def _kind_of(exception):
    """Return the runtime's kind for a Python exception: that of its nearest known class."""
    if isinstance(exception, base_class) and isinstance(exception.kind, str):
        return exception.kind
    for cls in type(exception).__mro__:
        if cls.__name__ in ERROR_CLASSES:
            return cls.__name__
    return "RuntimeError"


def _python_frames(traceback):
    """Return the frames of a traceback as native backtraces are written, innermost first."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f'  File "{code.co_filename}", line {traceback.tb_lineno}, '
                      f'in {code.co_name}\n')
        traceback = traceback.tb_next
    return "".join(reversed(frames))


cdef ffi.TVMFFIByteArray view_of(bytes data) noexcept:
    cdef ffi.TVMFFIByteArray view
    view.data = data
    view.size = len(data)
    return view


cdef tuple describe(object exception):
    """Kind, message and frames of an exception, as bytes."""
    try:
        message = str(exception)
    except BaseException:  # whatever it is, the exception to report is the first one
        message = f"<{type(exception).__name__} whose __str__ fails>"
    return (_kind_of(exception).encode("utf-8", "backslashreplace"),
            message.encode("utf-8", "backslashreplace"),
            _python_frames(exception.__traceback__).encode("utf-8", "backslashreplace"))


cdef void* error_from_exception(object exception) except NULL:
    cdef bytes kind_data, message_data, frames_data
    try:
        kind_data, message_data, frames_data = describe(exception)
    except BaseException:  # the stack is full, say; the exception itself still travels
        kind_data, message_data, frames_data = b"RuntimeError", b"a Python exception", b""
    cdef ffi.TVMFFIByteArray kind = view_of(kind_data)
    cdef ffi.TVMFFIByteArray text_view = view_of(message_data)
    cdef ffi.TVMFFIByteArray frames = view_of(frames_data)
    cdef void* context = NULL
    cdef void* c_error = NULL
    # The error object owns the exception, never the other way round: no reference cycle.
    Py_INCREF(exception)
    if ffi.TVMFFIObjectCreateOpaque(<PyObject*>exception, ffi.kTVMFFIOpaquePyObject,
                                    release_exception, &context) != 0:
        Py_DECREF(exception)
        raise MemoryError("no memory for an error object")
    cdef int code = ffi.TVMFFIErrorCreateWithCauseAndExtraContext(
        &kind, &text_view, &frames, NULL, context, &c_error)
    drop(context)
    if code != 0:
        raise MemoryError("no memory for an error object")
    return c_error


cdef void raise_to_native(object exception) noexcept:
    cdef void* c_error
    try:
        c_error = error_from_exception(exception)
    except BaseException:
        ffi.TVMFFIErrorSetRaisedFromCStr(
            "MemoryError", "a Python exception could not be turned into a native error")
        return
    ffi.TVMFFIErrorSetRaised(c_error)
    drop(c_error)  # SetRaised added its own reference
