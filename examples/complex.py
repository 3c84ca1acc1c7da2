# SPDX-License-Identifier: Apache-2.0
"""gotvm's sample `complex` with a real network: load the three files, run, and check the answer.

    python examples/complex.py DIRECTORY

DIRECTORY holds ``deploy.so``, ``deploy.json``, ``deploy.params`` and the ``mobilenet.onnx`` they were
made from. Fails when the result differs from ONNX Runtime's by 1e-5 or more.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime

import tvmgo

INPUT_SHAPE = (1, 224, 224, 3)
OUTPUT_SHAPE = (1, 1001)
TOLERANCE = 1e-5
TIMED_RUNS = 20


def deploy(directory: Path) -> tvmgo.Module:
    """Make a graph executor of the deployed files, with its parameters loaded."""
    library = tvmgo.load_module(directory / "deploy.so")
    print("Module loaded     :", library)
    create = tvmgo.get_global_function("tvm.graph_runtime.create")
    cpu = tvmgo.cpu(0)
    graph = create((directory / "deploy.json").read_text(), library, cpu.device_type, cpu.device_id)
    print("Executor created  :", graph)
    graph["load_params"]((directory / "deploy.params").read_bytes())
    print("Parameters loaded :", graph["get_num_inputs"](), "inputs, parameters included")
    return graph


def median_milliseconds(run) -> float:
    times = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory

    print("tvmgo             :", tvmgo.__version__)
    print("libtvm_ffi        :", tvmgo.runtime_version)
    print("DLPack            :", tvmgo.dlpack_version)

    graph = deploy(directory)
    run, set_input, get_output = graph["run"], graph["set_input"], graph["get_output"]

    image = np.random.default_rng(0).random(INPUT_SHAPE, dtype=np.float32)
    data = tvmgo.empty(INPUT_SHAPE, "float32", tvmgo.cpu(0)).copy_from(image)
    result = tvmgo.empty(OUTPUT_SHAPE, "float32", tvmgo.cpu(0))
    set_input("input", data)
    print("Input set         :", data)
    run()
    get_output(0, result)
    probabilities = result.as_slice()
    print("Output            :", result)

    print("First ten results :", " ".join(f"{p:.6f}" for p in probabilities[:10]))
    print("Top five classes  :")
    for place in np.argsort(-probabilities)[:5]:
        print(f"   class {place:4d}  {probabilities[place]:.6f}")

    session = onnxruntime.InferenceSession(
        directory / "mobilenet.onnx", providers=["CPUExecutionProvider"]
    )
    expected = session.run(None, {"input": image})[0].ravel()
    difference = float(np.abs(probabilities - expected).max())
    print(
        f"Latency           : {median_milliseconds(run):.1f} ms "
        f"(median of {TIMED_RUNS} runs; ONNX Runtime: "
        f"{median_milliseconds(lambda: session.run(None, {'input': image})):.1f} ms)"
    )
    print(
        f"Largest difference from ONNX Runtime: {difference:.2e} (below {TOLERANCE:.0e} is right)"
    )
    if not difference < TOLERANCE:
        raise SystemExit("the results differ from ONNX Runtime's")


if __name__ == "__main__":
    main()
