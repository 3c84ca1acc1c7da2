# SPDX-License-Identifier: Apache-2.0
"""What scripts that try to crash the process begin with: an object of each class, and every use of it."""

SETUP = """
import copy, copyreg, pickle, types
from unittest import mock
import numpy as np
import tvmgo

kernels = tvmgo.load_module({path!r})
identity = tvmgo.convert_function(lambda x: x)
THINGS = dict(
    array=tvmgo.array([1, 2, 3]), function=identity, module=kernels,
    value=tvmgo.Value("a longer text"), device=tvmgo.cuda(1), dtype=tvmgo.DType("int8"),
    bytes=tvmgo.ByteArray(b"some bytes"), pointer=kernels["give"](4),
    object=tvmgo.get_global_function("ffi.GetInvalidObject")(), error=tvmgo.TVMError("text"),
)
CLASSES = [type(x) for x in THINGS.values()]

def tried(call, *args, **kwargs):
    "What a call raises, or None."
    try:
        call(*args, **kwargs)
    except Exception as error:
        return error

def use(x):
    "Everything one can do with an object."
    tried(repr, x), tried(str, x), tried(lambda: x == x)
    names = []
    tried(lambda: names.extend(dir(x)))
    for name in names:
        if name not in ("__init_subclass__", "__subclasshook__", "__class__", "__call__"):
            tried(lambda: getattr(x, name)())
    tried(identity, x), tried(identity, [x]), tried(kernels["echo"], x), tried(tvmgo.Value, x)
    tried(tvmgo.array, x)
    tried(tvmgo.from_dlpack, x), tried(tvmgo.ByteArray, x), tried(tvmgo.DType, x)
    tried(tvmgo.Device, x)
    tried(tvmgo.empty(3).copy_from, x), tried(tvmgo.empty(3).copy_to, x), tried(memoryview, x)
    tried(np.asarray, x)
    tried(pickle.dumps, x), tried(copy.copy, x), tried(len, x), tried(iter, x), tried(hash, x)
    tried(bytes, x)
"""
