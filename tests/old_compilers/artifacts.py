# SPDX-License-Identifier: Apache-2.0
"""Writing what an old compiler built and what its own runtime answers; runs in its environment.

An artifact is a folder: the files as they are deployed, ``case.json``, which says what they are,
and ``data.npz``, the bytes of inputs and outputs by name.
"""

import contextlib
import ctypes
import hashlib
import json
import re
import subprocess

import numpy as np
import tvm
from tvm import relay
from tvm.contrib import graph_executor
from tvm.contrib.debugger import debug_executor

VERSION = tuple(int(part) for part in tvm.__version__.split(".")[:2])
# hhb-tvm builds for RISC-V unless it is told.
TARGET = "llvm" if VERSION != (0, 16) else "llvm -mtriple=x86_64-linux-gnu"
CPU = tvm.cpu(0)


def build(mod, params=None, target=TARGET, opt_level=3, config=None, **options):
    """Compile a module of Relay, or a function, for the graph executor."""
    if isinstance(mod, relay.Function):
        mod = tvm.IRModule.from_expr(mod)
    if "runtime_options" in options:
        options["runtime"] = relay.backend.Runtime("cpp", options.pop("runtime_options"))
    if "executor_options" in options:
        options["executor"] = relay.backend.Executor("graph", options.pop("executor_options"))
    with tvm.transform.PassContext(opt_level=opt_level, config=config or {}):
        return relay.build(mod, target=target, params=params, **options)


def seeded(shape, dtype, seed=0):
    """Return an array in which no element is special for its type."""
    random = np.random.RandomState(seed)
    if dtype in ("bool", "uint1"):
        return random.randint(0, 2, shape).astype("bool")
    if dtype.startswith("uint"):
        return random.randint(1, 100, shape).astype(dtype)
    if dtype.startswith("int"):
        return random.randint(-100, 100, shape).astype(dtype)
    return random.uniform(-2, 2, shape).astype(dtype)


