# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``pack_func_convert``: turn a callable of the language into a packed function."""

import tvmgo
from conformance.gofmt import go_type


def sample_cb(*args):
    """Print the arguments and return their sum."""
    for arg in args:
        print(f"ARGS:{go_type(arg.as_int64())} : {arg.as_int64()}")
    return args[0].as_int64() + args[1].as_int64()


def main():
    """Call the converted function."""
    function = tvmgo.convert_function(sample_cb, values=True)
    print("Converted function")

    result = function.invoke(10, 20)
    print("Invoke Completed")
    print(f"Result:{result.as_int64()}")


if __name__ == "__main__":
    main()
