# SPDX-License-Identifier: Apache-2.0
"""Compilers in processes of their own: what they keep away from the user's, and how they fail."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tvmgo
from tests.compiler.models import assert_same, onnx_model, run
from tvmgo.compiler import ExportError, export
from tvmgo.compiler.workers import client

pytestmark = pytest.mark.slow

X = np.linspace(-1, 1, 4, dtype="float32")


def model_of(operator):
    spec = (TensorProto.FLOAT, [4])
    return onnx_model([helper.make_node(operator, ["x"], ["y"])], {"x": spec}, {"y": spec})


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(model_of("Exp"), path)
    return path


def python(script, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        **options,
    )


def children(process="self"):
    tasks = Path(f"/proc/{process}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def test_the_users_process_imports_no_compiler(model_file, tmp_path):
    done = python(
        """
        import sys
        from tvmgo.compiler import export
        export(sys.argv[1], sys.argv[2])
        print(sorted({"tvm", "onnx", "onnxruntime"} & set(sys.modules)))
        """,
        model_file,
        tmp_path / "deployed",
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_one_worker_does_many_jobs(tmp_path):
    export(model_of("Exp"), tmp_path)
    before = children()
    for operator, function in (("Sin", np.sin), ("Cos", np.cos), ("Neg", np.negative)):
        assert_same(run(export(model_of(operator), tmp_path), {"x": X}), [function(X)])
    assert children() == before


def test_threads_export_at_the_same_time(tmp_path):
    operators = {"Exp": np.exp, "Sin": np.sin, "Cos": np.cos, "Neg": np.negative}
    failures = []

    def work(operator, function):
        try:
            artifacts = export(model_of(operator), tmp_path / operator)
            assert_same(run(artifacts, {"x": X}), [function(X)])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=each) for each in operators.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(client._idle) <= 2  # one of each kind waits for the next job


def test_a_forked_child_has_workers_of_its_own(model_file, tmp_path):
    done = python(
        """
        import os, sys
        from tvmgo.compiler import export
        export(sys.argv[1], sys.argv[2] + "/parent")
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0
            export(sys.argv[1], sys.argv[2] + "/parent")
        else:
            export(sys.argv[1], sys.argv[2] + "/child")
        """,
        model_file,
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    names = {path.name for path in (tmp_path / "child").iterdir()}
    assert names == {"deploy.so", "deploy.json", "deploy.params", "model.json"}


def test_workers_end_with_a_user_who_is_killed(model_file, tmp_path):
    script = """
        import sys, time
        from tvmgo.compiler import export
        export(sys.argv[1], sys.argv[2])
        print("exported", flush=True)
        time.sleep(100)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), model_file, tmp_path / "deployed"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout.readline() == "exported\n"
        workers = children(user.pid)
        assert len(workers) == 2
        user.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# Jobs that end early


def test_what_progress_raises_ends_the_export(tmp_path):
    def refuse(line):
        if "compiling" in line:
            raise KeyError(line)

    with pytest.raises(KeyError, match="compiling 1 kernels"):
        export(model_of("Exp"), tmp_path / "deployed", progress=refuse)
    assert not (tmp_path / "deployed").exists()
    assert_same(run(export(model_of("Exp"), tmp_path), {"x": X}), [np.exp(X)])


