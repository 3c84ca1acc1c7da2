# SPDX-License-Identifier: Apache-2.0
"""Modules: compiled libraries and other holders of functions (tvm-ffi, gotvm ``Module``)."""
import os
import re

cimport cython
from cpython.object cimport PyTypeObject

from tvmgo._core.error cimport check
from tvmgo._core.function cimport Function, bind_code, mark_compiled
from tvmgo._core.handle cimport Object, adopt_owned, to_tvm_ffi
from tvmgo._core.owned_any cimport clear
from tvmgo._core.unpack cimport register_wrapper, unpack_owned
from tvmgo.capi cimport ffi
from tvmgo.capi.cpu_features cimport TVMGoMissingCpuFeature
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.library cimport TVMGoLeaveLibrary, TVMGoLoadedLibrary, TVMGoSymbol
from tvmgo.capi.pytype cimport TVMGoNameType, TVMGoTakeConstructor, newfunc
from tvmgo._core.registry import get_global_function
from tvmgo._core.timing import make_timer, read_times
from tvmgo._native import linking, locate
from tvmgo._native.forks import loading
from tvmgo._native.library_files import load_file
from tvmgo.exceptions import (
    TVMError, TVMFileNotFoundError, TVMFunctionNotFoundError, TVMTypeError, TVMValueError,
)

# What the platforms call a shared library; one loader reads them all.
SHARED_LIBRARY_FORMATS = ("so", "dll", "dylib", "dso")
# What Linux appends: libx.so.6
cdef object VERSION_SUFFIX = re.compile(r"(?<=\.so)(\.[0-9]+)+$")
# How to treat one, whatever its symbols say.
GENERATIONS = ("classic", "modern")

cdef str LIBRARY = "library"
# Serves one thread at a time: two at once would get each other's results.
cdef str VIRTUAL_MACHINE = "relax.VirtualMachine"

# Kinds of modules whose functions run compiled code on their arguments themselves.
COMPILED_KINDS = (LIBRARY, VIRTUAL_MACHINE)

# Libraries for the Relax virtual machine, which finds functions by name when it is initialised.
cdef str VM_LIBRARY = "relax.VMExecutable"

_get_function = get_global_function("ffi.ModuleGetFunction")
_get_kind = get_global_function("ffi.ModuleGetKind")


