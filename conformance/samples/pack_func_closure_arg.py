# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``pack_func_closure_arg``: a closure, written in the call, as an argument."""

import tvmgo
from conformance.gofmt import go_type

# The name gotvm made from Go's package and function.
NAME = "main.sampleFunctionArg"


def sample_function_arg(*args):
    """Call the function in the first argument with the others."""
    function = args[0].as_function()
    return function.invoke(list(args[1:]))


def main():
    """Hand a closure to a registered function."""
    tvmgo.register_function(sample_function_arg, NAME, values=True)
    try:
        print("Registered: sampleFunctionArg")

        function = tvmgo.get_global_function(NAME)
        print(f"GetGlobalFunction: {NAME} - Success")

        # A callable in the place of an argument is converted on the way, and gets plain objects.
        def closure(*args):
            for arg in args:
                print(f"ARGS:{go_type(arg)} : {arg}")
            return args[0] + args[1]

        result = function.invoke(closure, 30, 50)
        print(f"Invoked sampleFunctionArg with function closure arg : Result:{result.as_int64()}")
    finally:
        tvmgo.remove_global_function(NAME)


if __name__ == "__main__":
    main()
