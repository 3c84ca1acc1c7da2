# SPDX-License-Identifier: Apache-2.0
"""gotvm's ``complex``: run a deployed model with nothing but packed functions.

The library, the graph and the parameters are the three files TVM's compiler used to write.
"""

import sys
from pathlib import Path

import numpy as np

import tvmgo
from conformance.gofmt import go_value

SHAPE_IN = (1, 224, 224, 3)
SHAPE_OUT = (1, 1001)


def main(
    mod_lib="mobilenet.so",
    mod_json="mobilenet.json",
    mod_params="mobilenet.params",
    create="tvm.graph_executor.create",
    picture=None,
    allocated=None,
):
    """Run the model once.

    Parameters
    ----------
    mod_lib, mod_json, mod_params : path
        The model's files.
    create : str
        The global function that makes the executor; ``tvm.graph_runtime.create`` in early years.
    picture : NumPy array of float32, optional
        Default: what the Go sample made, random numbers that are too many for the model.
    allocated : NumPy array of float32, optional
        What the input array holds before the picture is copied into it. The Go sample left that
        to the allocator. Default: zeros.

    Returns
    -------
    numpy.ndarray or None
        The model's output, flat; None if there was no model.
    """
    print(f"TVM Version   : v{tvmgo.runtime_version}")
    print(f"DLPACK Version: v{tvmgo.dlpack_version}")
    print()
    print(f"Global Functions:{go_value(tvmgo.list_global_functions())}")

    try:
        module = tvmgo.load_module(mod_lib)
    except tvmgo.TVMError as error:
        print(error)
        print("Please copy tvm compiled modules here and update the sample.go accordingly.")
        print("You may need to update modLib, modJSON, modParams, tshapeIn, tshapeOut")
        return None
    print(f"Module Imported:{go_value(module)}")

    print(f"Calling {create}")
    device = tvmgo.cpu(0)
    graph = (
        tvmgo.get_global_function(create)
        .invoke(
            Path(mod_json).read_text(encoding="utf-8"), module, device.device_type, device.device_id
        )
        .as_module()
    )
    print("Graph executor Created")

    if allocated is None:
        allocated = np.zeros(SHAPE_IN, np.float32)
    x = tvmgo.array(allocated, device=device)
    out = tvmgo.empty(SHAPE_OUT, "float32", device)
    print("Input and Output Arrays allocated")

    if picture is None:
        picture = np.random.default_rng().random(244 * 244 * 3, np.float32)
    try:
        x.copy_from(picture)
    except ValueError as error:
        # 244 is what the Go sample says, for 224. Its copy failed as well, but it never looked at
        # the error and ran the model on what the array held. So does this one, not in silence.
        print(error, file=sys.stderr)

    load_params = graph.get_function("load_params")
    print(f"Func load_params:{go_value(load_params)}")
    load_params.invoke(Path(mod_params).read_bytes())
    print("Module params loaded")

    graph.get_function("set_input").invoke("input", x)
    print("Module input is set")

    graph.get_function("run").invoke()
    print("Module Executed ")

    graph.get_function("get_output").invoke(0, out)
    print("Got Module Output ")

    result = out.as_slice()
    print(f"Result:{go_value(result[:10])}")
    return result


if __name__ == "__main__":
    main(*sys.argv[1:])
