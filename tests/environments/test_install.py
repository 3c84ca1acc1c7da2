# SPDX-License-Identifier: Apache-2.0
"""Managed environments are made all or nothing: whoever else makes them, whatever goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.environments import wheels as tiny
from tests.environments.wheels import RELAY, call, start
from tvmgo import TVMOSError, TVMValueError
from tvmgo.compiler.environments import install as installing
from tvmgo.compiler.environments import interpreter_of, probe
from tvmgo.compiler.environments.install import install, remove
from tvmgo.compiler.environments.listing import overview

slow = pytest.mark.slow


def row_of(kind):
    """Return the last of the rows that are about a kind of worker."""
    return [row for row in overview() if row.kind == kind][-1]


def listed(locks):
    return [line.split() for line in call("list", locks=locks)[1].splitlines()]


@pytest.fixture
def wheels(tmp_path, locks):
    """A folder with the wheels that the lock file asks for."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    tiny.write_lock(locks, [tiny.write_wheel(folder, *item) for item in RELAY.items()])
    return folder


def present(root):
    """The names of what counts as an environment, and of what does not."""
    folder = root / "relay"
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# ---------------------------------------------------------------- what is made


@slow
def test_install_list_remove(wheels, locks, root):
    assert ["relay", "missing"] in listed(locks)
    code, said = call("install", "relay", "--wheels", wheels, locks=locks)
    assert code == 0, said
    [name] = present(root)
    environment = root / "relay" / name
    python = environment / "bin" / "python"
    assert interpreter_of("relay") == python
    assert output(python, "-I", "-c", "import tiny_onnx; tiny_onnx.main()") == "1.18.0\n"
    # Scripts run from where it is, though it was made elsewhere.
    assert output(environment / "bin" / "tiny_onnx") == "1.18.0\n"

    row = row_of("relay")
    assert (row.kind, row.where, row.python) == ("relay", str(environment), output_version(python))
    assert row.what == ", ".join(map(" ".join, RELAY.items()))
    assert row.size == sum(p.lstat().st_size for p in environment.rglob("*") if not p.is_dir())

    before = time.time_ns()
    code, said = call("install", "relay", locks=locks)  # nothing to do: no wheels are looked for
    assert (code, said) == (0, f"relay: {environment}\n")
    assert all(path.lstat().st_mtime_ns < before for path in root.rglob("*"))

    assert call("remove", "relay", locks=locks) == (0, f"removed {environment}\n")
    assert present(root) == []
    assert call("remove", "relay", locks=locks) == (0, "relay: nothing to remove\n")


def output_version(python):
    return output(python, "-I", "-c", "import platform; print(platform.python_version())").strip()


@slow
def test_install_for_programs(wheels, locks, root):
    """What pip says does not get into the JSON."""
    words = ["install", "relay", "--json", "--wheels", wheels]
    process = start(*words, locks=locks, stderr=subprocess.PIPE)
    out, progress = process.communicate(timeout=300)
    assert process.returncode == 0, progress
    assert json.loads(out) == {"compiler": "relay", "python": str(interpreter_of("relay"))}
    assert "making " in progress and "Successfully installed" in progress


@slow
def test_settings_of_pip_and_python_for_others_do_not_matter(wheels, locks, root, tmp_path):
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    (tmp_path / "constraints.txt").write_text("numpy==1.0\n")
    hostile = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_TARGET": str(tmp_path / "target"),
        "PIP_PREFIX": str(tmp_path / "prefix"),
        "PIP_CONSTRAINT": str(tmp_path / "constraints.txt"),
        "PIP_DRY_RUN": "1",
        "PIP_NO_BINARY": ":all:",
        "PYTHONPATH": str(tmp_path / "path"),
        "PYTHONSAFEPATH": "",
    }
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "venv.py").write_text("raise SystemExit('the wrong venv')\n")
    code, said = call(
        "install", "relay", "--wheels", wheels, locks=locks, env=hostile, cwd=tmp_path / "path"
    )
    assert code == 0, said
    assert interpreter_of("relay").is_file()
    assert not (tmp_path / "target").exists() and not (tmp_path / "prefix").exists()


