# SPDX-License-Identifier: Apache-2.0
"""Files beside the original: right ones pass, wrong ones are refused with the place.

The files here are not a compiler's: a kernel written in C does what the original says, or is wrong
in one way.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.blobs import params_blob
from tests.compiler.models import onnx_model
from tests.graphs import document, op, var
from tests.libraries import compile_library
from tvmgo.compiler.artifacts import artifacts_in
from tvmgo.compiler.simplify.truth import job as truth
from tvmgo.compiler.tensor_files import write_tensors
from tvmgo.compiler.verify.running import run_files
from tvmgo.compiler.verify.verifier import Verifier
from tvmgo.exceptions import ExportError

KERNEL = Path(__file__).parents[1] / "kernels" / "doubling.c"
pytestmark = pytest.mark.slow

SIZE = 8


def doubled(length=SIZE):
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    return onnx_model(
        nodes, {"x": (TensorProto.FLOAT, [length])}, {"y": (TensorProto.FLOAT, [length])}
    )


def files_with(directory, fault="", *more):
    """Write files that double a vector and then do what `fault` says."""
    files = artifacts_in(directory)
    compile_library(KERNEL, files.library, f"-DSIZE={SIZE}", f"-DFAULT={fault}", *more)
    nodes = [var("x", (SIZE,)), op("doubling", ["x"], (SIZE,), name="y", prefix="")]
    files.graph.write_text(json.dumps(document(nodes, ["y"])))
    files.params.write_bytes(params_blob({}))
    return files


def verifier(model, directory, run=run_files, given=None, own=True):
    path = directory / "model.onnx"
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    ask = partial(truth.run, progress=lambda line: None)
    return Verifier(ask, run, str(path), str(path), {}, given, directory, own)


def check(directory, fault="", model=None, **options):
    return verifier(model or doubled(), directory, **options).check(files_with(directory, fault))


@pytest.fixture
def refused(tmp_path):
    def refused(fault, *fragments, **options):
        with pytest.raises(ExportError) as raised:
            check(tmp_path, fault, **options)
        for fragment in fragments:
            assert fragment in str(raised.value)
        return raised.value

    return refused


def test_right_files_agree(tmp_path):
    verdict = check(tmp_path)
    assert verdict.startswith("agrees with ONNX Runtime ")
    assert verdict.endswith("; the largest error is 0 of the tolerance")


def test_wrong_number_is_refused_with_its_place_and_size(refused):
    error = refused("data_of(&args[1])[5] = 100", "report")
    assert error.where == "output `y` at [5]"
    assert "it is 100.0 instead of " in error.reason
    assert "times the tolerance; 1 of 8 numbers differ" in error.reason


LEVELS = """
#include <stdlib.h>
int __tvmgo_cpu_level = 3;
__attribute__((constructor)) static void choose(void) {
  const char* limit = getenv("TVMGO_CPU_LEVEL");
  if (limit && limit[1] == '2') __tvmgo_cpu_level = 2;
}
"""


@pytest.mark.parametrize("level", [2, 3])
def test_kernels_for_other_processors_are_tried_as_well(level, tmp_path):
    (tmp_path / "levels.c").write_text(LEVELS)
    fault = (
        f"extern int __tvmgo_cpu_level; if (__tvmgo_cpu_level == {level}) data_of(&args[1])[5] = 9"
    )
    files = files_with(tmp_path, fault, str(tmp_path / "levels.c"))
    with pytest.raises(ExportError, match=rf"output `y` at \[5\]: .* for x86-64-v{level} and ONNX"):
        verifier(doubled(), tmp_path).check(files)


def test_rounding_is_no_difference(tmp_path):
    assert check(tmp_path, "data_of(&args[1])[5] *= 1.000001f").startswith("agrees")


def test_numbers_that_are_not_written_are_refused(refused):
    refused("data_of(&args[1])[0] = 0.0f / 0.0f", "output `y` at [0]", "it is nan instead of")


@pytest.mark.parametrize(
    ("fault", "signal"), [("abort()", "SIGABRT"), ("*(volatile int*)8 = 1", "SIGSEGV")]
)
def test_crash_is_refused_and_tells_its_last_words(refused, fault, signal):
    error = refused(f'fputs("out of cheese", stderr); {fault}', signal, "out of cheese")
    assert error.where == "running the exported model"


def test_hang_is_refused(refused):
    run = lambda job, seconds: run_files(job, 1)  # noqa: E731
    refused("sleep(1000)", "it has said nothing for 1 s", run=run)


def test_error_of_a_kernel_is_refused(refused):
    fault = 'TVMFFIErrorSetRaisedFromCStr("ValueError", "no more ink"); return -1'
    refused(fault, "running the exported model", "no more ink")


def test_files_that_cannot_be_loaded_are_refused(tmp_path):
    files = files_with(tmp_path)
    files.graph.write_text("{}")
    with pytest.raises(ExportError, match="running the exported model"):
        verifier(doubled(), tmp_path).check(files)


def test_library_that_cannot_be_loaded_is_refused_unless_it_is_for_others(tmp_path):
    files = files_with(tmp_path)
    files.library.write_bytes(files.library.read_bytes()[:2000])
    with pytest.raises(ExportError, match="loading the exported model: .*deploy.so"):
        verifier(doubled(), tmp_path).check(files)
    verdict = verifier(doubled(), tmp_path, own=False).check(files)
    assert verdict.startswith("not verified: this machine cannot load the library: ")


def test_other_shape_is_refused(refused):
    error = refused(
        "",
        model=onnx_model(
            [helper.make_node("Concat", ["x", "x"], ["y"], axis=0)],
            {"x": (TensorProto.FLOAT, [SIZE])},
            {"y": (TensorProto.FLOAT, [2 * SIZE])},
        ),
    )
    assert error.where == "output `y`"
    assert "expected float32 of shape (16,), as the original gives, got float32" in error.reason


def test_other_number_of_outputs_is_refused(refused):
    nodes = [helper.make_node("Add", ["x", "x"], [name]) for name in "yz"]
    spec = (TensorProto.FLOAT, [SIZE])
    refused(
        "",
        "it has 1 outputs, the original 2",
        model=onnx_model(nodes, {"x": spec}, dict.fromkeys("yz", spec)),
    )


def test_given_inputs_are_what_it_runs_on(tmp_path):
    write_tensors(tmp_path / "given", {"x": np.full(SIZE, 7, "float32")})
    seven = "if (data_of(&args[0])[3] == 7) data_of(&args[1])[3] = 0"
    assert check(tmp_path, seven).startswith("agrees")
    with pytest.raises(ExportError, match=r"output `y` at \[3\].* it is 0.0 instead of 14.0"):
        check(tmp_path, seven, given=str(tmp_path / "given"))


def test_model_that_rounding_decides_is_held_beside_changed_runs(tmp_path):
    """Values of a billion less themselves: what is left is rounding, in the original as here."""
    nodes = [
        helper.make_node("Mul", ["x", "large"], ["a"]),
        helper.make_node("Sub", ["a", "near"], ["b"]),
        helper.make_node("Add", ["x", "x"], ["c"]),
        helper.make_node("Add", ["b", "c"], ["y"]),
    ]
    given = np.linspace(1, 2, SIZE, dtype="float32")
    weights = {"large": np.float32(1e9), "near": given * np.float32(1e9)}
    spec = (TensorProto.FLOAT, [SIZE])
    model = onnx_model(nodes, {"x": spec}, {"y": spec}, weights)
    write_tensors(tmp_path / "given", {"x": given})
    verdict = check(
        tmp_path, "data_of(&args[1])[5] += 50", model=model, given=str(tmp_path / "given")
    )
    assert "as far as rounding lets the model: 'y'" in verdict
    with pytest.raises(ExportError, match=r"output `y` at \[5\]"):
        check(tmp_path, "data_of(&args[1])[5] += 1e6", model=model, given=str(tmp_path / "given"))


def test_onnx_decides_where_onnx_runtime_differs(tmp_path):
    verdict = spoiled_verifier(tmp_path).check(files_with(tmp_path))
    assert "reference evaluator, not with ONNX Runtime" in verdict


def test_error_says_where_onnx_cannot_decide(tmp_path):
    holder = spoiled_verifier(tmp_path, second={"unknown": "no such operator"})
    with pytest.raises(
        ExportError, match=r"cannot tell who is right \(no such operator\)"
    ) as error:
        holder.check(files_with(tmp_path))
    assert "what trained the model" in error.value.instead


def test_error_says_that_onnx_agrees_with_neither(tmp_path):
    with pytest.raises(ExportError, match="; nor does it agree with onnx .*reference evaluator"):
        spoiled_verifier(tmp_path).check(files_with(tmp_path, "data_of(&args[1])[5] += 1"))


def spoiled_verifier(tmp_path, **answers):
    """ONNX Runtime's answers are spoiled; what the reference evaluator says is right."""
    holder = verifier(doubled(), tmp_path)
    ask = holder.ask

    def spoiled(job):
        question = job["question"]
        answer = answers.get(question) or ask(job)
        if question == "results":
            write_tensors(answer["outputs"], {"y": np.zeros(SIZE, "float32")})
        return {} if question == "spread" else answer

    holder.ask = spoiled
    return holder


