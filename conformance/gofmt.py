# SPDX-License-Identifier: Apache-2.0
"""Values and types as Go's ``fmt`` package prints them, for output that is compared with Go's."""

import numpy as np

import tvmgo

# What gotvm handed to a Go program where tvmgo hands out the Python type.
GO_TYPES = {
    int: "int64",
    float: "float64",
    str: "string",
    bytes: "[]uint8",
    tvmgo.Array: "*gotvm.Array",
    tvmgo.Function: "*gotvm.Function",
    tvmgo.Module: "*gotvm.Module",
}


def go_type(x):
    """Return what the verb ``%T`` prints for the Go value that answers to `x`."""
    return GO_TYPES[type(x)]


def go_value(x):
    """Return what the verb ``%v`` prints for `x`.

    Parameters
    ----------
    x : int, float, str, NumPy scalar, runtime object, or a list or 1-D array of them
        A float is printed in the precision of its type; a Python float is a Go float64. A runtime
        object is printed as its pointer.
    """
    if isinstance(x, (list, np.ndarray)):
        return f"[{' '.join(map(go_value, x))}]"
    if isinstance(x, float):
        x = np.float64(x)
    if isinstance(x, np.floating):
        return _float(x)
    if isinstance(x, tvmgo.Object):
        return f"{id(x):#x}"
    return str(x)


def _float(x):
    if np.isnan(x):
        return "NaN"
    if np.isinf(x):
        return "+Inf" if x > 0 else "-Inf"
    # The shortest digits that read back as the same number, as both languages have them.
    scientific = np.format_float_scientific(x, unique=True, trim="-", exp_digits=2)
    exponent = int(scientific.partition("e")[2])
    # Go measures the shortest form against the six digits that are C's default precision.
    if exponent < -4 or exponent >= 6:
        return scientific
    return np.format_float_positional(x, unique=True, trim="-")
