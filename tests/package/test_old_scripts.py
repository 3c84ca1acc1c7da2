# SPDX-License-Identifier: Apache-2.0
"""Deployment scripts in the style of each TVM run with only their imports changed."""

import json

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graphs import document, op, var
from tests.helpers import f32, output_of

# Each starts with the imports as they were; FILES is the folder of the three files.

SCRIPT_2018 = """
# import tvm, nnvm.compiler
# from tvm.contrib import graph_runtime
import numpy as np
import tvmgo as tvm
import tvmgo.nnvm as nnvm
from tvmgo.contrib import graph_runtime

with open(FILES + "/deploy_param.params", "rb") as f:
    params = nnvm.compiler.load_param_dict(f.read())
assert sorted(params) == ["weight"]
again = nnvm.compiler.load_param_dict(nnvm.compiler.save_param_dict(params))
assert again["weight"].asnumpy().tolist() == params["weight"].asnumpy().tolist()

lib = tvm.module.load(FILES + "/deploy_lib.so")
runtime = graph_runtime.create(open(FILES + "/deploy_graph.json").read(), lib, tvm.cpu())
runtime.load_params(bytearray(open(FILES + "/deploy_param.params", "rb").read()))
image = np.ones((2,)).astype("float32")
runtime.run(data=tvm.ndarray.array(image))
out = runtime.get_output(0, tvm.ndarray.empty((2,)))
assert out.asnumpy().flatten()[0:2].tolist() == [4.0, 5.0]
runtime.set_input("data", image * 2)
runtime.set_input(**params)
runtime.run()
res = tvm.nd.empty((2,), "float32", tvm.cpu(0))
runtime.get_output(0, out=res)
assert runtime.get_num_outputs() == 1 and res.asnumpy().tolist() == [5.0, 6.0]
assert runtime.get_input("data", tvm.nd.empty((2,))).asnumpy().tolist() == [2.0, 2.0]
"""

SCRIPT_2019 = """
# import tvm
# from tvm.contrib import graph_runtime
import numpy as np
import tvmgo as tvm
from tvmgo import graph_executor as graph_runtime

temp, data_shape = FILES, (2,)
target = 'llvm'
ctx = tvm.context(str(target), 0)
assert ctx.exist and tvm.cpu(0).exist

# load the module back.
loaded_json = open(temp + "/deploy_graph.json").read()
loaded_lib = tvm.module.load(temp + "/deploy_lib.so")
loaded_params = bytearray(open(temp + "/deploy_param.params", "rb").read())
input_data = tvm.nd.array(np.random.uniform(size=data_shape).astype("float32"), ctx=ctx)

module = graph_runtime.create(loaded_json, loaded_lib, ctx)
module.load_params(loaded_params)
module.run(data=input_data)
out_deploy = module.get_output(0).asnumpy()

# set inputs and parameters one by one
params = {"weight": tvm.nd.array(np.array([3, 4], dtype="float32"))}
module = graph_runtime.create(loaded_json, loaded_lib, tvm.cpu(0))
module.set_input('data', tvm.nd.array(input_data.asnumpy()))
module.set_input(**params)
module.run()
tvm_output = module.get_output(0, tvm.nd.empty(data_shape, "float32", ctx))
ctx.sync()
np.testing.assert_allclose(out_deploy, tvm_output.asnumpy(), rtol=1e-5)

# evaluate
print("Evaluate inference time cost...")
ftimer = module.module.time_evaluator("run", ctx, number=1, repeat=30)
prof_res = np.array(ftimer().results) * 1000  # convert to millisecond
print("Mean inference time (std dev): %.2f ms (%.2f ms)" % (np.mean(prof_res), np.std(prof_res)))

# a function of the library
f = loaded_lib.get_function("myadd")
c = tvm.nd.array(np.zeros(data_shape, dtype="float32"), ctx)
f(input_data, params["weight"], c)
evaluator = loaded_lib.time_evaluator("myadd", ctx, number=10)
print("myadd: %f ms" % (evaluator(input_data, params["weight"], c).mean * 1e3))
np.testing.assert_allclose(c.asnumpy(), out_deploy)

# arrays
a = tvm.nd.empty((3,), ctx=tvm.nd.cpu(0))
a[:] = np.arange(3)
b = tvm.nd.empty((3,), dtype="float32")
a.copyto(b)
assert b.copyto(tvm.cpu(0)).asnumpy().tolist() == [0, 1, 2]

# packed functions
@tvm.register_func("my_add_one")
def add_one(x):
    return x + 1

assert tvm.get_global_func("my_add_one")(1) == 2
assert tvm.get_global_func("my_add_two", allow_missing=True) is None
assert tvm.convert(lambda x: x * 2)(4) == 8
"""

