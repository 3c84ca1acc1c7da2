# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``simple``: load a compiled module and call a function of it with three arrays."""

import sys

import numpy as np

import tvmgo
from conformance.gofmt import go_value

# The Go sample drew these at random, from a generator it never seeded: in every run the same.
X = np.array([0.6046603, 0.6645601, 0.4246375, 0.06563702], np.float32)
Y = np.array([0.9405091, 0.4377142, 0.68682307, 0.15651925], np.float32)


def main(library="deploy.so"):
    """Add two arrays with the library's ``myadd``."""
    print(f"TVM Version   : v{tvmgo.runtime_version}")
    print(f"DLPACK Version: v{tvmgo.dlpack_version}")
    print()

    module = tvmgo.load_module(library)
    print("Module Imported")

    x, y, out = (tvmgo.empty([4], "float32", tvmgo.cpu(0)) for _ in range(3))
    print("Input and Output Arrays allocated")

    x.copy_from(X)
    y.copy_from(Y)
    print(f"X: {go_value(x.as_slice())}")
    print(f"Y: {go_value(y.as_slice())}")

    myadd = module.get_function("myadd")
    myadd.invoke(x, y, out)
    print("Module function myadd executed")
    print(f"Result:{go_value(out.as_slice())}")


if __name__ == "__main__":
    main(*sys.argv[1:])
