# SPDX-License-Identifier: Apache-2.0
"""Versions: of tvmgo, and of the libraries that are loaded."""

import ctypes
import re

import pytest

import tvmgo


def test_version_is_that_of_the_distribution():
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z0-9.+]*)", tvmgo.__version__)


def test_runtime_version_is_what_the_loaded_library_says():
    library = ctypes.CDLL(tvmgo._native.locate.libraries()["tvm_ffi"])
    numbers = (ctypes.c_uint32 * 3)()
    library.TVMFFIGetVersion.restype = None
    library.TVMFFIGetVersion(numbers)
    assert tvmgo.runtime_version == ".".join(map(str, numbers))


def test_dlpack_version_is_what_exported_tensors_carry():
    capsule = tvmgo.empty(1).__dlpack__(max_version=(1, 0))
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    numbers = (ctypes.c_uint32 * 2).from_address(get_pointer(capsule, b"dltensor_versioned"))
    assert tvmgo.dlpack_version == ".".join(map(str, numbers))


@pytest.mark.parametrize("name", ["__version__", "runtime_version", "dlpack_version"])
def test_version_is_a_str(name):
    assert type(getattr(tvmgo, name)) is str