SCRIPT_2020 = """
# import tvm, tvm.contrib.graph_runtime as runtime
# from tvm import relay
# from tvm.contrib.debugger import debug_runtime
import numpy as np
import tvmgo as tvm
import tvmgo.contrib.graph_runtime as runtime
from tvmgo import relay
from tvmgo.contrib.debugger import debug_runtime

target = "llvm -mcpu=core-avx2 -libs=mkl"
ctx = tvm.context(target, 0)
assert ctx == tvm.cpu(0) and ctx == tvm.context(str(target)) and tvm.context("nvptx").exist in (0, 1)
lib = tvm.runtime.load_module(FILES + "/deploy_lib.so")
graph = open(FILES + "/deploy_graph.json").read()
params = relay.load_param_dict(bytearray(open(FILES + "/deploy_param.params", "rb").read()))
assert params["weight"].shape == (2,) and tvm.runtime.load_param_dict(relay.save_param_dict(params))

mod = tvm.contrib.graph_runtime.create(graph, lib, ctx=tvm.cpu())
debug = debug_runtime.create(graph, lib, ctx=ctx, dump_root=FILES + "/dump")
for m in (mod, debug, runtime.create(graph, lib, [ctx]), debug_runtime.create(graph, lib, ctx)):
    for key, value in params.items():
        m.set_input(key, value)
    m.set_input("data", tvm.nd.array(np.ones(2), ctx=ctx))
    m.run()
    assert m.get_output(0).asnumpy().tolist() == [4.0, 5.0]
dumped = relay.load_param_dict(open(FILES + "/dump/output_tensors.params", "rb").read())
assert [x.asnumpy().tolist() for k, x in dumped.items() if k.startswith("sum")] == [[4.0, 5.0]]

ftimer = mod.module.time_evaluator("run", ctx, number=1, repeat=10)
prof_res = np.array(ftimer().results) * 1000
assert prof_res.shape == (10,) and (prof_res > 0).all()
result = mod.module.time_evaluator("run", ctx, repeat=3, min_repeat_ms=1)()
assert len(result.results) == 3 and abs(result.mean - np.mean(result.results)) < 1e-9
assert np.zeros((2,), dtype=mod.get_input(0).dtype).dtype == np.float32

shared = tvm.nd.from_dlpack(tvm.nd.array(np.arange(3)).to_dlpack())
assert shared.asnumpy().tolist() == [0, 1, 2]
"""

SCRIPT_2022 = """
# import tvm
# from tvm import runtime
# from tvm.contrib import graph_executor
# from tvm.contrib.debugger import debug_executor
import numpy as np
import tvmgo as tvm
from tvmgo import runtime
from tvmgo.contrib import graph_executor
from tvmgo.contrib.debugger import debug_executor

dev = tvm.device("llvm -keys=cpu -link-params=0", 0)
assert dev == runtime.device("cpu") == tvm.nd.device("cpu", 0)
lib = runtime.load_module(FILES + "/deploy_lib.so")
graph = open(FILES + "/deploy_graph.json").read()
params = runtime.load_param_dict(open(FILES + "/deploy_param.params", "rb").read())
factory = tvm.get_global_func("tvm.graph_executor_factory.create")(
    graph, lib, "default", "weight", params["weight"]
)
module = graph_executor.GraphModule(factory["default"](dev))
module.set_input(**{"data": tvm.nd.array(np.ones((2,), "float32"), device=dev)})
module.run()
outputs = [module.get_output(i).numpy() for i in range(module.get_num_outputs())]
assert outputs[0].tolist() == [4.0, 5.0]

# some lines on timing
ftimer = module.module.time_evaluator("run", dev, number=10, repeat=3, min_repeat_ms=1)
assert np.std(np.array(ftimer().results) * 1e3) >= 0
bench = module.benchmark(dev, number=2, repeat=4)
assert len(bench.results) == 4 and bench.min <= bench.median <= bench.max and bench.std >= 0
assert "mean (ms)" in str(bench)
ended = module.benchmark(dev, func_name="run", repeat=2, number=1, end_to_end=True, data=np.ones(2))
assert len(ended.results) == 2

created = factory["debug_create"]("default", dev)
debug = debug_executor.GraphModuleDebug(created, [dev], graph, None)
debug.set_input("data", np.ones(2))
debug.run()
assert debug.debug_get_output("sum").numpy().tolist() == [4.0, 5.0]
"""


