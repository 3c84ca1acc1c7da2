# SPDX-License-Identifier: Apache-2.0
"""Tuning by AutoTVM: what is asked for, and what a few seconds of it do to one convolution."""

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tvmgo
from tests.compiler.models import assert_same, normal, onnx_model, onnx_runtime, run
from tests.compiler.simplified import one_node
from tvmgo.cli import main
from tvmgo.compiler import export
from tvmgo.compiler.environments import interpreter_of
from tvmgo.compiler.tuning import Tuning, tuning_named
from tvmgo.compiler.workers import server

FLOAT = TensorProto.FLOAT
HERE = Path("deployed").absolute()


def named(tune=None, tune_log=None, kinds=("relay",), format="auto"):
    return tuning_named(tune, tune_log, kinds, format, HERE)


def test_nothing_is_tuned_by_default():
    assert named() is None
    assert named(kinds=("relax", "relay")) is None


def test_minutes_are_divided_among_numbers_of_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("TVM_NUM_THREADS", "3")
    tuning = named(1.5, tmp_path / "log")
    assert tuning == Tuning(90.0, tmp_path / "log")
    job = Tuning(90.0, tmp_path / "log", sizes=3).job(batched=True)
    assert job == {"seconds": 30.0, "log": str(tmp_path / "log"), "threads": "3"}
    assert Tuning(90.0, tmp_path / "log", sizes=3).job(batched=False)["seconds"] == 90


def test_trials_lie_beside_the_export():
    assert named(np.float32(1)).log == HERE.parent / "deployed.tune.json"


@pytest.mark.parametrize("minutes", [None, 0])
def test_without_minutes_a_log_is_used(minutes, tmp_path):
    (tmp_path / "log").touch()
    assert named(minutes, tmp_path / "log") == Tuning(0.0, tmp_path / "log")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(tune=-1), ValueError, "tune: expected minutes, 0 or more, got -1"),
        (dict(tune=float("nan")), ValueError, "tune: expected minutes, 0 or more, got nan"),
        (dict(tune=float("inf")), ValueError, "tune: expected minutes, 0 or more, got inf"),
        (dict(tune="10"), TypeError, "tune: expected minutes, got str"),
        (dict(tune=True), TypeError, "tune: expected minutes, got bool"),
        (dict(tune=0), ValueError, "tune: expected tune_log with 0 minutes"),
        (dict(tune=1, tune_log=3), TypeError, "tune_log: expected a path, got int"),
        (dict(tune_log="no/such"), FileNotFoundError, "tune_log: .*no/such"),
        (
            dict(tune=1, kinds=["relax"]),
            ValueError,
            'tune: expected compiler="relay" .* got relax;',
        ),
        (dict(tune=1, kinds=["relax", "relay"]), ValueError, "got relax and relay; relax has"),
        (dict(tune_log="x", kinds=["relax"]), ValueError, "tune_log: expected compiler="),
        (dict(tune=1, format="vm"), ValueError, 'tune: expected format="graph"'),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        named(**arguments)


def test_relax_is_not_tuned(tmp_path):
    model, _ = one_node("Relu", [normal(2, 3)])
    with pytest.raises(tvmgo.TVMValueError, match="relax has kernels of its own"):
        export(model, tmp_path / "deployed", compiler="relax", tune=1)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- with TVM 0.19


@pytest.fixture(scope="module")
def relay():
    try:
        return interpreter_of("relay")
    except tvmgo.TVMImportError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def convolution(relay):
    arrays = [normal(1, 16, 14, 14), normal(32, 16, 3, 3)]
    return one_node("Conv", arrays, constants=[1], kernel_shape=[3, 3])


@pytest.fixture(scope="module")
def tuned(convolution, tmp_path_factory):
    """The convolution, exported after a few seconds of tuning: files, and what progress said."""
    lines = []
    folder = tmp_path_factory.mktemp("tuned") / "deployed"
    files = export(
        convolution[0], folder, compiler="relay", target="native", tune=0.1, progress=lines.append
    )
    return files, lines


def log_of(files):
    return files.library.parent.with_name("deployed.tune.json")