def test_a_worker_that_is_killed_is_an_export_error(tmp_path):
    export(model_of("Exp"), tmp_path / "first")

    def kill(line):
        if "compiling" in line:
            for worker in children():
                os.kill(worker, signal.SIGKILL)

    with pytest.raises(ExportError, match=r"the relax worker .* was ended by SIGKILL"):
        export(model_of("Exp"), tmp_path / "deployed", progress=kill)
    assert not (tmp_path / "deployed").exists()
    # The one that waited meanwhile was killed as well, and is replaced.
    assert_same(run(export(model_of("Exp"), tmp_path / "again"), {"x": X}), [np.exp(X)])


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo oh dear >&2; kill -SEGV $$", r"it was ended by SIGSEGV; its last words:\noh dear\n"),
        ("exit 3", r"it ended with exit status 3; it said no more"),
        ("echo no such option; exec sleep 100", r"it said b'no such option', which is no answer"),
        ("echo thinking >&2; exec sleep 100", r"it has said nothing for 5 s; .*\nthinking\n"),
    ],
    ids=["crash", "exit", "chatter", "hang"],
)
def test_how_workers_fail(script, what, model_file, tmp_path, monkeypatch):
    monkeypatch.setenv("TVMGO_COMPILER_TIMEOUT", "5" if "sleep" in script else "60")
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\n{script}\n")
    interpreter.chmod(0o755)
    job = {"model": str(model_file), "shapes": {}, "directory": str(tmp_path)}
    before = children()
    with pytest.raises(ExportError, match=what):
        client.run_job("simplify", interpreter, job, lambda line: None)
    client.close_workers()
    assert children() <= before


def test_a_lack_of_memory_is_an_export_error(tmp_path):
    interpreter = tmp_path / "python"
    interpreter.write_text(f'#!/bin/sh\nulimit -v 2000000\nexec {sys.executable} "$@"\n')
    interpreter.chmod(0o755)
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate(8 << 30)
    job = {"model": file.name, "shapes": {}, "directory": str(tmp_path)}
    with pytest.raises(ExportError, match="memory ran out"):
        client.run_job("simplify", interpreter, job, lambda line: None)
    client.close_workers()


@pytest.mark.parametrize("seconds", ["", "soon", "-1", "0", "nan", "inf"])
def test_a_timeout_that_is_no_time_raises_value_error(seconds, model_file, tmp_path, monkeypatch):
    monkeypatch.setenv("TVMGO_COMPILER_TIMEOUT", seconds)
    with pytest.raises(tvmgo.TVMValueError, match="TVMGO_COMPILER_TIMEOUT: expected seconds, got"):
        export(model_file, tmp_path)


def test_ctrl_c_ends_export_and_worker(model_file, tmp_path):
    script = """
        import signal, sys
        from tvmgo.compiler import export
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored in the background
        try:
            export(sys.argv[1], sys.argv[2], progress=lambda line: print(line, flush=True))
        except KeyboardInterrupt:
            print("interrupted")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), model_file, tmp_path / "deployed"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as user:
        user.stdout.readline()
        os.killpg(user.pid, signal.SIGINT)
        output, errors = user.communicate(timeout=60)
    assert output.splitlines()[-1] == "interrupted"
    assert errors == ""
    assert not (tmp_path / "deployed").exists()


def test_an_error_tells_where_in_the_worker_it_was_raised(tmp_path):
    with pytest.raises(ExportError) as error:
        export(model_of("NoSuchOperator"), tmp_path / "deployed")
    assert "tvmgo/compiler/simplify/" in str(error.value.__cause__)


def test_a_module_whose_script_is_another_is_refused(tmp_path, monkeypatch):
    from tests.compiler.models import DOUBLE, relax_module
    from tvmgo.compiler.relax import script

    module = relax_module(DOUBLE.format(dtype="float32", constant=1))
    say = script.script_of
    monkeypatch.setattr(
        script,
        "script_of",
        lambda module: (say(module)[0].replace("add", "subtract"), say(module)[1]),
    )
    with pytest.raises(ExportError, match="says something else than it does"):
        export(module, tmp_path)


def test_what_the_system_refuses_a_worker_is_an_os_error(model_file, tmp_path):
    job = {
        "model": str(model_file),
        "format": "vm",
        "shapes": {},
        "compiler": "relax",
        "batch": None,
        "directory": str(tmp_path / "missing"),
    }
    with pytest.raises(FileNotFoundError, match="simple.onnx") as error:
        client.run_job("simplify", Path(sys.executable), job, lambda line: None)
    assert error.value.filename == str(tmp_path / "missing/simple.onnx")
