# SPDX-License-Identifier: Apache-2.0
"""Runs kernels of random models on memory between pages that nobody may touch.

``python -m tests.compiler.guarded TARGET SEED...``; it dies where a kernel goes outside.
"""

import sys
import tempfile

import numpy as np
import onnx
import tvm
import tvm_ffi

from tests.compiler.guard_pages import guarded_copy
from tests.compiler.random_models import RandomModel
from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.importing.onnx_model import import_onnx
from tvmgo.compiler.relax.passes.pipeline import lower_to_kernels, simplify_model
from tvmgo.compiler.simplify.simplifier import simplify


def kernels_of(module):
    for variable, function in module.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            yield variable.name_hint, function.with_attr("global_symbol", variable.name_hint)


def arrays_for(function, rng):
    for parameter in function.params:
        shape = [int(size) for size in parameter.ty.shape]
        dtype = str(parameter.ty.dtype)
        if "int" in dtype or dtype == "bool":
            yield rng.integers(0, 2, shape).astype(dtype)
        else:
            yield np.asarray(rng.standard_normal(shape)).astype(dtype)


def run_guarded(seed, target):
    """Run each kernel with its tensors at the end and at the start of memory; return how many."""
    model = RandomModel(seed, 6).model()
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        onnx.save(simplify(model, {}, {}), file.name)
        imported = import_onnx(file.name)
    module = lower_to_kernels(simplify_model(imported.module, target), target)
    functions = dict(kernels_of(module))
    library = tvm.tirx.build(tvm.IRModule(functions), target=target)
    rng = np.random.default_rng(seed)
    for name, function in functions.items():
        arrays = list(arrays_for(function, rng))
        results = []
        for at_end in (True, False):
            guarded = [guarded_copy(array, at_end) for array in arrays]
            library[name](*map(tvm_ffi.from_dlpack, guarded))
            results.append([array.copy() for array in guarded])
        for one, other in zip(*results):
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name
    return len(functions)


if __name__ == "__main__":
    chosen = resolve_target(sys.argv[1])
    print(sum(run_guarded(int(seed), chosen) for seed in sys.argv[2:]), "kernels")