def trials(log):
    """Return the number of each configuration in a file of trials, and its time."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return [(each["config"]["index"], each["result"][0][0]) for each in records]


def right(files, convolution):
    model, inputs = convolution
    assert_same(run(files, inputs), onnx_runtime(model, inputs), rtol=1e-4, atol=1e-4)


def by_log(convolution, folder, log, **arguments):
    arguments = {"target": "native", "compiler": "relay", **arguments}
    return export(convolution[0], folder, tune_log=log, **arguments)


@pytest.mark.slow
def test_a_tuned_convolution_is_right_and_no_slower(tuned, convolution):
    files, lines = tuned
    right(files, convolution)
    said = files.report.details["tuning"]
    times = [time for _, time in trials(log_of(files))]
    assert said.startswith("1 of 1 kernels, ")
    assert f"{len(times)} trials in 6 s, in {log_of(files)}" in said
    # What the kernel is without tuning is tried first.
    assert f"they take {min(times) / times[0]:.2f} of their untuned time" in said
    assert any(line.startswith("tuning: ") and "best so far" in line for line in lines)


@pytest.mark.slow
def test_kernels_write_and_read_blocks_of_one_size(relay, tmp_path):
    # From 96 channels to 12, without tuning the second reads blocks that the first does not write.
    nodes = [
        helper.make_node("Conv", ["x", "wide"], ["between"]),
        helper.make_node("Conv", ["between", "narrow"], ["y"]),
    ]
    weights = {"wide": normal(96, 16, 1, 1), "narrow": normal(12, 96, 1, 1)}
    inputs = {"x": normal(1, 16, 14, 14)}
    model = onnx_model(
        nodes, {"x": (FLOAT, [1, 16, 14, 14])}, {"y": (FLOAT, [1, 12, 14, 14])}, weights
    )
    log = tmp_path / "log.json"
    # It ends before, when all that go together are tried.
    files = by_log((model, inputs), tmp_path / "deployed", log, tune=9)
    right(files, (model, inputs))
    blocks = {96: [], 12: []}  # read and written, by channels written
    for line in log.read_text().splitlines():
        record = json.loads(line)
        choices = {name: value for name, _, value in record["config"]["entity"]}
        channels = record["input"][2][1][1][0]
        blocks[channels].append((choices["tile_ic"][-1], choices["tile_oc"][-1]))
    [written] = {made for _, made in blocks[96]}
    untuned, *tried = blocks[12]
    assert untuned[0] < written
    assert tried and {read for read, _ in tried} == {written}


BUILD = """
import sys

sys.path.insert(0, sys.argv[1])
import server

server.import_tvmgo(whole=False)
from tvm import autotvm, te
from tvm.autotvm.measure import MeasureInput

from tvmgo.compiler.relay.tuning.measuring import Measure