@pytest.fixture
def files(tmp_path, kernels_path):
    """A folder with the three files of data + weight."""
    graph = document(
        [var("data"), var("weight"), op("myadd", ["data", "weight"], name="sum")], ["sum"]
    )
    graph["nodes"][2]["attrs"]["func_name"] = "myadd"
    (tmp_path / "deploy_graph.json").write_text(json.dumps(graph))
    (tmp_path / "deploy_lib.so").write_bytes(kernels_path.read_bytes())
    (tmp_path / "deploy_param.params").write_bytes(params_blob([("weight", f32(3, 4))]))
    return tmp_path


SCRIPTS = {"2018": SCRIPT_2018, "2019": SCRIPT_2019, "2020": SCRIPT_2020, "2022": SCRIPT_2022}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_script_runs(files, script):
    output_of(f"FILES = {str(files)!r}\n" + script)


# ---------------------------------------------------------------- what these names do not swallow


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["llvm"], tvmgo.cpu(0)),
        (["llvm -device=arm_cpu -mtriple=aarch64-linux-gnu", 0], tvmgo.cpu(0)),
        ([" cuda -arch=sm_70 ", 2], tvmgo.cuda(2)),
        (["opencl -device=mali"], tvmgo.opencl(0)),
        (["nvptx", 1], tvmgo.cuda(1)),
        ([1, 3], tvmgo.cpu(3)),
        ([tvmgo.cuda(1)], tvmgo.cuda(1)),
        (["cuda:1"], tvmgo.cuda(1)),
    ],
)
def test_device_takes_targets(arguments, expected):
    for make in (tvmgo.device, tvmgo.context, tvmgo.nd.device, tvmgo.runtime.device):
        assert make(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["tpu -v4"], ValueError, "unknown name 'tpu'"),
        ([""], ValueError, "^device: "),
        (["cuda:1", 0], ValueError, "^device_id: 'cuda:1' already names one"),
        ([None], TypeError, "^device: "),
    ],
)
def test_device_of_what_is_none(arguments, error, message):
    with pytest.raises(error, match=message):
        tvmgo.device(*arguments)


@pytest.mark.parametrize("module", [tvmgo.graph_executor, tvmgo.debug_executor])
def test_ctx_beside_device_is_refused(module, files, kernels):
    graph = (files / "deploy_graph.json").read_text()
    with pytest.raises(tvmgo.TVMTypeError, match="^ctx: another name of device"):
        module.create(graph, kernels, tvmgo.cpu(0), ctx=tvmgo.cpu(0))
    with pytest.raises(tvmgo.TVMValueError, match="^device: "):
        module.create(graph, kernels, ctx=1.5)


def test_capsule_serves_once():
    x = tvmgo.array(f32(1, 2))
    capsule = x.to_dlpack()
    shared = tvmgo.nd.from_dlpack(capsule)
    shared[:] = f32(3, 4)
    assert x.numpy().tolist() == [3, 4]
    with pytest.raises(
        tvmgo.TVMTypeError, match="^dltensor: expected a capsule that nobody has used"
    ):
        tvmgo.nd.from_dlpack(capsule)
    with pytest.raises(tvmgo.TVMTypeError, match="^x: expected an object with __dlpack__, got int"):
        tvmgo.nd.from_dlpack(1)


def test_capsules_of_numpy_are_taken():
    x = np.arange(6, dtype="int32").reshape(2, 3)
    for options in ({}, {"max_version": (1, 0)}):
        shared = tvmgo.nd.from_dlpack(x.__dlpack__(**options))
        assert np.shares_memory(np.asarray(shared), x)


@pytest.mark.parametrize(
    ("blob", "error"),
    [
        (b"", ValueError),
        (b"nothing of the kind" * 9, ValueError),
        ("text", TypeError),
        (7, TypeError),
    ],
)
def test_load_param_dict_of_what_holds_none(blob, error):
    for load in (tvmgo.relay, tvmgo.runtime, tvmgo.nnvm.compiler):
        with pytest.raises(error) as caught:
            load.load_param_dict(blob)
        assert isinstance(caught.value, tvmgo.TVMError)


def test_load_param_dict_gives_arrays():
    values = {"a": np.arange(3), "b": np.array([True, False]), "c": np.array(2.5, "float16")}
    loaded = tvmgo.runtime.load_param_dict(tvmgo.runtime.save_param_dict(values))
    assert type(loaded) is dict and all(type(x) is tvmgo.Array for x in loaded.values())
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name].numpy(), value)


def test_names_of_contrib_are_the_executors():
    assert tvmgo.contrib.graph_runtime is tvmgo.contrib.graph_executor is tvmgo.graph_executor
    debugger = tvmgo.contrib.debugger
    assert debugger.debug_runtime is debugger.debug_executor is tvmgo.debug_executor
    assert tvmgo.ndarray is tvmgo.nd and tvmgo.context is tvmgo.device
