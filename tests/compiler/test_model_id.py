# SPDX-License-Identifier: Apache-2.0
"""The number by which the files of one export know each other."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from onnx import helper

import tvmgo
from tests.blobs import params_blob
from tests.compiler.models import FLOAT, assert_same, onnx_model, open_graph, read_graph, run
from tests.helpers import search_path
from tests.libraries import compile_library
from tvmgo.compiler import export
from tvmgo.compiler.graph.model_id import classic_library_source

pytestmark = pytest.mark.slow

X = np.array([1, 2], "float32")
FILES = ("library", "graph", "params")


def scaled(weight, operator="Mul"):
    nodes = [helper.make_node(operator, ["x", "w"], ["y"])]
    weights = {"w": np.array(weight, "float32")}
    return onnx_model(nodes, {"x": (FLOAT, [2])}, {"y": (FLOAT, [2])}, weights)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A model, the same with other weights, and one that differs in its kernel only."""
    models = {"model": scaled([3, 4]), "weights": scaled([4, 3]), "kernel": scaled([3, 4], "Add")}
    return {name: export(model, tmp_path_factory.mktemp(name)) for name, model in models.items()}


def mixed(exports, name, *, of):
    """The files of the model, but for one."""
    return replace(exports["model"], **{name: getattr(exports[of], name)})


def test_files_of_one_export_work_together(exports):
    for name, answer in (("model", [3, 8]), ("weights", [4, 6]), ("kernel", [4, 6])):
        assert_same(run(exports[name], {"x": X}), [np.array(answer, "float32")])


@pytest.mark.parametrize("other", ["weights", "kernel"])
@pytest.mark.parametrize(
    ("file", "message"),
    [("library", "the library is of another export"), ("params", "the parameters are of another")],
)
def test_a_file_of_another_export_is_refused(file, message, other, exports):
    with pytest.raises(tvmgo.TVMValueError, match=message):
        open_graph(mixed(exports, file, of=other))


def test_new_weights_do_not_make_old_ones_fit(exports):
    retrained = mixed(exports, "params", of="weights")
    graph = open_graph(exports["model"])
    with pytest.raises(tvmgo.TVMValueError, match="expected the model id 0x.{16}, got 0x.{16}$"):
        graph.load_params(retrained.params.read_bytes())
    graph.run(x=X)
    np.testing.assert_array_equal(graph.get_output(0).numpy(), [3, 8])


def test_number_is_the_same_in_all_files(exports):
    numbers = set()
    for files in exports.values():
        tag, (upper, lower) = read_graph(files)["attrs"]["tvmgo_model_id"]
        assert tag == "list_int"
        assert 0 <= upper < 2**31
        assert 0 <= lower < 2**31
        numbers.add(upper << 31 | lower)
        assert tvmgo.load_module(files.library)["tvmgo_model_id"]() == upper << 31 | lower
        [name] = set(read_names(files)) - {"x"}
        weight = np.array([4, 3] if files is exports["weights"] else [3, 4], "float32")
        written = [(name, weight), ("tvmgo_model_id", np.array(upper << 31 | lower))]
        assert files.params.read_bytes() == params_blob(written)
    assert len(numbers) == len(exports)


def read_names(files):
    graph = read_graph(files)
    return [graph["nodes"][i]["name"] for i in graph["arg_nodes"]]


AGAIN = """
import sys
from dataclasses import replace
from tests.compiler.test_model_id import scaled
from tvmgo.compiler import export
export(scaled([3, 4]), sys.argv[1])
"""


def test_the_same_model_gives_the_same_files_in_another_process(exports, tmp_path):
    command = [sys.executable, "-c", AGAIN, tmp_path / "far/away"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": search_path()})
    for file in FILES:
        first = getattr(exports["model"], file)
        assert digest(tmp_path / "far/away" / first.name) == digest(first), file


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_target_gives_another_number(exports, tmp_path):
    native = export(scaled([3, 4]), tmp_path, target="llvm -opt-level=0")
    assert digest(native.params) != digest(exports["model"].params)


def test_a_library_of_the_past_tells_its_number(tmp_path):
    number = 0x1234_5678_9ABC
    source = tmp_path / "model_id.c"
    source.write_text(classic_library_source(number, []) + 'const char __tvm_main__[] = "";\n')
    library = compile_library(source, tmp_path / "deploy.so")
    assert tvmgo.load_module(library)["tvmgo_model_id"]() == number
