# SPDX-License-Identifier: Apache-2.0
"""What the command does before a verb has its turn."""

import subprocess
import sys

import pytest

import tvmgo
from tests.helpers import output_of
from tvmgo.cli import VERBS, main

# What takes long to import, and to say a version needs not.
LATER = {
    "numpy",
    "tvmgo.compiler",
    "tvmgo.model",
    "statistics",
    "subprocess",
    "tarfile",
    "tempfile",
}


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_start_imports_little(word):
    said = output_of(
        f"""
        import sys
        from tvmgo.cli import main
        try:
            main([{word!r}])
        except SystemExit as end:
            print("exit", end.code, {LATER!r} & sys.modules.keys())
        """
    )
    assert said.endswith("exit 0 set()\n")
    assert (f"tvmgo {tvmgo.__version__}" if word == "--version" else "doctor") in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert f"usage: tvmgo {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["info", "doctor", "run", "bench", "profile", "replay", "compile"])
def test_wrong_arguments(verb, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([verb])
    assert f"usage: tvmgo {verb}" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["info", "doctor", "run", "bench", "profile", "replay"])
def test_missing_file_is_one_line(verb, tvmgo_says, tmp_path):
    said = tvmgo_says(verb, tmp_path / "nothing")
    assert (said.status, said.out) == (1, "")
    assert said.err == f"tvmgo: path: there is no file '{tmp_path}/nothing'\n"


def test_reader_that_has_enough(write_one):
    """As `tvmgo info MODEL | head -0`, which has closed its end already."""
    code = "import sys; from tvmgo.cli import main; input(); sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "info", str(write_one("double"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
