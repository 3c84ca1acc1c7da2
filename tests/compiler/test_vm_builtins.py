# SPDX-License-Identifier: Apache-2.0
"""Functions that libraries for the Relax virtual machine look up by name, with and without tvm."""

import subprocess
import sys

import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.relax import op as R

import tvmgo
from tvmgo._core import vm_builtins

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library with a function for each builtin; what makes them is TVM alone."""
    builder = relax.BlockBuilder()

    def function(name, rank, make, dtype="float32"):
        x = relax.Var("x", relax.TensorType(None, dtype, ndim=rank))
        with builder.function(name, [x], private=False):
            builder.emit_func_output(builder.emit(make(x)))

    function("nonzero", 2, R.nonzero)
    function("first", 2, lambda x: R.unique(x, False, False, False, False))
    function("everything", 2, lambda x: R.unique(x, True, True, True, True))
    function("shape", 2, lambda x: R.shape_to_tensor(R.shape_of(x)))
    path = tmp_path_factory.mktemp("builtins") / "library.so"
    tvm.compile(builder.get(), tvm.target.Target("llvm")).export_library(str(path))
    return path


X = np.array([[3, 1, 3], [0, 1, 2], [3, 1, 3]], "float32")
ALL = ([3, 1, 0, 2], [0, 1, 3, 5], [0, 1, 0, 2, 1, 3, 0, 1, 0], [4, 3, 1, 1])
ROWS = (X[:2].tolist(), [0, 1], [0, 1, 0], [2, 1])


@pytest.mark.parametrize(("axis", "expected"), [(None, ALL), (0, ROWS)])
def test_unique_in_the_first_order(axis, expected):
    x = tvmgo.array(X)
    found = vm_builtins.unique(x, False, True, True, True, axis)
    assert [each.numpy().tolist() for each in found] == list(expected)
    values, counts = vm_builtins.unique(x, False, False, False, True, axis)
    assert [values.numpy().tolist(), counts.numpy().tolist()] == [expected[0], expected[3]]
    assert vm_builtins.unique(x, False, False, False, False, axis).numpy().tolist() == expected[0]


def test_unique_sorted():
    found = vm_builtins.unique(tvmgo.array(X), True, True, True, True)
    inverse = [3, 1, 3, 0, 1, 2, 3, 1, 3]
    expected = [[0, 1, 2, 3], [3, 1, 5, 0], inverse, [1, 3, 1, 4]]
    assert [each.numpy().tolist() for each in found] == expected
    assert vm_builtins.unique(tvmgo.empty((0, 3)), True, False, False, False).shape == (0,)


def test_nonzero():
    assert vm_builtins.nonzero(tvmgo.array(X)).numpy().tolist() == np.stack(X.nonzero()).tolist()
    assert vm_builtins.nonzero(tvmgo.array(np.array(3.0))).numpy().tolist() == [[0]]
    assert vm_builtins.nonzero(tvmgo.empty((0, 3))).shape == (2, 0)


def test_checks_and_prints(capfd):
    x = tvmgo.array(np.array([1, 2], "int64"))
    vm_builtins.show("{} of {}", x, (x, 3))
    vm_builtins.show("", x)
    vm_builtins.debug_print("line 1", x)
    printed = capfd.readouterr().out
    assert printed.startswith("[1 2] of ([1 2], 3)\n[1 2]\nline 1: shape = (2,), dtype = int64")
    vm_builtins.check(True, "unused")
    vm_builtins.check(tvmgo.array(np.array(True)), "")
    for values, message in (((False, "n = {}", 3), "n = 3"), ((False, ""), "assertion failed")):
        with pytest.raises(AssertionError, match=f"^{message}$"):
            vm_builtins.check(*values)


PROCESS = """
import sys
import numpy as np
{first}
import tvmgo
library = tvmgo.load_module({path!r})
machine = library["vm_load_executable"]()
machine["vm_initialization"](1, 0, 2)
{then}
other = library["vm_load_executable"]()
other["vm_initialization"](1, 0, 2)
x = tvmgo.array(np.array([[0, 1], [2, 0]], "float32"))
for each in (machine, other):
    assert each["nonzero"](x).numpy().tolist() == [[0, 1], [1, 0]]
    assert each["first"](x).numpy().tolist() == [0, 1, 2]
    assert each["shape"](x).numpy().tolist() == [2, 2]
    assert each["everything"](x)[3].numpy().tolist() == [2, 1, 1]
tvmgo.load_module({path!r})
print(tvmgo.get_global_function("relax.run.nonzero") is not None, "tvm" in sys.modules)
"""


@pytest.mark.parametrize(
    ("first", "then", "imported"),
    [("", "", False), ("import tvm", "", True), ("", "import tvm", True)],
    ids=["alone", "after tvm", "before tvm"],
)
def test_tvm_in_the_same_process(library, first, then, imported):
    program = PROCESS.format(first=first, then=then, path=str(library))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"True {imported}\n"


def test_what_tvm_registered_stays():
    """This process imported tvm: its functions were there first."""
    vm_builtins.provide()
    assert tvmgo.get_global_function("relax.run.nonzero") is not None
    assert not vm_builtins.registered
