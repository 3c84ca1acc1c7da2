# SPDX-License-Identifier: Apache-2.0
"""The second half of the article of 2019, with two imports changed: the three files run, without TVM.

    python examples/article/deploy.py DIRECTORY

DIRECTORY holds ``deploy.so``, ``deploy.json`` and ``deploy.params`` as `compile.py` writes them, and
``answer.npz``: an ``input``, and what the model's own framework makes of it, ``output``. Fails when the
result differs by 1e-5 or more.
"""

import sys
from pathlib import Path

import numpy as np
from tvmgo.contrib import graph_runtime  # from tvm.contrib import graph_runtime

import tvmgo as tvm  # import tvm

DIRECTORY = Path(sys.argv[1])
TOLERANCE = 1e-5

loaded_json = (DIRECTORY / "deploy.json").read_text()
loaded_lib = tvm.module.load(str(DIRECTORY / "deploy.so"))
loaded_params = bytearray((DIRECTORY / "deploy.params").read_bytes())

answer = np.load(DIRECTORY / "answer.npz")
ctx = tvm.context("llvm", 0)
m = graph_runtime.create(loaded_json, loaded_lib, ctx)
m.load_params(loaded_params)
m.set_input("input", tvm.nd.array(answer["input"], ctx))
m.run()
tvm_output = m.get_output(0).asnumpy()

top_5 = np.argsort(-tvm_output.ravel())[:5]
print("top five classes:", *(f"{place} ({tvm_output.ravel()[place]:.6f})" for place in top_5))
timer = m.module.time_evaluator("run", ctx, number=1, repeat=5)
print(f"time of a run: {timer().mean * 1e3:.1f} ms")

difference = np.abs(tvm_output - answer["output"]).max()
print(f"largest difference from the framework: {difference:.1e}, of {answer['output'].max():.4f}")
if not difference < TOLERANCE:
    raise SystemExit("the results differ from the framework's")
