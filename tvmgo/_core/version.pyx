# SPDX-License-Identifier: Apache-2.0
"""Versions: of tvmgo, and of the libraries that are loaded.

gotvm ``TVMVersion``, ``DLPackVersion``.
"""
from tvmgo._core.array cimport Array
from tvmgo._core.error cimport check
from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport DLManagedTensorVersioned
from tvmgo._core.array import empty

cdef extern from *:
    const char* TVMGO_VERSION  # defined by setup.py, which is the only place that says it

__version__ = TVMGO_VERSION.decode()


def _ffi_version():
    cdef ffi.TVMFFIVersion version
    ffi.TVMFFIGetVersion(&version)
    return f"{version.major}.{version.minor}.{version.patch}"


def _dlpack_version():
    # The library writes its version into every tensor it exports.
    cdef DLManagedTensorVersioned* managed = NULL
    cdef Array array = empty(())
    check(ffi.TVMFFITensorToDLPackVersioned(array.c_handle, &managed))
    try:
        return f"{managed.version.major}.{managed.version.minor}"
    finally:
        managed.deleter(managed)


runtime_version = _ffi_version()
dlpack_version = _dlpack_version()
