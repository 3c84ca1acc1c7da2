# SPDX-License-Identifier: Apache-2.0
"""Tests of the kernels: what they take and refuse. The replays tell whether they compute right."""

import ctypes

import numpy as np
import pytest

import tvmgo
from conformance import kernels

# Shapes that each kernel accepts.
ACCEPTED = {
    "myadd": [(4,), (4,), (4,)],
    "global_avg_pool2d": [(1, 4, 5, 3), (1, 1, 1, 3)],
    "dense_bias": [(1, 3), (7, 3), (7,), (1, 7)],
    "square_normalise": [(1, 7), (1, 7)],
}

each_kernel = pytest.mark.parametrize("name", ACCEPTED)


def kernel(ffi_files, name):
    library = "deploy.so" if name == "myadd" else "mobilenet.so"
    return tvmgo.load_module(ffi_files / library).get_function(name)


def accepted(name):
    return [np.zeros(shape, np.float32) for shape in ACCEPTED[name]]


@each_kernel
def test_call_accepted_tensors_returns_none(ffi_files, name):
    assert kernel(ffi_files, name)(*accepted(name)) is None


@each_kernel
def test_call_too_few_arguments_raises_type_error(ffi_files, name):
    with pytest.raises(TypeError, match="number of arguments"):
        kernel(ffi_files, name)(*accepted(name)[1:])


@each_kernel
@pytest.mark.parametrize("other", [None, 1, "x"], ids=repr)
def test_call_argument_no_tensor_raises_type_error(ffi_files, name, other):
    with pytest.raises(TypeError, match="expected tensors"):
        kernel(ffi_files, name)(*accepted(name)[:-1], other)


@each_kernel
def test_call_other_element_type_raises_type_error(ffi_files, name):
    *others, last = accepted(name)
    with pytest.raises(TypeError, match="float32"):
        kernel(ffi_files, name)(*others, last.astype(np.float64))


@each_kernel
def test_call_strided_result_receives_what_a_compact_one_would(ffi_files, name):
    *others, last = [
        tvmgo.array(np.random.default_rng(1).random(shape, np.float32)) for shape in ACCEPTED[name]
    ]
    *leading, trailing = last.shape
    strided = np.zeros((*leading, 2 * trailing), np.float32)[..., ::2]
    kernel(ffi_files, name)(*others, last)
    kernel(ffi_files, name)(*others, strided)
    np.testing.assert_array_equal(strided, last.numpy())


@each_kernel
def test_call_tensors_of_unfitting_sizes_raises_value_error(ffi_files, name):
    with pytest.raises(ValueError, match="size|shapes"):
        kernel(ffi_files, name)(*accepted(name)[:-1], np.zeros(9, np.float32))


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    ]


class TVMFFIAny(ctypes.Structure):
    _fields_ = [
        ("type_index", ctypes.c_int32),
        ("padding", ctypes.c_uint32),
        ("pointer", ctypes.c_void_p),
    ]


def test_call_bare_dltensors_computes(ffi_files):
    # tvmgo passes tensors as objects. Compiled code passes pointers to what lies on its stack.
    memory = np.array([[-1, 1, 2], [-1, 10, 20], [-1, 0, 0]], np.float32)
    shape = (ctypes.c_int64 * 1)(2)
    tensors = [DLTensor(row.ctypes.data, 1, 0, 1, 2, 32, 1, shape, None, 4) for row in memory]
    args = (TVMFFIAny * 3)(*[TVMFFIAny(7, 0, ctypes.addressof(tensor)) for tensor in tensors])
    result = TVMFFIAny()
    tvmgo.load_module(ffi_files / "deploy.so")  # brings what the library needs
    library = ctypes.CDLL(str(ffi_files / "deploy.so"))

    assert library["__tvm_ffi_myadd"](None, args, 3, ctypes.byref(result)) == 0

    assert result.type_index == 0
    np.testing.assert_array_equal(memory[2], [-1, 11, 22])


def test_build_broken_source_raises_with_words_of_compiler(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "HERE", tmp_path)
    (tmp_path / "ffi").mkdir()
    (tmp_path / "ffi" / "broken.c").write_text("int f(void) { return undeclared; }\n")
    with pytest.raises(RuntimeError, match="undeclared"):
        kernels.build("ffi", "broken", tmp_path)
