# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``pack_func_closure_return``: a closure as the result of a packed function."""

import tvmgo
from conformance.gofmt import go_type, go_value

# The name gotvm made from Go's package and function.
NAME = "main.sampleFunctionCb"


def sample_function_cb():
    """Return a function that prints its arguments and returns their sum."""

    def closure(*args):
        for arg in args:
            print(f"ARGS:{go_type(arg)} : {arg}")
        return args[0] + args[1]

    return closure


def main():
    """Call the function which a registered function returned."""
    tvmgo.register_function(sample_function_cb, NAME)
    try:
        print("Registered: sampleFunctionCb")

        function = tvmgo.get_global_function(NAME)
        print(f"GetGlobalFunction: {NAME} - Success")

        result = function.invoke()
        print(f"Invoked {NAME} via Function handle")

        closure = result.as_function()
        print(
            "Function Handle received via Packed Function call:"
            f"{go_type(closure)} - {go_value(closure)} "
        )

        result = closure.invoke(30, 40)
        print(f"Invoked closure inside sampleFunctionCb result:{result.as_int64()}")
    finally:
        tvmgo.remove_global_function(NAME)


if __name__ == "__main__":
    main()
