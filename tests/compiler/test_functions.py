# SPDX-License-Identifier: Apache-2.0
"""Mathematical functions of kernels, against float64 over all float32 numbers."""

import math

import numpy as np
import pytest
import tvm
from tvm.script import from_source
from tvm.script import tirx as T

from tvmgo.compiler.relax.codegen.target import resolve_target
from tvmgo.compiler.relax.schedule.intrinsics import ExpandIntrinsics
from tvmgo.compiler.relax.templates.kernels.vectors import vector_unit

COUNT = 1 << 18
SPECIAL = np.array(
    [0, np.inf, np.nan, 1, 2, 0.5, 3, 1e-45, 1.1754944e-38, 3.4028235e38, 2**24, 2**24 + 2, 88.8],
    "float32",
)
SPECIAL = np.concatenate([SPECIAL, -SPECIAL])


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


# Function: the truth in float64, and how many units in the last place the result may be off.
FUNCTIONS = {
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "log2": (np.log2, 2),
    "log10": (np.log10, 2),
    "log1p": (np.log1p, 2.5),
    "tanh": (np.tanh, 1.5),
    "sigmoid": (sigmoid, 2.5),
    "erf": (np.vectorize(math.erf), 1.5),
    "pow": (np.power, 0.6),
    "sin": (np.sin, 1.5),
    "cos": (np.cos, 1.5),
    "tan": (np.tan, 3.5),
    "asin": (np.arcsin, 2),
    "acos": (np.arccos, 2),
    "atan": (np.arctan, 2),
    "asinh": (np.arcsinh, 4),
    "acosh": (np.arccosh, 4),
    "atanh": (np.arctanh, 4),
}
TARGETS = [None, "native"]  # without and with fused multiplication and addition


def compiled(name, target, dtype="float32", second="Y[o * L + l]"):
    target = resolve_target(target)
    lanes = vector_unit(target).lanes
    called, arguments = f"T.{name}", "X[o * L + l]"
    if name == "pow":  # T.pow does small exponents itself
        called, arguments = f'T.call_intrin("{dtype}", "tirx.pow"', f", {arguments}, {second}"
    called += arguments if name == "pow" else f"({arguments}"
    source = f"""
@T.prim_func(s_tir=True)
def f(X: T.Buffer((N,), D), Y: T.Buffer((N,), D), Z: T.Buffer((N,), D)):
    T.func_attr({{"tirx.noalias": True, "global_symbol": "f"}})
    for o in T.serial({COUNT // lanes}):
        for l in T.vectorized({lanes}):
            Z[o * L + l] = {called})
"""
    for letter, value in (("N", COUNT), ("D", repr(dtype)), ("L", lanes)):
        source = source.replace(f" {letter}", f" {value}").replace(f"({letter}", f"({value}")
    module = tvm.IRModule({"f": from_source(source, {"T": T})})
    module = ExpandIntrinsics()(tvm.tirx.transform.VectorizeLoop()(module))
    library = tvm.tirx.build(module, target=target)
    source = library.inspect_source("ll")
    assert "declare" not in source or f" @{name}f(" not in source
    return library["f"]


def call(function, *arrays):
    tensors = [tvm.runtime.tensor(array) for array in (*arrays, np.zeros_like(arrays[0]))]
    function(*tensors)
    return tensors[-1].numpy()


def arguments(rng):
    """Return numbers of all exponents, and more of those near 1; two of special ones in pairs."""
    spread = rng.integers(0, 1 << 32, COUNT, "uint64").astype("uint32").view("float32")
    near = rng.standard_normal(COUNT).astype("float32") * rng.choice([0.1, 1, 10, 50], COUNT)
    x = np.where(rng.random(COUNT) < 0.5, spread, near).astype("float32")
    y = np.where(rng.random(COUNT) < 0.5, np.rint(near), near).astype("float32")
    pairs = np.stack(np.meshgrid(SPECIAL, SPECIAL), -1).reshape(-1, 2)
    x[: len(pairs)], y[: len(pairs)] = pairs.T
    return x, y


def units_off(result, truth):
    """Return the error in units of the last place of the truth; denormal numbers have one too."""
    exponent = np.frexp(np.abs(truth))[1] - 1
    return np.abs(result - truth) / 2.0 ** (np.maximum(exponent, -126) - 23)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_as_exact_as_stated(name, target):
    truth_of, limit = FUNCTIONS[name]
    function = compiled(name, target)
    rng = np.random.default_rng()
    x, y = arguments(rng)
    result = call(function, x, y)
    wide = [x.astype("float64"), y.astype("float64")]
    with np.errstate(all="ignore"):
        truth = truth_of(*wide[: 2 if name == "pow" else 1])
        rounded = truth.astype("float32")
    finite = np.isfinite(rounded) & np.isfinite(result)
    off = units_off(result[finite], truth[finite])
    worst = off.argmax()
    assert off[worst] <= limit, (x[finite][worst], y[finite][worst], result[finite][worst])
    # Within the limit of infinity either may be; elsewhere NaN, infinities, and signs of 0 are
    # those of the truth.
    edge = np.abs(truth) > np.finfo("float32").max * (1 - 1e-6)
    same = (result == rounded) & (np.signbit(result) == np.signbit(rounded)) | np.isnan(
        result
    ) & np.isnan(rounded)
    wrong = ~same & (~finite | (rounded == 0) & (result == 0)) & ~(edge & ~np.isnan(result))
    assert not wrong.any(), (x[wrong][:5], y[wrong][:5], result[wrong][:5])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exp", "tanh", "erf"])
def test_function_of_float16_is_rounded_once(name):
    truth_of, _ = FUNCTIONS[name]
    x = np.arange(1 << 16, dtype="uint16").view("float16")
    x = np.resize(x[np.isfinite(x)], COUNT)
    result = call(compiled(name, "native", "float16"), x, x)
    with np.errstate(over="ignore"):
        truth = truth_of(x.astype("float64"))
        rounded = truth.astype("float16")
    finite = np.isfinite(rounded)
    assert (np.isfinite(result) == finite).all()
    step = np.spacing(np.abs(rounded[finite])).astype("float64")
    assert (np.abs(result[finite] - truth[finite]) <= 0.501 * step).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asin", "acos", "atan", "asinh", "acosh", "atanh", "tan"])
def test_function_of_float64_is_the_c_library_s(name):
    x = np.resize(np.linspace(-3, 3, 1000), COUNT)
    result = call(compiled(name, "native", "float64"), x, x)
    with np.errstate(all="ignore"):
        assert np.allclose(result, FUNCTIONS[name][0](x), rtol=1e-14, atol=0, equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, 1.7, -1.0])
def test_power_with_a_known_exponent(exponent):
    """Such expressions are folded, and (x + c) - c must not become x on the way."""
    x = np.resize(np.linspace(-3, 3, 1000, dtype="float32"), COUNT)
    result = call(compiled("pow", "native", second=f"T.float32({exponent})"), x, x)
    with np.errstate(all="ignore"):
        truth = np.power(x.astype("float64"), float(np.float32(exponent)))
    assert np.allclose(result, truth, rtol=1.2e-7, atol=0, equal_nan=True)