@cython.final
cdef class Module(Object):
    """A holder of functions, such as a compiled library or a graph executor.

    Made by `load_module`, `system_library` and by functions of the runtime. A function got from
    a module keeps what it needs of it alive.

    Source: tvm-ffi ``ModuleObj``; gotvm ``Module``.
    """

    def __dealloc__(self):
        if self.c_library != NULL:
            TVMGoLeaveLibrary(self.c_library)

    @property
    def kind(self):
        """What kind of module it is, such as ``"library"`` or ``"GraphExecutor"``."""
        return _get_kind(self)

    @property
    def imports(self):
        """The modules this one imports, a list of `Module`."""
        cdef TVMFFIAny result
        cdef const ffi.TVMFFIFieldInfo* field = imports_field()
        clear(&result)
        check(field.getter(<char*>self.c_handle + field.offset, &result))
        return unpack_owned(&result)

    def get_function(self, name, query_imports=True):
        """Return the function of this name.

        Parameters
        ----------
        name : str
        query_imports : bool, default True
            Look into imported modules as well.

        Returns
        -------
        Function

        Raises
        ------
        KeyError, AttributeError
            If the module has no such function; one exception that is both, and a `TVMError`.
        TypeError
            If `name` is not a str.

        Notes
        -----
        Source: ``ffi.ModuleGetFunction``; gotvm ``Module.GetFunction``, whose optional argument
        failed.
        """
        function = find_function(self, name, query_imports)
        if function is None:
            raise TVMFunctionNotFoundError(f"the {self.kind} module has no function {name!r}")
        return function

    def __getitem__(self, name):
        return self.get_function(name)

    def __contains__(self, name):
        return find_function(self, name, True) is not None

    def __call__(self, *args):
        """Call the module's entry function, ``main``."""
        return self.get_function("main")(*args)

    def time_evaluator(self, func_name, device, number=10, repeat=1, min_repeat_ms=0,
                       limit_zero_time_iterations=100, cooldown_interval_ms=0,
                       repeats_to_cooldown=1):
        """Return a callable that times a function, without Python in between.

        Parameters
        ----------
        func_name : str
            A function of this module.
        device : Device or str
            Where the function works. The clock is the host's; the default stream of a device other
            than the host is waited for when it starts and when it stops.
        number : int, default 10
            Calls per mean; raised until a repeat lasts `min_repeat_ms` milliseconds.
        repeat : int, default 1
            How many means to take.
        min_repeat_ms : int, default 0
        limit_zero_time_iterations : int, default 100
            Give up raising `number` after that many readings of zero.
        cooldown_interval_ms, repeats_to_cooldown : int
            Sleep that many milliseconds after every so many repeats.

        Returns
        -------
        callable
            Takes the arguments of the function and returns a `BenchmarkResult`, with ``mean`` and
            ``results`` in seconds. Keeps the function alive.

        Raises
        ------
        KeyError
            If the module has no such function.
        ValueError, TypeError
            If a number is none or too small, or `device` is no device.
        TVMError
            If `device` is one that the runtime cannot use.

        Notes
        -----
        The callable calls the function once to warm up, without the GIL, and answers Ctrl-C within
        a second or a call of the function. A module on another machine (of kind ``"rpc"``) is timed
        there, by its runtime's ``runtime.RPCTimeEvaluator``, until that is done.
        Source: TVM's ``Module.time_evaluator``.
        """
        self.get_function(func_name)
        cdef Function timer = make_timer(
            self, func_name, device, number, repeat, min_repeat_ms, limit_zero_time_iterations,
            cooldown_interval_ms, repeats_to_cooldown,
        )
        timer.c_compiled = True  # it passes its arguments on, maybe to compiled code
        return lambda *args: read_times(timer(*args))

    def __tvm_ffi_object__(self):
        # tvm_ffi asks for its own wrapper around the same module.
        return to_tvm_ffi(self)

    def __repr__(self):
        return f"<tvmgo.Module {self.kind} at {<size_t>self.c_handle:#x}>"


cdef newfunc construct = TVMGoTakeConstructor(
    <PyTypeObject*>Module, b"tvmgo.load_module")
TVMGoNameType(<PyTypeObject*>Module, b"tvmgo.Module")


cdef object find_function(Module self, object name, object query_imports):
    """The function, from this module or (depth first, as the runtime searches) an imported one."""
    if not isinstance(name, str):
        raise TVMTypeError(f"name: expected a str, got {type(name).__name__}")
    if "\0" in name:  # no symbol of a library can have one
        return None
    function = _get_function(self, name, False)
    if function is not None:
        kind = self.kind
        if kind in COMPILED_KINDS:
            mark_compiled(function)
        if kind == VIRTUAL_MACHINE:
            function = get_global_function("tvmgo.one_thread_at_a_time")(self, function, name)
            # It alone: all functions of ours in C++ have one entry.
            (<Function>function).c_compiled = True
        if kind == LIBRARY:
            enter_at_symbol(function, self.c_library, name)
        return function
    if query_imports:
        for module in self.imports:
            function = find_function(module, name, True)
            if function is not None:
                return function
    return None


cdef int enter_at_symbol(Function function, void* library, str name) except -1:
    """Let calls of a library's function go straight to its symbol, past the runtime's wrapper."""
    cdef void* address
    cdef bytes symbol
    if library != NULL:
        symbol = b"__tvm_ffi_" + name.encode("utf-8", "surrogateescape")
        address = TVMGoSymbol(library, symbol)
        if address != NULL:
            bind_code(function, address)
    return 0


cdef const ffi.TVMFFIFieldInfo* imports_field() except NULL:
    cdef const ffi.TVMFFITypeInfo* info = ffi.TVMFFIGetTypeInfo(ffi.kTVMFFIModule)
    cdef int i
    for i in range(info.num_fields):
        if info.fields[i].name.data[:info.fields[i].name.size] == b"imports_":
            return &info.fields[i]
    raise TVMError("this libtvm_ffi does not tell a module's imports")


