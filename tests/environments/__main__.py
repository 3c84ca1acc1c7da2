# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.environments FOLDER``: real compilers, installed there and tried.

Both are installed from their lock files, over a network; each compiles a model, and the result is
compared with NumPy's. Sizes and versions are printed.
"""

import os
import subprocess
import sys

from tvmgo.cli import main
from tvmgo.compiler.environments.install import install
from tvmgo.compiler.environments.places import ROOT_VARIABLE

MODEL = """
import numpy as np, onnx, tvm
from onnx import TensorProto, helper
value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 6]) for name in "xy"]
weight = np.arange(36, dtype="float32").reshape(6, 6) / 36
initializer = onnx.numpy_helper.from_array(weight, "w")
nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Tanh", ["p"], ["y"])]
graph = helper.make_graph(nodes, "g", value[:1], value[1:], [initializer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
x = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
expected = np.tanh(x @ weight)
"""
RUN = {
    "relay": """
from tvm import relay
from tvm.contrib.graph_executor import GraphModule
module, parameters = relay.frontend.from_onnx(model, shape={"x": x.shape}, freeze_params=True)
with tvm.transform.PassContext(opt_level=3):
    executor = GraphModule(relay.build(module, "llvm", params=parameters)["default"](tvm.cpu()))
executor.run(x=x)
result = executor.get_output(0).numpy()
""",
    "relax": """
import onnxruntime
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx
module = relax.pipeline.get_pipeline("zero")(from_onnx(model))
machine = relax.VirtualMachine(tvm.compile(module, "llvm"), tvm.cpu())
result = machine["main"](tvm.runtime.tensor(x)).numpy()
session = onnxruntime.InferenceSession(model.SerializeToString())
np.testing.assert_allclose(session.run(None, {"x": x})[0], expected, rtol=1e-5)
""",
}
CHECK = """
np.testing.assert_allclose(result, expected, rtol=1e-5)
print("right", tvm.__version__)
"""

if __name__ == "__main__":
    os.environ[ROOT_VARIABLE] = sys.argv[1]
    os.environ["AUTOTVM_TOPHUB_LOCATION"] = "NONE"
    for kind, run in RUN.items():
        python = install(kind)
        subprocess.run([python, "-I", "-c", MODEL + run + CHECK], check=True)
    main(["compiler", "list"])