def bytes_of(array):
    """Return the elements of an array of the old runtime as they lie in memory."""
    bits = int(re.sub("[a-z]+", "", str(array.dtype)) or 8)  # none in "bool"
    count = int(np.prod(array.shape, dtype="int64"))
    raw = np.empty(count * ((bits + 7) // 8), "uint8")
    tvm._ffi.base.check_call(
        tvm._ffi.base._LIB.TVMArrayCopyToBytes(
            array.handle, raw.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(raw.nbytes)
        )
    )
    return raw


def named(array):
    """Return what has to be known of an array beside its bytes."""
    return [str(array.dtype), list(map(int, array.shape))]


class Artifact:
    """The folder of one case."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        self.about = {"version": ".".join(map(str, VERSION))}
        self.data = {}

    def path(self, name):
        return str(self.folder / name)

    def close(self):
        np.savez(self.path("data.npz"), **self.data)
        (self.folder / "case.json").write_text(json.dumps(self.about, indent=1))

    # ------------------------------------------------------------ how graphs are deployed

    def trio(self, lib, inputs=None, suffix=".so", **options):
        """Library, graph and parameters, each in a file."""
        library = self.path("deploy" + suffix)
        if suffix == ".o":
            lib.get_lib().save(library)
        else:
            lib.get_lib().export_library(library, **options)
        self.three_files(lib, inputs, "deploy" + suffix, tvm.runtime.load_module(library))

    def three_files(self, lib, inputs, library, loaded):
        graph, params = lib.get_graph_json(), tvm.runtime.save_param_dict(lib.get_params())
        (self.folder / "deploy.json").write_text(graph)
        (self.folder / "deploy.params").write_bytes(params)
        self.about.update(kind="trio", library=library)
        executor = graph_executor.create(graph, loaded, CPU)
        executor.load_params(params)
        debug = debug_executor.create(graph, loaded, CPU)
        debug.load_params(params)
        self.run(executor, debug, graph, inputs)

    def system_library(self, lib, inputs=None):
        """Functions that a library registers while it is opened by something else."""
        lib.get_lib().save(self.path("deploy.o"))
        library = self.path("deploy.so")
        subprocess.run(["cc", "-shared", "-o", library, self.path("deploy.o")], check=True)
        ctypes.CDLL(library)
        self.three_files(lib, inputs, "deploy.so", tvm.runtime.system_lib())
        self.about["kind"] = "system"

    def factory(self, lib, inputs=None, name="default", suffix=".so", removed=False, **options):
        """One file with all three; without the parameters if they are removed."""
        library, params = self.path("deploy" + suffix), None
        if removed:
            params = tvm.runtime.save_param_dict(lib.get_params())
            (self.folder / "deploy.params").write_bytes(params)
            lib.module["remove_params"]().export_library(library, **options)
        else:
            lib.export_library(library, **options)
        self.about.update(kind="factory", library="deploy" + suffix, name=name)
        loaded = tvm.runtime.load_module(library)
        executor = graph_executor.GraphModule(loaded[name](CPU))
        graph = lib.get_graph_json()
        debug = debug_executor.GraphModuleDebug(
            loaded["debug_create"](name, CPU), [CPU], graph, None
        )
        for each in (executor, debug):
            if removed:
                each.load_params(params)
        self.run(executor, debug, graph, inputs)

    # ------------------------------------------------------------ what the old runtime answers

    def run(self, executor, debug, graph, inputs):
        if inputs is None:
            shapes, dtypes = executor.get_input_info()[:2]
            inputs = {
                name: seeded(tuple(map(int, shape)), str(dtypes[name]), seed)
                for seed, (name, shape) in enumerate(shapes.items())
            }
        for name, value in inputs.items():
            self.data["input " + name] = value
            for each in (executor, debug):
                each.set_input(name, value)
        executor.run()
        outputs = [executor.get_output(i) for i in range(executor.get_num_outputs())]
        self.about.update(inputs=list(inputs), outputs=[named(output) for output in outputs])
        for i, output in enumerate(outputs):
            self.data[f"output {i}"] = bytes_of(output)
        debug.run_individual(number=1, repeat=1)  # fills memory with what else it may hold
        debug.module["run"]()
        for i in range(len(outputs)):
            if (self.data[f"output {i}"] != bytes_of(debug.get_output(i))).any():
                raise RuntimeError(f"output {i}: another one in the debug executor")
        self.about["nodes"] = self.node_outputs(debug, graph)

    def node_outputs(self, debug, graph):
        """Return element type, shape and a digest of the bytes of each output of each operator."""
        nodes = []
        for index, node in enumerate(json.loads(graph)["nodes"]):
            if node["op"] == "null":
                continue
            debug.module["execute_node"](index)
            for number in range(int(node["attrs"]["num_outputs"])):
                output = debug.module["get_node_output"](index, number)
                digest = hashlib.sha256(bytes_of(output).tobytes()).hexdigest()
                nodes.append([index, number, *named(output), digest])
        return nodes

    # ------------------------------------------------------------ functions without a graph

    def functions(self, module, calls, **options):
        """A library of functions; `calls` has a name and arguments for each call of one."""
        module.export_library(self.path("deploy.so"), **options)
        loaded = tvm.runtime.load_module(self.path("deploy.so"))
        self.about.update(kind="functions", library="deploy.so", calls=[])
        for number, (name, *arguments) in enumerate(calls):
            recorded, passed = [], []
            for position, argument in enumerate(arguments):
                if isinstance(argument, np.ndarray):
                    self.data[f"call {number} before {position}"] = argument
                    passed.append(tvm.nd.array(argument))
                    recorded.append({"array": str(argument.dtype)})
                else:
                    passed.append(argument)
                    recorded.append({"value": argument})
            result = loaded[name](*passed)
            for position, array in enumerate(passed):
                if isinstance(array, tvm.nd.NDArray):
                    self.data[f"call {number} after {position}"] = bytes_of(array)
            self.about["calls"].append({"name": name, "arguments": recorded, "result": result})

    def refused(self, module, message, **options):
        """What tvmgo does not run, and a regular expression for what it says about it."""
        module.export_library(self.path("deploy.so"), **options)
        self.about.update(kind="refused", library="deploy.so", message=message)


@contextlib.contextmanager
def global_function(name, f):
    """Register a global function of the old runtime for a while."""
    tvm.register_func(name, f, override=True)
    try:
        yield
    finally:
        tvm._ffi.registry.remove_global_func(name)
