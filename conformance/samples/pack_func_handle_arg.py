# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``pack_func_handle_arg``: a packed function as the argument of another."""

import tvmgo
from conformance.gofmt import go_type

# The name gotvm made from Go's package and function.
NAME = "main.sampleFunctionArg"


def sample_cb(*args):
    """Print the arguments and return their sum."""
    for arg in args:
        print(f"ARGS:{go_type(arg.as_int64())} : {arg.as_int64()}")
    return args[0].as_int64() + args[1].as_int64()


def sample_function_arg(*args):
    """Call the function in the first argument with the others."""
    function = args[0].as_function()
    return function.invoke(list(args[1:]))


def main():
    """Hand a converted function to a registered one."""
    tvmgo.register_function(sample_function_arg, NAME, values=True)
    try:
        print("Registered: sampleFunctionArg")

        handle = tvmgo.convert_function(sample_cb, values=True)
        result = tvmgo.get_global_function(NAME).invoke(handle, 10, 20)
        print(f"Result:{result.as_int64()}")
    finally:
        tvmgo.remove_global_function(NAME)


if __name__ == "__main__":
    main()
