# SPDX-License-Identifier: Apache-2.0
"""The table of global functions (tvm-ffi ``TVMFFIFunctionGetGlobal`` and its neighbours; gotvm
``GetGlobalFunction``, ``RegisterFunction`` and the rest of ``function.go``)."""
from libc.stdint cimport int32_t

from cpython.object cimport PyObject

from tvmgo._core.error cimport check
from tvmgo._core.function cimport Function, wrap_function
from tvmgo._core.handle cimport drop
from tvmgo._core.native_call cimport builtin_function, call_short
from tvmgo._core.owned_any cimport clear
from tvmgo._core.pack cimport Packed, pack, utf8
from tvmgo._core.unpack cimport unpack_owned
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo._core.callback import convert_function
from tvmgo._native import companions, locate
from tvmgo.exceptions import TVMKeyError, TVMTypeError, TVMValueError


cdef TVMFFIByteArray name_view(bytes name) noexcept:
    cdef TVMFFIByteArray view
    view.data, view.size = <const char*>name, len(name)
    return view


cdef bytes encode_name(object name):
    if not isinstance(name, str):
        raise TVMTypeError(f"name: expected a str, got {type(name).__name__}")
    try:
        return utf8(name)
    except TVMValueError as error:
        raise TVMValueError(f"name: {error}") from None


# Found when the module is imported: anybody may remove or replace them later.
cdef void* table_names = builtin_function(b"ffi.FunctionListGlobalNamesFunctor")
cdef void* table_remove = builtin_function(b"ffi.FunctionRemoveGlobal")


cdef object call_table(void* c_function, tuple args):
    """Call one of the table's own functions without giving the GIL away.

    libtvm_ffi guards the table by nothing; the GIL keeps Python's threads from changing it at the
    same time.
    """
    cdef Packed packed
    cdef TVMFFIAny argument, result
    clear(&argument)
    clear(&result)
    packed.owned = NULL
    if args:
        pack(<PyObject*>args[0], &argument, &packed)
    try:
        call_short(c_function, &argument, <int32_t>len(args), &result)
    finally:
        if packed.owned != NULL:
            drop(packed.owned)
    return unpack_owned(&result)


cdef Function find_global(bytes name):
    cdef TVMFFIByteArray view = name_view(name)
    cdef void* function = NULL
    check(ffi.TVMFFIFunctionGetGlobal(&view, &function))
    return None if function == NULL else wrap_function(function)


def has_global_function(name):
    """Return whether there is a global function of this name now. Loads nothing."""
    return find_global(encode_name(name)) is not None


def get_global_function(name):
    """Return the global function of this name.

    Parameters
    ----------
    name : str
        A name from `list_global_functions`. The runtime libraries are loaded if libtvm_ffi alone
        does not have it.

    Returns
    -------
    Function

    Raises
    ------
    KeyError
        If there is none; the message suggests similar names. A `TVMError` as well.
    TypeError
        If `name` is not a str.

    Notes
    -----
    Source: ``TVMFFIFunctionGetGlobal``; gotvm ``GetGlobalFunction``.
    """
    key = encode_name(name)
    function = find_global(key)
    # The runtime, then what it keeps apart from it: each library is loaded only when a name is
    # in none of those before.
    for load in (locate.load_if_found, companions.load_extra):
        if function is None and load():
            function = find_global(key)
    if function is None:
        # Costs more than all of tvmgo's extension modules.
        from tvmgo._core.function_names import meant_by
        near = meant_by(name, list_global_functions())
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise TVMKeyError(f"there is no global function {name!r}{hint}")
    return function


def list_global_functions():
    """Return the names of all global functions.

    Returns
    -------
    list of str
        Sorted. The runtime library is loaded first, so that its functions are in the list.

    Notes
    -----
    Source: ``ffi.FunctionListGlobalNamesFunctor``; gotvm ``FuncListGlobalNames``.
    """
    locate.load_if_found()
    cdef Function name_at = call_table(table_names, ())
    count = call_table(name_at.c_handle, (-1,))
    return sorted([call_table(name_at.c_handle, (i,)) for i in range(count)])


def register_function(f=..., name=None, *, override=False, values=False):
    """Put a Python callable into the table of global functions.

    Can be used as a call, ``register_function(f, "name")``, and as a decorator,
    ``@register_function``, ``@register_function("name")``.

    Parameters
    ----------
    f : callable or Function
        As for `convert_function`. Kept alive until it is removed or replaced and nobody else
        holds the function.
    name : str, optional
        Default: ``module.qualname`` of `f`.
    override : bool, default False
        Replace a function that has the name already.
    values : bool, default False
        Call `f` with `Value` objects.

    Returns
    -------
    callable
        `f` itself; without `f`, the decorator.

    Raises
    ------
    ValueError
        If the name is taken and `override` is False, or `f` has no name of its own and none is
        given. The table is left as it was.
    TypeError
        If `f` is not callable or `name` not a str.

    Notes
    -----
    Source: ``TVMFFIFunctionSetGlobal``; gotvm ``RegisterFunction``.
    """
    if f is ... or isinstance(f, str):
        if isinstance(f, str):
            if name is not None:
                raise TVMTypeError(f"f: expected a callable, got the str {f!r}")
            name = f
        return lambda g: register_function(g, name, override=override, values=values)
    cdef Function function = convert_function(f, values)
    if name is None:
        name = default_name(f)
    key = encode_name(name)
    if not override and find_global(key) is not None:
        raise TVMValueError(f"name: global function {name!r} is already registered; "
                            f"override=True replaces it")
    cdef TVMFFIByteArray view = name_view(key)
    check(ffi.TVMFFIFunctionSetGlobal(&view, function.c_handle, bool(override)))
    return f


cdef str default_name(object f):
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)):
        raise TVMValueError(f"name: a {type(f).__name__} has no name of its own; give one")
    return f"{module}.{name}"


def remove_global_function(name):
    """Take a function out of the table of global functions.

    Parameters
    ----------
    name : str
        Whoever holds the function can go on calling it.

    Raises
    ------
    KeyError
        If there is no such function. A `TVMError` as well.

    Notes
    -----
    Source: ``ffi.FunctionRemoveGlobal``; gotvm had no such call.
    """
    if find_global(encode_name(name)) is None:
        raise TVMKeyError(f"there is no global function {name!r}")
    call_table(table_remove, (name,))