@slow
def test_another_python_in_path_is_taken(wheels, locks, root, tmp_path, monkeypatch):
    """The first that is what its name says: a version manager's may know none of that version."""
    [lock] = locks.iterdir()
    lock.rename(locks / f"relay-cp399-{probe.platform_name()}.txt")
    answer = f'{{"tag": "cp399", "platform": "{probe.platform_name()}"}}'
    for folder, text in {
        "shims": "echo no such version >&2; exit 127",
        "other": """echo '{"tag": "cp398", "platform": "amiga_68k"}'""",
        "right": f"case $2 in *probe.py) echo '{answer}';; *) exec {sys.executable} \"$@\";; esac",
    }.items():
        (tmp_path / folder).mkdir()
        python = tmp_path / folder / "python3.99"
        python.write_text(f"#!/bin/sh\n{text}\n")
        python.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / f) for f in ("shims", "other")))
    code, said = call("install", "relay", "--wheels", wheels, locks=locks)
    assert code == 1
    assert "relay is not for cp3" in said and "with one of python3.99 in PATH" in said
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path / 'right'}:/usr/bin:/bin")
    code, said = call("install", "relay", "--wheels", wheels, locks=locks)
    assert code == 0, said
    assert f"by {tmp_path / 'right' / 'python3.99'}" in said
    assert [name[:6] for name in present(root)] == ["cp399-"]
    assert interpreter_of("relay").is_file()  # it does for this Python, too


# ---------------------------------------------------------------- what goes wrong


@slow
def test_wheel_of_another_hash_is_refused(wheels, locks, root):
    path = tiny.wheel_path(wheels, "onnx", "1.18.0")
    path.write_bytes(path.read_bytes() + b"changed")
    code, said = call("install", "relay", "--wheels", wheels, locks=locks)
    assert code == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in said and "Traceback" not in said
    assert present(root) == []


@slow
def test_missing_wheel_without_a_network(wheels, locks, root):
    """pip names the wheel, and we how to fetch it."""
    tiny.wheel_path(wheels, "onnx", "1.18.0").unlink()
    code, said = call("install", "relay", "--wheels", wheels, locks=locks)
    assert code == 1
    assert "onnx==1.18.0" in said
    [lock] = locks.iterdir()
    assert (
        f"pip download --require-hashes --only-binary :all: --no-deps --requirement {lock}" in said
    )
    assert present(root) == []


@slow
def test_index_that_cannot_be_reached(wheels, locks, root):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_INDEX": ""}
    nowhere |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    code, said = call("install", "relay", locks=locks, env=nowhere)
    assert code == 1
    assert "failed with exit status 1, see above" in said and "Traceback" not in said
    assert present(root) == []


@pytest.mark.parametrize("place", ["/sys/tvmgo", "/dev/null/tvmgo"])
def test_folder_that_cannot_be_written(place, wheels, locks, monkeypatch):
    monkeypatch.setenv("TVMGO_COMPILERS", place)
    with pytest.raises(TVMOSError, match=f"{place}.*: .*; the variable TVMGO_COMPILERS can name"):
        install("relay", wheels=wheels)
    assert remove("relay") == []
    assert row_of("relay").where == "missing"


def test_pip_that_installs_elsewhere_is_noticed(wheels, locks, root, monkeypatch):
    """Whatever setting of pip may do that."""

    def pretend(held, python, *arguments):
        if "venv" in arguments:
            (arguments[-1] / "bin").mkdir(parents=True)

    monkeypatch.setattr(installing, "run", pretend)
    with pytest.raises(TVMOSError, match="pip has installed elsewhere.*: numpy>=1.26, onnx"):
        install("relay", wheels=wheels)
    assert present(root) == []