cdef object wrap_module(void* c_handle):
    cdef Module self = <Module>construct(<PyTypeObject*>Module, (), NULL)
    adopt_owned(self, c_handle)
    return self


register_wrapper(ffi.kTVMFFIModule, wrap_module)


def load_module(path, format=None, private=None):
    """Load a compiled library.

    Parameters
    ----------
    path : str or os.PathLike
        The file; a relative one is looked up in the current directory and nowhere else.
    format : str, optional
        How to read it: ``"so"``, ``"dll"``, ``"dylib"`` and ``"dso"`` all mean a shared library,
        whose symbols tell which calling convention it has; ``"classic"`` (TVM 0.2 to 0.20) and
        ``"modern"`` say so instead. Object files and archives of them (``"o"``, ``"obj"``,
        ``"a"``, ``"tar"``, ``"tgz"``) are linked to one first by the C++ compiler that the
        environment variable ``CXX`` or ``CC`` names, or that is found. Default, and for ``""``:
        what follows the last dot of the path, a version as in ``libx.so.6`` not counted.
    private : bool, optional
        Whether to load a copy of a shared library that nobody can write to. False maps the file
        itself, which must not be overwritten while it is loaded: that changes code which is
        running, and ends the process sooner or later. True copies a file of any size. Default: a
        copy where it costs next to nothing, because the file system can clone files, or the file
        is no larger than 32 MiB; but the file itself where this process has opened it already
        in another way, or it names files relative to its own place (``$ORIGIN``).

    Returns
    -------
    Module
        Of kind ``"library"``, ``"classic_library"`` for one of TVM 0.2 to 0.20, or of the kind
        embedded in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file. A `TVMError` as well.
    ValueError
        If the path is empty, there is no loader for the format, or the file is no library or has
        no code for this processor.
    ImportError
        If libtvm_runtime is not installed; the message says what to install. A `TVMError` as well.
    OSError
        If `private` is True and no copy can be made. A `TVMError` as well.
    TVMError
        If the file is not a library this machine can load; if it has to be linked and cannot be;
        if it is mapped in place and was overwritten since; if it is being written to.
    TypeError
        If `path` is not a path, `format` no str, or `private` no bool.

    Notes
    -----
    Loading runs the library's own start-up code. The GIL is released meanwhile. A file that was
    replaced since it was loaded is loaded anew; one that was not is in memory once, with one set of
    variables, however often it is loaded. Loading may take 20 ms longer for a file that was written
    only just now.
    Source: ``ffi.Module.load_from_file.<format>``; gotvm ``LoadModuleFromFile``.
    """
    try:
        path = os.fsdecode(path)
    except TypeError:
        raise TVMTypeError(f"path: expected a str or os.PathLike, "
                           f"got {type(path).__name__}") from None
    if not path or "\0" in path:
        raise TVMValueError(f"path: expected the path of a file, got {path!r}")
    if format is not None and not isinstance(format, str):
        raise TVMTypeError(f"format: expected a str, got {type(format).__name__}")
    if private is not None and not isinstance(private, bool):
        raise TVMTypeError(f"private: expected True, False or None, got {type(private).__name__}")
    path = os.path.abspath(path)
    if not os.path.exists(path):
        raise TVMFileNotFoundError.for_argument("path", path)
    if os.path.isdir(path):
        raise TVMValueError(f"path: {path!r} is a directory, expected a library")
    if not os.path.isfile(path):
        raise TVMValueError(f"path: {path!r} is no regular file, expected a library")
    locate.load()
    if not format:
        format = format_of(os.path.basename(path))
    loader = loader_for(format)
    if format in SHARED_LIBRARY_FORMATS or format in GENERATIONS or format in linking.FORMATS:
        reader = format if format in GENERATIONS else "so"
        with linking.linked(path, format in linking.FORMATS) as library:
            # What was linked just now lies where nobody else writes.
            return load_file(library, private if library == path else False, _needs_origin,
                             lambda source, name: load_as(path, reader, source, name))
    return loader(path, format)


