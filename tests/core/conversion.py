# SPDX-License-Identifier: Apache-2.0
"""What the tests of conversion share: type indices, functions that give back, classes like numbers."""

import enum

import tvmgo

# The runtime's type indices, as a callee sees them (tvm/ffi/c_api.h).
NONE, INT, BOOL, FLOAT, POINTER, DTYPE, DEVICE, RAW_STR, BYTE_ARRAY = 0, 1, 2, 3, 4, 5, 6, 8, 9
SMALL_STR, SMALL_BYTES, STR, BYTES, ERROR, FUNCTION = 11, 12, 65, 66, 67, 68
TENSOR, ARRAY, MAP, MODULE, BIG_INT = 70, 71, 72, 73, 78

identity = tvmgo.convert_function(lambda x: x)
identity_of_values = tvmgo.convert_function(lambda x: x, values=True)


# ---------------------------------------------------------------- subclasses and look-alikes


class Color(enum.IntEnum):
    RED = 7


class Flag(enum.IntFlag):
    A = 8


class StringEnum(str, enum.Enum):
    NAME = "name of a colour"


class MyInt(int):
    pass


class MyFloat(float):
    pass


class MyStr(str):
    pass


class MyBytes(bytes):
    pass


class Index:
    def __init__(self, answer):
        self.answer = answer

    def __index__(self):
        return self.answer


class Float:
    def __init__(self, answer):
        self.answer = answer

    def __float__(self):
        return self.answer
