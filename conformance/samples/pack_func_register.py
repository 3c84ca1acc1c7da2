# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``pack_func_register``: a callable in the table of global functions."""

import tvmgo
from conformance.gofmt import go_type


def sample_cb(*args):
    """Print the arguments and return their sum."""
    for arg in args:
        print(f"ARGS:{go_type(arg.as_int64())} : {arg.as_int64()}")
    return args[0].as_int64() + args[1].as_int64()


def main():
    """Call the function by its name."""
    tvmgo.register_function(sample_cb, "sampleCb", values=True)
    try:
        function = tvmgo.get_global_function("sampleCb")
        result = function.invoke(10, 20)
        print(f"sampleCb result: {result.as_int64()}")
    finally:
        tvmgo.remove_global_function("sampleCb")


if __name__ == "__main__":
    main()