def load_own_file(path, shown):
    """Load a library, or object files, that nobody else can write to, as `load_module` does.

    Parameters
    ----------
    path : str or os.PathLike
        Of use only until this returns.
    shown : str
        Its name in messages.
    """
    locate.load()
    with linking.linked(os.fspath(path), False) as library:
        return load_as(shown, "so", library, library)


cdef object load_as(str path, str reader, str source, str name):
    """The module of a file that can be read at `source` and opened as `name`."""
    cdef Module module
    cdef bytes encoded = os.fsencode(name)
    cdef const char* c_name = encoded
    with loading:
        module = get_global_function("tvmgo.load_library_copy")(path, reader, source, name)
        with nogil:  # others may wait for the GIL inside of the system's loader
            module.c_library = TVMGoLoadedLibrary(c_name)
    check_cpu(module, path)
    if module.kind == VM_LIBRARY:
        # Costs more than loading a library of kernels alone.
        from tvmgo._core.vm_builtins import provide
        provide()
    return module


cdef int check_cpu(Module module, str path) except -1:
    """Refuse a library made for instructions that this processor lacks: they would end the process.

    The exporter writes down which it used; libraries of others say nothing.
    """
    cdef const char* needed = NULL
    cdef const char* missing
    if module.c_library != NULL:
        needed = <const char*>TVMGoSymbol(module.c_library, b"tvmgo_cpu_features")
    if needed != NULL:
        missing = TVMGoMissingCpuFeature(needed)
        if missing != NULL:
            raise TVMError(
                f"path: {path!r} was compiled for processors with {missing.decode()}, "
                "which this one lacks; export it for a target that all your machines have")
    return 0


def missing_cpu_feature(needed):
    """Return the first of these instructions, named as LLVM does, that this processor lacks.

    `needed` are names with commas between, as a library has them in ``tvmgo_cpu_features``. None if
    it has all of them; names that nobody knows count as present.
    """
    cdef bytes names = needed.encode()
    cdef const char* missing = TVMGoMissingCpuFeature(names)
    return None if missing == NULL else missing.decode()


def _needs_origin(path):
    return bool(get_global_function("tvmgo.library_needs_origin")(path))


cdef str format_of(str name):
    """The format that the name of a file tells."""
    format = "tar" if name.endswith(".tar.gz") else os.path.splitext(
        VERSION_SUFFIX.sub("", name))[1][1:]
    try:
        loader_for(format)
    except TVMValueError:
        raise TVMValueError(f"path: the name {name!r} does not tell the format, there is no loader "
                            f"for '.{format}'; for a shared library, pass format=\"so\"") from None
    return format


cdef object loader_for(str format):
    name = "so" if format in SHARED_LIBRARY_FORMATS or format in linking.FORMATS else format
    try:
        return get_global_function(f"ffi.Module.load_from_file.{name}")
    except KeyError:
        raise TVMValueError(f"format: Loader for `.{format}` files is not registered; shared "
                            f"libraries are {', '.join(SHARED_LIBRARY_FORMATS)}") from None


def system_library(prefix=""):
    """Return the module of functions that are linked into the program itself, or into libraries
    that something else than tvmgo has opened.

    Parameters
    ----------
    prefix : str, default ""
        Put before each name that is looked up.

    Returns
    -------
    Module
        With what has been registered until then. If there are functions of TVM 0.2 to 0.20, they
        come first, found without the prefix as well, and the module is of kind
        ``"classic_library"``.

    Raises
    ------
    ImportError
        If libtvm_runtime is not installed.
    TypeError
        If `prefix` is no str.

    Notes
    -----
    The C functions by which such libraries register their functions can be found from the time when
    tvmgo is imported, except in an environment with another package `tvm` than a tested apache-tvm,
    which has its own; those for workspaces and parallel kernels come with libtvm_runtime, which the
    first call of this or of `load_module` loads.
    Source: ``ffi.SystemLib``; ``tvm.runtime.system_lib``.
    """
    if not isinstance(prefix, str):
        raise TVMTypeError(f"prefix: expected a str, got {type(prefix).__name__}")
    locate.load()
    return get_global_function("tvmgo.system_library")(prefix)