tensors = [te.placeholder(shape) for shape in [(1, 32, 14, 14), (16, 32, 1, 1)]]
rest = [(1, 1), (0, 0, 0, 0), (1, 1), "NCHW", "NCHW", "float32"]
task = autotvm.task.create("conv2d_NCHWc.x86", [*tensors, *rest], "llvm")
[built] = Measure(["g++"]).build([MeasureInput(task.target, task, task.config_space.get(0))])
print(sorted(len(shape) for shape, _ in built.arg_info), autotvm.GLOBAL_SCOPE.in_tuning)
"""


@pytest.mark.slow
def test_kernels_are_timed_with_their_tensors_in_blocks(relay, tmp_path):
    """As the model calls them: putting the tensors in blocks belongs to kernels of their own."""
    command = [relay, "-c", BUILD, Path(server.__file__).parent]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "[5, 5, 6] False"


@pytest.mark.slow
def test_operators_with_several_kernels_are_tuned(convolution, tmp_path):
    product = one_node("Gemm", [normal(4, 32), normal(32, 48)], constants=[1])
    log = tmp_path / "log.json"
    for _ in range(2):  # each has time for one of them, and the second goes on with the other
        files = by_log(product, tmp_path / "deployed", log, tune=1e-6)
    right(files, product)
    names = {json.loads(line)["input"][1] for line in log.read_text().splitlines()}
    assert names == {"dense_nopack.x86", "dense_pack.x86"}
    assert files.report.details["tuning"].startswith("2 of 2 kernels")


@pytest.mark.slow
def test_tuning_goes_on_where_it_stopped(tuned, convolution, tmp_path):
    log = tmp_path / "log.json"
    before = log_of(tuned[0]).read_text()
    log.write_text(before + '{"input": ["llvm')  # cut short, as by the end of a machine
    files = by_log(convolution, tmp_path / "deployed", log, tune=0.02)
    right(files, convolution)
    assert log.read_text().startswith(before)
    complete = [line for line in log.read_text().splitlines() if line != '{"input": ["llvm']
    log.write_text("\n".join(complete) + "\n")
    tried = [index for index, _ in trials(log)]
    assert len(tried) == len(set(tried)) > before.count("\n")


@pytest.mark.slow
def test_trials_serve_another_export(tuned, convolution, tmp_path):
    log = log_of(tuned[0])
    before = log.read_bytes()
    files = by_log(convolution, tmp_path / "other", log)
    right(files, convolution)
    said = files.report.details["tuning"]
    assert said.startswith("1 of 1 kernels, 0 trials in 0 s")
    assert re.search(r"the whole model \d+\.\d\d, ", said)  # was timed, without any trial
    assert log.read_bytes() == before


@pytest.mark.slow
def test_the_command_line_tunes(tuned, convolution, tmp_path, capsys):
    onnx.save(convolution[0], tmp_path / "model.onnx")
    words = ["compile", str(tmp_path / "model.onnx"), "-o", str(tmp_path / "out")]
    words += ["--target", "native", "--tune-log", str(log_of(tuned[0]))]
    assert main([*words, "--compiler", "relay"]) == 0
    assert "tuning: 1 of 1 kernels, 0 trials" in capsys.readouterr().out
    assert main([*words, "--compiler", "relax", "--tune", "0.5"]) == 1
    assert 'tune: expected compiler="relay"' in capsys.readouterr().err


@pytest.mark.slow
def test_what_makes_the_whole_model_slower_is_not_used(tuned, convolution, tmp_path):
    record = json.loads(log_of(tuned[0]).read_text().splitlines()[0])
    # One number at a time, as if that took no time.
    record["config"]["entity"] = [
        [name, kind, [-1, 1] if kind == "sp" else value]
        for name, kind, value in record["config"]["entity"]
    ]
    record["result"][0] = [1e-12]
    log = tmp_path / "log.json"
    log.write_text(json.dumps(record) + "\n")
    files = by_log(convolution, tmp_path / "slow", log)
    assert files.report.details["tuning"].endswith("and so they are not used")
    plain = export(convolution[0], tmp_path / "plain", compiler="relay", target="native")
    assert "tuning" not in plain.report.details
    assert files.library.read_bytes() == plain.library.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda line, target: line.replace(target, "llvm -keys=cpu -mcpu=x86-64"),
            "tune_log: expected trials for llvm .*, got some for llvm -keys=cpu -mcpu=x86-64",
        ),
        (lambda line, _: "no record\n" + line, "line 1 of .* is no record of AutoTVM: no record"),
        (lambda line, _: line + "[]\n", "tune_log: line 2 of "),
    ],
    ids=["another target", "text", "other JSON"],
)
def test_another_log_is_refused(change, message, tuned, convolution, tmp_path):
    log = tmp_path / "log.json"
    line = log_of(tuned[0]).read_text().splitlines(keepends=True)[0]
    log.write_text(change(line, json.loads(line)["input"][0]))
    with pytest.raises(tvmgo.TVMValueError, match=message):
        by_log(convolution, tmp_path / "deployed", log)
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]


@pytest.mark.slow
def test_another_machine_is_not_tuned_for(convolution, tmp_path):
    target = "llvm -mtriple=aarch64-linux-gnu"
    with pytest.raises(tvmgo.TVMValueError, match="tune: kernels are timed on this machine"):
        by_log(convolution, tmp_path / "deployed", tmp_path / "log", target=target, tune=1)


@pytest.mark.slow
def test_ctrl_c_keeps_the_trials(convolution, tmp_path):
    log = tmp_path / "log.json"

    def stop(line):
        if line.startswith("tuning: "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(
            convolution[0],
            tmp_path / "deployed",
            compiler="relay",
            target="native",
            tune=5,
            tune_log=log,
            progress=stop,
        )
    assert trials(log)
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]