def test_without_truth_nothing_is_run(tmp_path):
    model = onnx_model(
        [helper.make_node("RandomNormal", [], ["y"], shape=[SIZE])],
        {},
        {"y": (TensorProto.FLOAT, [SIZE])},
    )
    verdict = check(tmp_path, "abort()", model=model)
    assert verdict == "not verified: the model draws random numbers (operator RandomNormal)"


def test_worker_that_fails_is_no_fault_of_the_files(tmp_path):
    holder = verifier(doubled(), tmp_path)

    def fail(job):
        raise ExportError("the simplify worker", "it was ended by SIGKILL", "wait")

    holder.ask = fail
    assert holder.check(files_with(tmp_path)) == (
        "not verified: the simplify worker: it was ended by SIGKILL"
    )


def test_library_for_another_processor_is_not_run(tmp_path):
    files = files_with(tmp_path)
    content = bytearray(files.library.read_bytes())
    content[18:20] = (0xF3).to_bytes(2, "little")  # RISC-V
    files.library.write_bytes(content)
    verdict = verifier(doubled(), tmp_path).check(files)
    assert verdict == "not verified: the library is for another processor"


def test_the_original_runs_once_for_all_compilers(tmp_path):
    holder = verifier(doubled(), tmp_path)
    asked, ask = [], holder.ask
    holder.ask = lambda job: asked.append(job["question"]) or ask(job)
    for _ in range(2):
        holder.check(files_with(tmp_path))
    assert asked == ["results"]