@pytest.mark.parametrize("kind", ["simplify", "tensorrt"])
def test_bad_arguments(kind, tmp_path):
    known = "relax, relay, tensorflow, paddle, mxnet, coreml"
    with pytest.raises(TVMValueError, match=f"kind: expected one of {known}, got"):
        install(kind)
    with pytest.raises(TVMValueError, match=f"kind: expected one of {known}, got"):
        remove(kind)
    with pytest.raises(TVMValueError, match="wheels: expected a folder, got"):
        install("relay", wheels=tmp_path / "nothing")


# ---------------------------------------------------------------- two at once, and killed ones


@slow
def test_two_at_once_make_one(wheels, locks, root):
    both = [start("install", "relay", "--wheels", wheels, locks=locks) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("making " in text for text in said) == 1
    assert sum("waiting for another process" in text for text in said) == 1
    [name] = present(root)
    assert all(text.endswith(f"relay: {root / 'relay' / name}\n") for text in said)


@pytest.fixture
def hanging(wheels, tmp_path):
    """A folder whose wheel of onnx lets pip wait for ever; else as `wheels`."""
    folder = tmp_path / "hanging"
    folder.mkdir()
    for wheel in wheels.iterdir():
        (folder / wheel.name).write_bytes(wheel.read_bytes())
    pipe = tiny.wheel_path(folder, "onnx", "1.18.0")
    pipe.unlink()
    os.mkfifo(pipe)
    return folder


def start_hanging(hanging, locks, **options):
    """Start an install and wait until its pip hangs; return it and pip's number."""
    process = start("install", "relay", "--wheels", hanging, locks=locks, **options)
    for line in process.stdout:
        if "onnx" in line and line.startswith("Processing"):
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, int(children[0])


@slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for pip in /proc")
def test_killed_install_leaves_nothing_that_counts(hanging, wheels, locks, root):
    """Its pip lives on and keeps others away from what it writes, until it has ended as well."""
    process, pip = start_hanging(hanging, locks)
    process.kill()
    process.wait(timeout=60)
    process.stdout.close()
    assert present(root) == ["unfinished"]
    assert ["relay", "missing"] in listed(locks)
    second = start("install", "relay", "--wheels", wheels, locks=locks)
    assert "waiting for another process" in second.stdout.readline()
    assert second.poll() is None
    os.kill(pip, signal.SIGKILL)
    said = second.communicate(timeout=300)[0]
    assert second.returncode == 0, said
    [name] = present(root)
    assert name != "unfinished"
    assert interpreter_of("relay") == root / "relay" / name / "bin" / "python"


@slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for pip in /proc")
def test_interrupted_install_cleans_up(hanging, locks, root):
    process, _ = start_hanging(hanging, locks, start_new_session=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "tvmgo/" not in said  # no traceback of ours
    assert present(root) == []


def test_killed_removal_leaves_nothing_that_counts(make_environment, root, monkeypatch):
    make_environment()

    def killed(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove("relay", say=str)
    assert present(root) == ["unfinished"]
    assert row_of("relay").where == "missing"
    assert remove("relay", say=str) == []
    assert present(root) == []


# ---------------------------------------------------------------- those of other releases


def test_outdated_ones_are_shown_and_removed(make_environment, locks, root):
    old = make_environment(text="a==1\n").parents[1]
    new = make_environment(text="a==2\n").parents[1]
    rows = {row.where: row.what for row in overview() if row.kind == "relay"}
    assert set(rows) == {str(old), str(new)}
    assert rows[str(old)].startswith("for another release of tvmgo")
    assert not rows[str(new)].startswith("for another release of tvmgo")
    assert remove("relay", outdated=True, say=str) == [old]
    assert present(root) == [new.name]
    assert remove("relay", say=str) == [new]


@slow
def test_environment_that_lost_its_python_is_made_again(make_environment, wheels, locks, root):
    [lock] = locks.iterdir()
    python = make_environment(text=lock.read_text())
    python.unlink()
    assert "has lost its Python" in row_of("relay").what
    assert install("relay", wheels=wheels) == python
    assert output(python, "-I", "-c", "print(1)") == "1\n"
    assert present(root) == [python.parents[1].name]
