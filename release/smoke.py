# SPDX-License-Identifier: Apache-2.0
"""``python -I smoke.py FOLDER [COMMAND ...]``: what an installed wheel must do where nothing else is.

FOLDER holds an exported model, ``input.npy`` and ``expected.npy``. COMMAND are the words that run ``tvmgo``,
if not those of the program beside this Python. This is run by the Python that has the
wheel, and must not need anything besides.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np

import tvmgo


def main(folder: Path, command: list[str]) -> None:
    x, expected = np.load(folder / "input.npy"), np.load(folder / "expected.npy")

    def same(got) -> None:
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)

    with tvmgo.Model.load(folder) as model:  # a model, from several threads
        name, output = model.inputs[0].name, model.outputs[0].name
        with ThreadPoolExecutor(4) as threads:
            for got in threads.map(model, [x] * 8):
                same(got)
        same(model.submit({name: x}).result()[output])

    library = tvmgo.load_module(folder / "deploy.so")  # and by the executor
    graph = tvmgo.graph_executor.create((folder / "deploy.json").read_text(), library, tvmgo.cpu(0))
    graph.load_params((folder / "deploy.params").read_bytes())
    [got] = graph(**{name: x})
    same(got.numpy())

    double = tvmgo.convert_function(lambda value: value * 2)  # closures
    assert double(21) == 42 and double.invoke("ab").as_str() == "abab"
    assert tvmgo.from_dlpack(np.arange(3.0)).tolist() == [0, 1, 2]

    report = tvmgo.doctor(folder)
    assert report.runs, report.problems
    command = command or [str(Path(sys.executable).parent / "tvmgo")]
    subprocess.run([*command, "info", folder], check=True, stdout=subprocess.DEVNULL)

    beside = {each.metadata["Name"].lower().replace("_", "-") for each in metadata.distributions()}
    beside -= {"tvmgo", "pip", "setuptools"}
    assert beside <= {"numpy", "apache-tvm-ffi", "typing-extensions"}, beside
    print(
        f"CPython {sys.version.split()[0]}: tvmgo {tvmgo.__version__}, numpy {np.__version__}, "
        f"apache-tvm-ffi {metadata.version('apache-tvm-ffi')}: works"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
