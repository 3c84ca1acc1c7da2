# SPDX-License-Identifier: Apache-2.0
"""The first half of the article of 2019, by its own calls: a model becomes graph, library and parameters.

    python examples/article/compile.py MODEL.pb DIRECTORY

Needs TVM 0.19, and TensorFlow for its frozen graphs (``.pb``); ``MODEL.onnx`` needs onnx instead.
docs/guide/article.md tells where they come from, and what each line was in the article.
"""

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

MODEL, DIRECTORY = map(Path, sys.argv[1:])
SHAPE = {"input": (1, 224, 224, 3)}

if MODEL.suffix == ".pb":
    # Both packages bring an LLVM. Each must find its own, TensorFlow's by being loaded first.
    import tensorflow as tf

    package = Path(importlib.util.find_spec("tvm").origin).parent
    ctypes.CDLL(str(package / "libtvm.so"), os.RTLD_NOW | os.RTLD_DEEPBIND)

import tvm  # noqa: F401  as the article has it
from tvm import relay

if MODEL.suffix == ".pb":
    import tvm.relay.testing.tf as tf_testing

    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(MODEL.read_bytes())
    graph_def = tf_testing.ProcessGraphDefParam(graph_def)
    mod, params = relay.frontend.from_tensorflow(graph_def, layout=None, shape=SHAPE)
else:
    import onnx

    mod, params = relay.frontend.from_onnx(onnx.load(MODEL), shape=SHAPE)

with relay.build_config(opt_level=3):
    graph, lib, params = relay.build(mod, target="llvm", params=params)

DIRECTORY.mkdir(parents=True, exist_ok=True)
lib.export_library(str(DIRECTORY / "deploy.so"))
with open(DIRECTORY / "deploy.json", "w") as fo:
    fo.write(graph)
with open(DIRECTORY / "deploy.params", "wb") as fo:
    fo.write(relay.save_param_dict(params))
