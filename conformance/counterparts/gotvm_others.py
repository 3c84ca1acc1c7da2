# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``bytearray_test.go``, ``error_test.go`` and ``gotvm_test.go``, which are short."""

import random

import tvmgo
from conformance.catalogue import counterpart
from conformance.outcome import attempt


@counterpart("tests.TestByteArrayGet")
def byte_array_get():
    data = random.Random(0).randbytes(1024)
    assert bytes(tvmgo.ByteArray(data)) == data


@counterpart("tests.TestErrorTest")
def error_test():
    # gotvm's text had the system's "cannot open shared object"; the class says it here.
    error = attempt(tvmgo.load_module, "dummy.so").error
    assert isinstance(error, FileNotFoundError) and isinstance(error, tvmgo.TVMError)
    assert "dummy.so" in str(error)


@counterpart("tests.TestTVMVersion")
def tvm_version():
    assert isinstance(tvmgo.runtime_version, str)
    assert tvmgo.runtime_version


@counterpart("tests.TestDLPackVersion")
def dlpack_version():
    # An int in gotvm, 70 for 0.7; DLPack has major and minor now.
    major, _, minor = tvmgo.dlpack_version.partition(".")
    assert major.isdecimal()
    assert minor.isdecimal()
