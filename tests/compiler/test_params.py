# SPDX-License-Identifier: Apache-2.0
"""The blob of parameters, byte by byte."""

import io

import ml_dtypes
import numpy as np
import pytest
import tvm

import tvmgo
from tvmgo.compiler.graph.element_types import ELEMENT_TYPES
from tvmgo.compiler.graph.params import write_params


def blob(params):
    file = io.BytesIO()
    write_params(file.write, params)
    return file.getvalue()


WORKED_EXAMPLE = """
b7 9c 04 05 4f 8d e5 f7 00 00 00 00 00 00 00 00
02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
6b 30 02 00 00 00 00 00 00 00 6e 31 02 00 00 00
00 00 00 00 3f a1 b4 96 f0 40 5e dd 00 00 00 00
00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00
02 20 01 00 02 00 00 00 00 00 00 00 08 00 00 00
00 00 00 00 00 00 c0 3f 00 00 00 c0 3f a1 b4 96
f0 40 5e dd 00 00 00 00 00 00 00 00 01 00 00 00
00 00 00 00 00 00 00 00 00 40 01 00 08 00 00 00
00 00 00 00 07 00 00 00 00 00 00 00
"""


def test_write_params_gives_the_bytes_of_a_classic_blob():
    params = {"k0": np.array([1.5, -2.0], "float32"), "n1": np.array(7, "int64")}
    assert blob(params) == bytes.fromhex(WORKED_EXAMPLE)


def test_write_params_without_params_writes_two_empty_lists():
    assert blob({}) == bytes.fromhex("b79c04054f8de5f7" + "00" * 24)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_write_params_equals_save_params_of_the_runtime(dtype):
    kind = getattr(ml_dtypes, dtype, dtype)
    value = np.array([[0, 1], [1, 0]]).astype(kind)
    save_params = tvm.get_global_func("runtime.SaveParams")
    assert blob({"weight": value}) == bytes(save_params({"weight": tvm.runtime.tensor(value)}))


def test_large_tensors_lie_where_kernels_can_read_them_in_a_mapped_file():
    numbers = np.random.default_rng(1)
    params = {
        "bias": numbers.random(7, "float32"),
        "weights": numbers.random((8, 3, 16, 16), "float32"),
        "table": numbers.integers(0, 99, (1 << 14) + 1).astype("int8"),
        "scalar": np.array(5, "int64"),
        "cube": numbers.random((2, 4096, 1)),
        "just too small": np.zeros((1 << 14) - 1, "uint8"),
    }
    data = blob(params)
    places = {name: data.find(value.tobytes()) for name, value in params.items()}
    assert all(place > 0 for place in places.values())
    assert [places[name] % 64 for name in ("weights", "table", "cube")] == [0, 0, 0]
    assert len(data) < sum(value.nbytes for value in params.values()) + 6 * 250
    for load in (tvmgo.runtime.load_param_dict, as_others_read):
        loaded = load(data)
        padding = [name for name in loaded if name not in params]
        assert len(padding) == (0 if load is tvmgo.runtime.load_param_dict else 3)
        for name, value in params.items():
            np.testing.assert_array_equal(loaded[name].numpy(), value, strict=True)


def as_others_read(data):
    return tvm.runtime.load_param_dict(data)


def test_write_params_writes_strided_arrays_in_c_order():
    value = np.arange(6, dtype="int32").reshape(2, 3)
    assert blob({"p0": value.T}) == blob({"p0": value.T.copy()})
