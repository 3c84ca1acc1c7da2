# SPDX-License-Identifier: Apache-2.0
"""What users write for a target."""

import pytest
import tvm

from tvmgo import TVMValueError
from tvmgo.compiler import ExportError
from tvmgo.compiler.relax.codegen.target import resolve_target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, {"kind": "llvm"}),
        ("llvm", {"kind": "llvm"}),
        ("llvm -mcpu=skylake", {"mcpu": "skylake"}),
        ("llvm -mcpu skylake -opt-level=3", {"mcpu": "skylake", "opt-level": 3}),
        ("llvm --mattr=+avx2,+fma --fast-math", {"mattr": ["+avx2", "+fma"], "fast-math": True}),
        ("llvm -fast-math=0", {"fast-math": False}),
        ("llvm -target=aarch64-linux-gnu", {"mtriple": "aarch64-linux-gnu"}),
        ('{"kind": "llvm", "mcpu": "skylake"}', {"mcpu": "skylake"}),
        ({"kind": "llvm", "num-cores": 4}, {"num-cores": 4}),
        (tvm.target.Target("llvm"), {"kind": "llvm"}),
    ],
    ids=str,
)
def test_resolve_target_understands(target, expected):
    exported = resolve_target(target).export()
    for option, value in expected.items():
        found = exported[option]
        assert (list(found) if isinstance(value, list) else found) == value


def test_resolve_target_native_names_this_cpu():
    assert resolve_target("native").attrs["mcpu"] == tvm.target.codegen.llvm_get_system_cpu()


def test_resolve_target_of_a_gpu_raises_export_error():
    with pytest.raises(
        ExportError, match="target 'vulkan': kernels of a deployed graph run on the CPU, or by CUDA"
    ):
        resolve_target("vulkan")


@pytest.mark.parametrize(
    "target",
    [
        "llvm -no-such-option=1",
        "llvm -opt-level=high",
        "llvm -mcpu=nosuch",
        "nosuch",
        "nosuch -mcpu=x",
        3,
    ],
)
def test_resolve_target_of_an_unknown_target_raises_value_error(target):
    with pytest.raises(TVMValueError, match="^target: "):
        resolve_target(target)
