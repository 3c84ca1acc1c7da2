# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``bytearray_test.go``."""

import random

import tvmgo


def test_byte_array_get():
    data = random.Random(0).randbytes(1024)
    assert bytes(tvmgo.ByteArray(data)) == data
